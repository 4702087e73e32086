"""What the terminal shows when a command has ended: one table of what came out, and what failed."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import quantiles

from rich import box
from rich.console import Console
from rich.table import Table

from initlab.runs.summary import MOST_SENTENCES
from initlab.sweep.outcome import Outcome, varied

PIPE_WIDTH = 100_000  # a pipe has none; so wide that nothing is cut or broken
NARROWEST_DIAGNOSIS = 14  # in letters; in a narrow terminal it takes several lines
MOST_VERDICTS = 2  # of several runs in one line
MOST_FAILURES = 20  # a thousand lines would bury the table; the rest are in the jobs' folders

LEFT = ("init", "run", "diagnosis")  # words; numbers stand at the right

Column = tuple[str, Callable[[Sequence[Outcome]], str]]


def print_summary(outcomes: Sequence[Outcome]) -> None:
    """Prints a table of what finished and where to see it and, to stderr, every job that failed and why.

    A table has a line for each run or, where a sweep has several seeds, for each combination of its
    other keys: the median over the seeds and the interquartile range.
    """
    finished = [outcome for outcome in outcomes if outcome.error is None]
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if finished:
        console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
        console.print(_table(finished, plain=not console.is_terminal))
        if len(outcomes) == 1:
            for name, sentence in finished[0].summary.diagnosis[:MOST_SENTENCES]:
                console.print(f"{name.capitalize()}: {sentence}", soft_wrap=True)
        if finished[0].summary.address:
            console.print(f"Compare them in MLflow (make ui): {finished[0].summary.address}", soft_wrap=True)
    if len(outcomes) == 1 and failed:
        print(failed[0].error, file=sys.stderr)
    elif failed:
        _print_failures(failed, len(outcomes))


def _print_failures(failed: Sequence[Outcome], jobs: int) -> None:
    print(f"{len(failed)} of {jobs} jobs failed:", file=sys.stderr)
    for outcome in failed[:MOST_FAILURES]:
        print(f"  {outcome.name}: {outcome.error}", file=sys.stderr)
    if len(failed) > MOST_FAILURES:
        print(f"  … and {len(failed) - MOST_FAILURES} more", file=sys.stderr)


def _table(outcomes: Sequence[Outcome], plain: bool) -> Table:
    keys = ["init", *(key for key in varied(outcomes) if key not in ("init", "init._target_"))]
    over_seeds = [key for key in keys if key != "seed"]
    groups = _grouped(outcomes, over_seeds)
    many = any(len(group) > 1 for group in groups)
    if not many:
        groups = [[outcome] for outcome in outcomes]
    columns = [(key, _value_of(key)) for key in (over_seeds if many else keys)]
    columns += _columns(outcomes, many)
    if not plain:  # a terminal is narrow, and a run's name is made of start, seed and the varied keys
        columns = [column for column in columns if column[0] != "run"]
    table = Table(box=None if plain else box.SIMPLE_HEAD, pad_edge=False)
    for name, _ in columns:
        many_words = name == "diagnosis"
        table.add_column(
            name,
            justify="left" if name in LEFT else "right",
            no_wrap=not many_words,
            min_width=NARROWEST_DIAGNOSIS if many_words else None,
        )
    for group in groups:
        table.add_row(*(show(group) for _, show in columns))
    return table


def _grouped(outcomes: Sequence[Outcome], keys: Sequence[str]) -> list[list[Outcome]]:
    groups: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(tuple(_value_of(key)([outcome]) for key in keys), []).append(outcome)
    return list(groups.values())


def _value_of(key: str) -> Callable[[Sequence[Outcome]], str]:
    if key == "init":
        return lambda group: group[0].summary.tags["init"]
    return lambda group: group[0].settings.get(key, "")


def _range(numbers: Sequence[float | None], form: str) -> str:
    """Returns the median of the numbers there are, and their interquartile range."""
    there = [number for number in numbers if number is not None]
    if len(there) < 2:
        return _short(there[0], form) if there else "–"
    low, median, high = (_short(q, form) for q in quantiles(there, n=4, method="inclusive"))
    return f"{median} [{low}, {high}]"


def _short(number: float, form: str) -> str:
    """Returns a number in its form, or by its order where that would need many digits before the point."""
    return form.format(number) if abs(number) < 1000 else f"{number:.2g}"


def _one_cost(group: Sequence[Outcome]) -> str:
    [outcome] = group
    if outcome.summary.final_cost is None:
        return f"diverged at {outcome.summary.diverged_at:,}"
    return (
        f"{outcome.summary.final_cost:.6f}"
        if 1e-4 <= outcome.summary.final_cost < 1e6
        else f"{outcome.summary.final_cost:.3g}"
    )


def _score(
    part: str, show: Callable[[Sequence[float | None], bool], str]
) -> Callable[[Sequence[Outcome]], str]:
    """Returns what shows a group's scores on the train or test examples: accuracies, or R² of regressions."""

    def shown(group: Sequence[Outcome]) -> str:
        is_r2 = any(not outcome.summary.rules.classifies for outcome in group)
        return show([getattr(outcome.summary, f"score_{part}") for outcome in group], is_r2)

    return shown


def _one_score(scores: Sequence[float | None], is_r2: bool) -> str:
    [score] = scores
    return "–" if score is None else _short(score, "{:.3f}") if is_r2 else f"{score:.1%}"


def _many_scores(scores: Sequence[float | None], is_r2: bool) -> str:
    return _range(scores, "{:.3f}" if is_r2 else "{:.1%}")


def _score_name(outcomes: Sequence[Outcome]) -> str:
    """Returns what the scores are: accuracies, R² of regressions, or some of both."""
    regressions = [
        not outcome.summary.rules.classifies for outcome in outcomes if outcome.summary.final_cost is not None
    ]
    if not any(regressions):
        return "accuracy"
    return "R²" if all(regressions) else "score"


def _most_verdicts(group: Sequence[Outcome]) -> str:
    """Returns the most frequent verdicts of several runs and how many got them."""
    found = Counter(name for outcome in group for name, _ in outcome.summary.diagnosis)
    return ", ".join(f"{name} {n}/{len(group)}" for name, n in found.most_common(MOST_VERDICTS)) or "–"


def _count_diverged(group: Sequence[Outcome]) -> str:
    return f"{sum(outcome.summary.diverged_at is not None for outcome in group):,}"


def _columns(outcomes: Sequence[Outcome], many: bool) -> list[Column]:
    score = _score_name(outcomes)
    if many:
        return [
            ("runs", lambda group: f"{len(group):,}"),
            *(
                [("diverged", _count_diverged)]
                if any(o.summary.diverged_at is not None for o in outcomes)
                else []
            ),
            (
                "final cost, median [IQR]",
                lambda group: _range([o.summary.final_cost for o in group], "{:.4f}"),
            ),
            (f"train {score}", _score("train", _many_scores)),
            (f"test {score}", _score("test", _many_scores)),
            ("diagnosis", _most_verdicts),
        ]
    return [
        ("final cost", _one_cost),
        (f"train {score}", _score("train", _one_score)),
        (f"test {score}", _score("test", _one_score)),
        ("seconds", lambda group: f"{group[0].summary.seconds:.2f}"),
        ("run", lambda group: group[0].name),
        ("diagnosis", lambda group: group[0].summary.verdicts),
    ]
