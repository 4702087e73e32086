"""What the score does over each number that was swept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median

from initlab.report.entrants import NOT_COMPARED, value_of
from initlab.runs.outcome import Outcome, varied
from initlab.runs.summary import Summary
from initlab.statistics.intervals import Interval, quartiles

FEWEST = 3  # values that make a curve


@dataclass(frozen=True)
class Point:
    """The runs of one start at one value of what was swept: how many, and median and quartiles of what they
    are judged by.
    """

    at: float
    runs: int
    median: float
    quartiles: Interval


@dataclass(frozen=True)
class Trend:
    """By start, its points over the values of a key, in rising order."""

    key: str
    points: Mapping[str, Sequence[Point]]

    @property
    def logarithmic(self) -> bool:
        """Whether its values want a logarithmic axis: all are positive, and the largest is many times the
        smallest.
        """
        at = [point.at for points in self.points.values() for point in points]
        return min(at) > 0 and max(at) / min(at) >= 16


def trends_of(outcomes: Sequence[Outcome], by: str) -> list[Trend]:
    """Returns a trend for each key that was swept over at least three numbers."""
    finished = [outcome for outcome in outcomes if outcome.summary]
    trends = []
    for key in varied(finished):
        numbers = {outcome.settings.get(key, "") for outcome in finished}
        if key not in NOT_COMPARED and len(numbers) >= FEWEST and all(map(_is_number, numbers)):
            trends.append(Trend(key, _points(finished, key, by)))
    return trends


def _points(outcomes: Sequence[Outcome], key: str, by: str) -> dict[str, list[Point]]:
    found: dict[str, dict[float, list[Summary]]] = {}
    for outcome in outcomes:
        assert outcome.summary is not None
        of_start = found.setdefault(outcome.summary.tags["init"], {})
        of_start.setdefault(float(outcome.settings[key]), []).append(outcome.summary)
    return {
        start: [_point(at, [value_of(run, by) for run in runs]) for at, runs in sorted(values.items())]
        for start, values in found.items()
    }


def _point(at: float, values: Sequence[float]) -> Point:
    return Point(at, len(values), median(values), quartiles(values))


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False
