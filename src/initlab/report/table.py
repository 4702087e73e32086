"""The table of an answer: a row for each set of runs that differ in nothing but their seeds, in numbers."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from initlab.numerals import number, percent
from initlab.report.answer import Answer
from initlab.report.entrants import Combination
from initlab.runs.summary import Summary
from initlab.statistics.intervals import Interval, median_interval, quartiles

SCORES = ("train", "validation", "test")


@dataclass(frozen=True)
class Spread:
    """Values of several runs: their median, their quartiles, and the median's 95 % interval, which
    takes six runs.
    """

    median: float
    quartiles: Interval
    interval: Interval | None


@dataclass(frozen=True)
class Row:
    """What a set of runs came to. A run that diverged counts as the worst there can be.

    ``scores`` hold the parts that were scored, of train, validation and test. ``reached`` is the share of
    runs whose cost reached the threshold (``report.threshold``), ``reached_after`` the median number of
    updates that those took, None if none did.
    """

    name: str
    seeds: int
    cost: Spread
    scores: dict[str, Spread]
    reached: float
    reached_after: float | None
    diverged: float
    diagnosis: Sequence[tuple[str, int]]
    typical: Summary

    @property
    def measured(self) -> Iterator[tuple[str, Spread]]:
        """The names of its spreads, as in metrics, and the spreads."""
        yield "final_cost", self.cost
        for part, spread in self.scores.items():
            yield f"{self.typical.score_name}_{part}", spread

    def shown(self, part: str, value: float) -> str:
        """Returns a score of such runs, or with the part ``cost`` a cost, as text."""
        if part == "cost" or not self.typical.rules.classifies:
            return number(value)
        return percent(value)


def table_of(answer: Answer) -> list[Row]:
    """Returns a row for each combination, in the order of the jobs."""
    return [_row(one) for one in answer.combinations]


def _row(one: Combination) -> Row:
    runs = one.runs
    reached = [run.reached_at for run in runs if run.reached_at is not None]
    scored = {part: _scores(runs, part) for part in SCORES}
    return Row(
        one.name,
        len(runs),
        _spread([run.objective for run in runs]),
        {part: _spread(scores) for part, scores in scored.items() if scores},
        len(reached) / len(runs),
        median(reached) if reached else None,
        sum(run.diverged_at is not None for run in runs) / len(runs),
        Counter(name for run in runs for name, _ in run.diagnosis).most_common(),
        one.typical,
    )


def _scores(runs: Sequence[Summary], part: str) -> list[float]:
    """Returns the runs' scores on a part, the worst for those that diverged; none if no run was scored."""
    scores: list[float | None] = [getattr(run, f"score_{part}") for run in runs]
    if part == "validation" and all(score is None for score in scores):
        return []
    worst = runs[0].rules.worst_score
    return [worst if score is None else score for score in scores]


def _spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), quartiles(values), median_interval(values))
