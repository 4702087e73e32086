"""What the terminal shows when a command has ended: what came out, where to see it, and what failed."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import inf
from typing import NamedTuple

from rich.console import Console

from initlab.runs.summary import MOST_SENTENCES, Summary
from initlab.sweep.outcome import Outcome, varied
from initlab.terminal.numbers import number, percent, spread, telling_digits
from initlab.terminal.tables import Column, print_table, stdout
from initlab.terminal.wording import ui_command

MOST_VERDICTS = 2  # of several runs in one line
MOST_FAILURES = 20  # a thousand lines would bury the table; the rest are in the jobs' folders
FEWEST_FOR_QUARTILES = 5  # of fewer runs, quartiles would say more than is known


class Run(NamedTuple):
    """A finished job: its overrides by key, and what sums its run up. A diverged one counts as the worst."""

    settings: Mapping[str, str]
    summary: Summary

    @property
    def cost(self) -> float:
        """Its final cost."""
        return inf if self.summary.final_cost is None else self.summary.final_cost

    @property
    def worst(self) -> float:
        """The score of the worst run there can be."""
        return 0.0 if self.summary.rules.classifies else -inf

    def score(self, part: str) -> float:
        """Its score on the train or test examples."""
        score: float | None = getattr(self.summary, f"score_{part}")
        return self.worst if score is None else score

    def shown(self, score: float) -> str:
        """A score of such runs, in words."""
        return percent(score) if self.summary.rules.classifies else number(score)


Row = Sequence[Run]
"""Runs that differ in nothing but their seeds."""


def print_summary(outcomes: Sequence[Outcome]) -> None:
    """Prints a table of what finished and where to see it and, to stderr, every job that failed and why.

    A table has a row for each run or, where a sweep has several seeds, for each combination of its other
    keys: the median over the seeds and, in brackets, the quartiles or, of few runs, the extremes.
    """
    runs = [Run(outcome.settings, outcome.summary) for outcome in outcomes if outcome.summary]
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if runs:
        console = stdout()
        _print_table(console, runs, varied([outcome for outcome in outcomes if outcome.summary]))
        if len(outcomes) == 1:
            for name, sentence in runs[0].summary.diagnosis[:MOST_SENTENCES]:
                console.print(f"{name.capitalize()}: {sentence}")
        _print_addresses(console, runs)
    if len(outcomes) == 1 and failed:
        print(failed[0].error, file=sys.stderr)
    elif failed:
        _print_failures(failed, len(outcomes))


def _print_addresses(console: Console, runs: Sequence[Run]) -> None:
    what = "See it" if len(runs) == 1 else "Compare them"
    for address, store in dict.fromkeys((run.summary.address, run.summary.store) for run in runs):
        if address and store:
            command = ui_command(store)
            console.print(f"{what} in MLflow{command and f' ({command})'}: {address}", soft_wrap=True)


def _print_failures(failed: Sequence[Outcome], jobs: int) -> None:
    print(f"{len(failed)} of {jobs} jobs failed:", file=sys.stderr)
    for outcome in failed[:MOST_FAILURES]:
        print(f"  {outcome.name}: {outcome.error}", file=sys.stderr)
    if len(failed) > MOST_FAILURES:
        print(f"  … and {len(failed) - MOST_FAILURES} more", file=sys.stderr)


def _print_table(console: Console, runs: Sequence[Run], keys: Sequence[str]) -> None:
    grouped: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        apart = (run.settings.get(key, "") for key in keys if key != "seed")
        grouped.setdefault((run.summary.tags["init"], *apart), []).append(run)
    rows, many = list(grouped.values()), len(grouped) < len(runs)
    hidden = {"init", "init._target_", *(["seed"] if many else [])}
    labels = [
        Column("init", [row[0].summary.tags["init"] for row in rows], words=True),
        *(
            Column(key, [row[0].settings.get(key, "") for row in rows], words=True)
            for key in keys
            if key not in hidden
        ),
    ]
    print_table(console, labels, _of_many(rows) if many else _of_each(runs, named=not console.is_terminal))
    if many and any(run.cost == inf for run in runs):
        scores = {f"{run.summary.rules.score_label} {run.shown(run.worst)}" for run in runs}
        console.print(f"A run that diverged counts as the worst: cost ∞, {', '.join(sorted(scores))}.")


def _of_each(runs: Sequence[Run], named: bool) -> list[list[Column]]:
    """Returns a table's columns with a row for each run. ``named`` adds their names, made of their labels."""
    digits = telling_digits((run.cost for run in runs), least=4)
    costs = [
        number(run.cost, digits) if run.cost < inf else f"diverged at {run.summary.diverged_at:,}"
        for run in runs
    ]
    scores = [
        Column(
            f"{part} {_score_label(runs)}",
            ["–" if run.cost == inf else run.shown(run.score(part)) for run in runs],
        )
        for part in ("train", "test")
    ]
    seconds = Column("seconds", [number(run.summary.seconds) for run in runs])
    names = [Column("run", [run.summary.name for run in runs], words=True)] if named else []
    return [
        [Column("final cost", costs)],
        scores,
        [seconds, *names],
        [_diagnosis([r.summary.verdicts for r in runs])],
    ]


def _of_many(rows: Sequence[Row]) -> list[list[Column]]:
    """Returns a table's columns with a row for the runs that differ in their seeds only."""
    runs = [run for row in rows for run in row]
    medians = (spread([run.cost for run in row], quartiles=True)[0] for row in rows)
    digits = telling_digits(medians, least=4)
    counts = [Column("runs", [f"{len(row):,}" for row in rows])]
    if any(run.cost == inf for run in runs):
        counts.append(Column("diverged", [f"{sum(run.cost == inf for run in row):,}" for row in rows]))
    costs = _medians("final cost", rows, lambda run: run.cost, lambda run, cost: number(cost, digits))
    scores = [
        _medians(f"{part} {_score_label(runs)}", rows, partial(Run.score, part=part), Run.shown)
        for part in ("train", "test")
    ]
    return [[*counts, costs], scores, [_diagnosis(map(_verdicts, rows))]]


def _medians(
    name: str, rows: Sequence[Row], value: Callable[[Run], float], shown: Callable[[Run, float], str]
) -> Column:
    """Returns a column of medians, with quartiles beside them where every row has enough runs for that."""
    quartiles = all(len(row) >= FEWEST_FOR_QUARTILES for row in rows if len(row) > 1)
    cells = []
    for row in rows:
        median, *edges = (shown(row[0], number) for number in spread([*map(value, row)], quartiles))
        cells.append(f"{median} [{', '.join(edges)}]" if edges else median)
    return Column(f"{name}, median [{'IQR' if quartiles else 'range'}]", cells)


def _score_label(runs: Sequence[Run]) -> str:
    """Returns what the scores are: accuracy, R² of regressions, or some of both."""
    labels = {run.summary.rules.score_label for run in runs}
    return labels.pop() if len(labels) == 1 else "score"


def _diagnosis(cells: Iterable[str]) -> Column:
    return Column("diagnosis", list(cells), words=True, broken=True)


def _verdicts(row: Row) -> str:
    """Returns the most frequent verdicts of several runs, how many got them, and how many other verdicts
    there are.
    """
    found = Counter(name for run in row for name, _ in run.summary.diagnosis).most_common()
    shown = ", ".join(f"{name} {count}/{len(row)}" for name, count in found[:MOST_VERDICTS]) or "–"
    return shown if len(found) <= MOST_VERDICTS else f"{shown} and {len(found) - MOST_VERDICTS} more"
