"""The table of what came out: a row for each run or, over several seeds, for each set of runs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf
from typing import NamedTuple

from rich.console import Console

from initlab.numerals import FEWEST_FOR_QUARTILES, number, percent, spread, telling_digits
from initlab.runs.summary import Summary
from initlab.terminal.tables import Column, print_table

MOST_VERDICTS = 2  # of several runs in one line


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
        """Its score on the train, validation or test examples."""
        score: float | None = getattr(self.summary, f"score_{part}")
        return self.worst if score is None else score

    def shown(self, score: float) -> str:
        """A score of such runs, as text."""
        return percent(score) if self.summary.rules.classifies else number(score)


Row = Sequence[Run]
"""Runs that differ in nothing but their seeds."""


def print_results(console: Console, runs: Sequence[Run], keys: Sequence[str]) -> None:
    """Prints the table of runs that differ in these keys, and what diverged runs count as in medians."""
    labels, blocks = columns_of(runs, keys, named=not console.is_terminal)
    print_table(console, labels, blocks)
    if note := note_on(runs, keys):
        console.print(note)


def columns_of(
    runs: Sequence[Run], keys: Sequence[str], named: bool = True
) -> tuple[list[Column], list[list[Column]]]:
    """Returns the columns that label the rows of the table, and blocks of those that say what came out.

    ``named`` gives each run its name, where a row is one run.
    """
    rows, many = _rows(runs, keys), _many(runs, keys)
    hidden = {"init", "init._target_"} | ({"seed"} if many else set())
    labels = [_words("init", rows, lambda row: row[0].summary.tags["init"])]
    labels += [_words(key, rows, partial(_setting, key)) for key in keys if key not in hidden]
    return labels, _of_many(rows) if many else _of_each(rows, named)


def note_on(runs: Sequence[Run], keys: Sequence[str]) -> str:
    """Returns what diverged runs count as in the table's medians; nothing if there are none."""
    if not _many(runs, keys) or all(run.cost < inf for run in runs):
        return ""
    scores = {f"{run.summary.rules.score_label} {run.shown(run.worst)}" for run in runs}
    return f"A run that diverged counts as the worst: cost ∞, {', '.join(sorted(scores))}."


def _rows(runs: Sequence[Run], keys: Sequence[str]) -> list[Row]:
    groups: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        apart = (_setting(key, [run]) for key in keys if key != "seed")
        groups.setdefault((run.summary.tags["init"], *apart), []).append(run)
    return list(groups.values())


def _many(runs: Sequence[Run], keys: Sequence[str]) -> bool:
    """Returns whether a row of the table is several runs."""
    return len(_rows(runs, keys)) < len(runs)


def _of_each(rows: Sequence[Row], named: bool) -> list[list[Column]]:
    """Returns the columns where a row is one run. Its name is made of its labels: a terminal has no room."""
    seconds = Column("seconds", [number(run.summary.seconds) for [run] in rows])
    names = [_words("run", rows, lambda row: row[0].summary.name)] if named else []
    verdicts = _words("diagnosis", rows, lambda row: row[0].summary.verdicts, broken=True)

    def cost(digits: int, run: Run, value: float) -> str:
        return number(value, digits) if value < inf else f"diverged at {run.summary.diverged_at:,}"

    def score(run: Run, value: float) -> str:
        return run.shown(value) if run.cost < inf else "–"

    return [*_measured(rows, cost, score), [seconds, *names], [verdicts]]


def _of_many(rows: Sequence[Row]) -> list[list[Column]]:
    """Returns the columns where a row may be many runs."""
    counts = [Column("runs", [f"{len(row):,}" for row in rows])]
    diverged = [sum(run.cost == inf for run in row) for row in rows]
    if any(diverged):
        counts.append(Column("diverged", [f"{count:,}" for count in diverged]))
    [costs], scores = _measured(rows, lambda digits, run, value: number(value, digits), Run.shown)
    return [[*counts, costs], scores, [_words("diagnosis", rows, _verdicts, broken=True)]]


def _measured(
    rows: Sequence[Row], cost: Callable[[int, Run, float], str], score: Callable[[Run, float], str]
) -> list[list[Column]]:
    """Returns the columns of final costs and of scores, each number as text by ``cost`` and ``score``."""
    labels = {run.summary.rules.score_label for row in rows for run in row}
    label = labels.pop() if len(labels) == 1 else "score"
    medians = (spread([run.cost for run in row], quartiles=True)[0] for row in rows)
    shown = partial(cost, telling_digits(medians, least=4))
    return [
        [_column("final cost", rows, lambda run: run.cost, shown)],
        [_column(f"{part} {label}", rows, partial(Run.score, part=part), score) for part in _parts(rows)],
    ]


def _parts(rows: Sequence[Row]) -> list[str]:
    """Returns the parts of the data on which all runs have a score, but those that diverged."""
    finished = [run.summary for row in rows for run in row if run.cost < inf]
    validated = finished and all(summary.score_validation is not None for summary in finished)
    return ["train", "validation", "test"] if validated else ["train", "test"]


def _column(
    name: str, rows: Sequence[Row], value: Callable[[Run], float], shown: Callable[[Run, float], str]
) -> Column:
    """Returns a column of numbers or, where a row is several runs, of medians with what lies around them: the
    quartiles if every such row has enough runs for that, else the extremes.
    """
    several = [row for row in rows if len(row) > 1]
    quartiles = all(len(row) >= FEWEST_FOR_QUARTILES for row in several)
    cells = []
    for row in rows:
        median, *edges = (shown(row[0], one) for one in spread([value(run) for run in row], quartiles))
        cells.append(f"{median} [{', '.join(edges)}]" if edges else median)
    return Column(f"{name}, median [{'IQR' if quartiles else 'range'}]" if several else name, cells)


def _words(name: str, rows: Sequence[Row], cell: Callable[[Row], str], broken: bool = False) -> Column:
    return Column(name, [cell(row) for row in rows], words=True, broken=broken)


def _setting(key: str, row: Row) -> str:
    return row[0].settings.get(key, "")


def _verdicts(row: Row) -> str:
    """Returns the verdicts that most of the runs got, how many got each, and how many more there are."""
    found = Counter(name for run in row for name, _ in run.summary.diagnosis).most_common()
    shown = ", ".join(f"{name} {count}/{len(row)}" for name, count in found[:MOST_VERDICTS]) or "–"
    return shown if len(found) <= MOST_VERDICTS else f"{shown} and {len(found) - MOST_VERDICTS} more"
