"""In what share of all swept settings a conclusion survives: the specification curve.

Simonsohn, Simmons & Nelson 2020, 'Specification curve analysis', Nature Human Behaviour 4.
"""

from collections.abc import Hashable, Mapping
from typing import NamedTuple

from initlab.statistics.differences import differences, paired_values
from initlab.statistics.intervals import Interval, median
from initlab.statistics.sequence import median_sequence


class Specification(NamedTuple):
    """One setting: the median difference first − second over its ``n`` seeds, and the interval of it."""

    setting: Hashable
    n: int
    effect: float
    interval: Interval


class SpecificationCurve(NamedTuple):
    """All settings, sorted by their effect, and in what share of them the first is better than the second:
    by the sign of the effect alone (``survives``), and with an interval above 0 (``supported``). In
    ``contradicted`` the interval is below 0.
    """

    specifications: list[Specification]
    survives: float
    supported: float
    contradicted: float


def specification_curve(
    first: Mapping[Hashable, Mapping[int, float]],
    second: Mapping[Hashable, Mapping[int, float]],
    alpha: float = 0.05,
) -> SpecificationCurve | None:
    """Returns the curve of two entrants, each with its values by setting and seed (higher is better), over
    the settings in which both share a seed; None if there is none.

    Each interval holds for its setting with probability 1 − ``alpha`` at every number of seeds, not for all
    settings together: of 100 settings without a difference about five may seem to have one.
    """
    found = []
    for setting in first.keys() & second.keys():
        between = differences(*paired_values(first[setting], second[setting]))
        if len(between):
            interval = median_sequence(between, alpha)
            found.append(Specification(setting, len(between), median(between), interval))
    if not found:
        return None
    found.sort(key=lambda one: (one.effect, str(one.setting)))
    return SpecificationCurve(
        found,
        survives=sum(one.effect > 0 for one in found) / len(found),
        supported=sum(one.interval[0] > 0 for one in found) / len(found),
        contradicted=sum(one.interval[1] < 0 for one in found) / len(found),
    )
