"""What the page says beside its charts, section by section, as plain values for its template."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from initlab.report.answer import Answer, Contest
from initlab.report.entrants import Combination
from initlab.report.table import Row, Spread, table_of
from initlab.report.words import interval_words, leader_of
from initlab.runs.summary import Summary
from initlab.statistics.pairs import Pair
from initlab.tracking.address import page_of

MOST_PAIRS = 40
MOST_LINKS = 100  # of a set of runs with one verdict


def link_to(run: Summary) -> str:
    """Returns the address of a run's page in the MLflow UI."""
    assert run.address is not None
    assert run.run_id is not None
    return page_of(run.address, run.run_id)


@dataclass(frozen=True)
class Cell:
    """A median as text, and its interval ('' where nothing is known of it)."""

    median: str
    interval: str = ""


@dataclass(frozen=True)
class Line:
    """A row of the table: a set of runs and what it came to."""

    name: str
    entrant: str
    seeds: int
    cells: Sequence[Cell]
    reached: str
    diverged: str
    typical: Summary


def table_lines(answer: Answer) -> tuple[list[str], list[Line]]:
    """Returns the labels of the measured columns, and the table's rows."""
    rows = table_of(answer)
    parts = list(rows[0].scores)
    label = rows[0].typical.rules.score_label
    lines = [_line(row, one, parts) for row, one in zip(rows, answer.combinations, strict=True)]
    return ["final cost", *(f"{part} {label}" for part in parts)], lines


def _line(row: Row, one: Combination, parts: Sequence[str]) -> Line:
    cells = [_cell(row, "cost", row.cost), *(_cell(row, part, row.scores[part]) for part in parts)]
    reached = f"{row.reached:.0%}"
    if row.reached_after is not None:
        reached += f" after {row.reached_after:,.0f}"
    return Line(row.name, one.entrant, row.seeds, cells, reached, f"{row.diverged:.0%}", row.typical)


def _cell(row: Row, part: str, spread: Spread) -> Cell:
    middle, *edges = (row.shown(part, value) for value in (spread.median, *(spread.interval or ())))
    return Cell(middle, " – ".join(edges))


@dataclass(frozen=True)
class PairLine:
    """A pair as text."""

    first: str
    second: str
    difference: str
    improvement: str
    p_value: str
    pairing: str
    verdict: str
    more_seeds: str


def pairs_shown(contest: Contest, by: str) -> list[Pair]:
    """Returns a contest's pairs, those of its leader first and seen from it; at most ``MOST_PAIRS``."""
    leader = leader_of(contest, by)
    own = [pair.seen_from(leader) for pair in contest.pairs if leader in (pair.first, pair.second)]
    others = [pair for pair in contest.pairs if leader not in (pair.first, pair.second)]
    return [*own, *others][:MOST_PAIRS]


def pair_line(pair: Pair, run: Summary, by: str) -> PairLine:
    """Returns a pair as text."""
    wins, p_value, factor = pair.improvement, pair.wilcoxon_p, pair.variance_factor
    return PairLine(
        pair.first,
        pair.second,
        interval_words(pair, run, by),
        "–" if wins is None else f"{wins.probability:.0%} [{wins.low:.0%}, {wins.high:.0%}]",
        "–" if p_value is None else f"{p_value:.2g}",
        "–" if factor is None else f"{factor:.1f} ×",
        pair.verdict,
        _more(pair),
    )


def _more(pair: Pair) -> str:
    if pair.verdict != "undecided":
        return ""
    return "cannot be told" if pair.more_seeds is None else f"about {pair.more_seeds:,}"


def pairing_words(pairs: Sequence[Pair]) -> str:
    """Returns how much it helped that runs of one seed share their draws and their data."""
    ratios = [pair.variance_factor for pair in pairs if pair.variance_factor is not None]
    if not ratios:
        return ""
    typical, seeds = median(ratios), min(pair.n for pair in pairs)
    spread = f" (the median of {len(ratios)} pairs, from {min(ratios):.1f} to {max(ratios):.1f})"
    told = f"{typical:.1f}{spread if len(ratios) > 1 else ''}"
    shared = "Runs of one seed share their draws and their data."
    if typical < 1.05:
        return (
            f"{shared} Here that narrowed the differences little or not at all: unpaired, their variance "
            f"would be {told} times as large."
        )
    return (
        f"{shared} Unpaired, the variance of a difference would be {told} times as large, so {seeds} seeds "
        f"do what about {round(seeds * typical):,} unpaired ones would."
    )


@dataclass(frozen=True)
class Found:
    """The runs of one set with one verdict: what it says of the first of them, and which they are."""

    name: str
    count: int
    of: int
    sentence: str
    first: Summary
    runs: Sequence[Summary]


@dataclass(frozen=True)
class Verdict:
    """One verdict of the diagnosis: how many runs got it, set by set."""

    name: str
    count: int
    found: Sequence[Found]


def verdicts_of(answer: Answer) -> list[Verdict]:
    """Returns the verdicts of the diagnosis with their sentences and their runs, the most frequent first."""
    return [
        Verdict(name, len(runs), [found for one in answer.combinations if (found := _found(one, name))])
        for name, runs in answer.diagnoses.items()
    ]


def _found(one: Combination, name: str) -> Found | None:
    runs = [run for run in one.runs if name in dict(run.diagnosis)]
    if not runs:
        return None
    first = one.typical if one.typical in runs else runs[0]
    return Found(one.name, len(runs), len(one.runs), dict(first.diagnosis)[name], first, runs[:MOST_LINKS])


def facts_of(answer: Answer, failed: int) -> list[str]:
    """Returns a sweep's size in a few words each."""
    runs = answer.runs
    seeds = len({run.tags["seed"] for run in runs})
    settings = len(answer.contests)
    lengths = sorted({run.iterations for run in runs if run.diverged_at is None})
    facts = [
        _many(len(runs), "run"),
        f"{len(answer.entrants)} compared" if len(answer.entrants) > 1 else "",
        _many(settings, "setting") if settings > 1 else "",
        _many(seeds, "seed"),
        ", ".join(sorted({run.tags["dataset"] for run in runs})),
        f"{' to '.join(f'{n:,}' for n in dict.fromkeys((lengths[0], lengths[-1])))} iterations"
        if lengths
        else "",
        f"{failed:,} more did not finish" if failed else "",
    ]
    return [fact for fact in facts if fact]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
