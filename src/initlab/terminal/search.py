"""What the terminal shows when a search has ended: its best settings, and what their values are worth."""

from collections.abc import Iterator, Sequence

from initlab.markup import escaped
from initlab.numerals import number, percent
from initlab.runs.outcome import Outcome
from initlab.search.closing import OwnRun
from initlab.search.found import Found
from initlab.signals import Stopped
from initlab.statistics.intervals import median, median_interval
from initlab.sweeps.launched import Launched
from initlab.terminal.summary import print_addresses, print_troubles
from initlab.terminal.tables import Column, print_table, stdout

NO_RUN = OwnRun()


def print_search(
    found: Found,
    outcomes: Sequence[Outcome],
    told: Launched,
    stopped: Stopped | None = None,
    own: OwnRun = NO_RUN,
) -> None:
    """Prints the best settings with the value of the search beside those of fresh seeds, where to see them
    and, to stderr, what failed or was broken off, and how to go on.
    """
    console = stdout()
    if found.best:
        print_table(console, _labels(found), _blocks(found))
    for sentence in sentences(found):
        console.print(sentence)
    if own.address:
        console.print("The search in MLflow:")
        console.print(own.address, soft_wrap=True)
    print_addresses(console, [outcome.summary for outcome in outcomes if outcome.summary])
    print_troubles(_that_matter(found, outcomes), own.problem, told, stopped)


def markdown_of(found: Found) -> str:
    """Returns the same table and sentences as markdown."""
    columns = [*_labels(found), *(column for block in _blocks(found) for column in block)]
    rows = [[column.header for column in columns], ["---"] * len(columns)]
    rows += [list(map(escaped, row)) for row in zip(*(column.cells for column in columns), strict=True)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return "\n\n".join([table, " ".join(sentences(found))])


def sentences(found: Found) -> Iterator[str]:
    """Yields what was tried, what pruning saved, and what the values in the table are worth."""
    yield f"{_trials(found)}: {', '.join(_fates(found))}."
    if found.saved:
        yield f"Pruning saved {percent(found.saved)} of the training of these trials."
    if not found.best:
        return
    if found.different > 1:
        yield (
            f"The value in the search is the best of {found.different:,} and tends to be too good (the "
            "winner's curse)."
        )
    if not any(one.validation for one in found.best):
        return
    first, count = found.fresh_seeds
    yield (
        f"{_seeds(first, count).capitalize()} {'was' if count == 1 else 'were'} in no trial. The validation "
        "examples are those of the search; by the test examples nothing was chosen."
    )
    if count > 1 and any(_interval(one.validation) is None for one in found.best):
        yield f"For an interval of a median {count} seeds are too few; hydra.sweeper.fresh_seeds=6 is enough."


def _that_matter(found: Found, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Returns the outcomes of jobs, without those that failed and then were trained under other numbers; once
    all trials have come to an end, without those that were broken off, too.
    """
    whole = found.ended + found.failed >= found.wanted
    trained = {tuple(one.overrides) for one in outcomes if one.summary}
    left = [one for one in outcomes if one.summary or tuple(one.overrides) not in trained]
    return [one for one in left if not whole or one.summary or one.error]


def _trials(found: Found) -> str:
    first, count = found.seeds
    done, wanted = found.ended + found.failed, found.wanted
    trials = "1 trial" if wanted == 1 else f"{wanted:,} trials"
    return f"{f'{done:,} of ' if done < wanted else ''}{trials} with {_seeds(first, count)}"


def _seeds(first: int, count: int) -> str:
    return f"seed {first}" if count == 1 else f"seeds {first} to {first + count - 1}"


def _fates(found: Found) -> Iterator[str]:
    yield f"{found.whole:,} trained to the end"
    if found.behind:
        yield f"{found.behind:,} pruned because {'it was' if found.behind == 1 else 'they were'} behind"
    for name, count in found.diagnosed.items():
        whose = "its" if count == 1 else "their"
        yield f"{count:,} pruned because most of {whose} seeds were diagnosed: {name}"
    if found.failed:
        yield f"{found.failed:,} failed"


def _labels(found: Found) -> list[Column]:
    settings = [dict(word.partition("=")[::2] for word in one.overrides) for one in found.best]
    return [Column(key, [_short(own[key]) for own in settings], words=True) for key in settings[0]]


def _short(value: str) -> str:
    """Returns a number that was drawn by its first digits, another value as it is."""
    if "." not in value and "e" not in value:
        return value
    try:
        return number(float(value), 4)
    except ValueError:
        return value


def _blocks(found: Found) -> list[list[Column]]:
    tried = Column("trial", [str(one.trial) for one in found.best])
    seen = Column(f"validation {found.score} in the search", [_shown(found, one.value) for one in found.best])
    blocks = [[tried, seen]]
    if any(one.validation for one in found.best):
        for part in ("validation", "test"):
            scores = [getattr(one, part) for one in found.best]
            around = " [95 %]" if any(map(_interval, scores)) else ""
            cells = [_cell(found, some) for some in scores]
            blocks.append([Column(f"{part} {found.score}, fresh seeds, median{around}", cells)])
    return blocks


def _cell(found: Found, scores: Sequence[float]) -> str:
    """Returns the median of fresh seeds and its interval, where there are enough for one."""
    if not scores:
        return "–"
    interval = _interval(scores)
    around = f" [{', '.join(_shown(found, edge) for edge in interval)}]" if interval else ""
    return f"{_shown(found, median(scores))}{around}"


def _interval(scores: Sequence[float]) -> tuple[float, float] | None:
    return median_interval(scores) if scores else None


def _shown(found: Found, score: float) -> str:
    return percent(score) if found.classifies else number(score)
