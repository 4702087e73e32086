"""Intervals for one set of runs: of its median, and of a share."""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import numpy as np

from initlab.types import Array

LEVEL = 0.95


class Interval(NamedTuple):
    """The two ends of an interval."""

    low: float
    high: float


def quartiles(values: Sequence[float]) -> Interval:
    """Returns the values below which a quarter and three quarters lie, by linear interpolation; between a
    number and an infinity it is the infinity.
    """
    return Interval(*(_quantile(np.sort(values), share) for share in (0.25, 0.75)))


def _quantile(ordered: Array, share: float) -> float:
    at = share * (len(ordered) - 1)
    low, high = float(ordered[int(np.floor(at))]), float(ordered[int(np.ceil(at))])
    return low if low == high else low * (1 - at % 1) + high * (at % 1)


def median_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Returns the bootstrap's percentile interval for the median of values (n,).

    The bootstrap is exact: the r-th smallest of n values drawn with replacement is at most the k-th smallest
    of all where at least r draws fall among the k smallest, so its distribution is binomial and no draws are
    needed (Maritz & Jarrett 1978, "A note on estimating the variance of the sample median"). Its ends are
    values of the sample, and may be infinite. Of fewer than five values the interval is all numbers: even the
    extremes then hold the median in less than 93 of 100 samples.
    """
    from scipy.stats import binom

    ordered, n = np.sort(np.asarray(values, float)), len(values)
    if n < FEWEST:
        return Interval(-inf, inf)
    below = np.arange(n + 1) / n
    lower = binom.sf((n + 1) // 2 - 1, n, below)  # P(lower median of a resample ≤ k-th smallest)
    upper = binom.sf(n // 2, n, below)
    tail = (1 - level) / 2
    low, high = int(np.argmax(lower >= tail)), int(np.argmax(upper >= 1 - tail))
    return Interval(float(ordered[low - 1]), float(ordered[high - 1]))


FEWEST = 5  # values of which a median has an interval


def share_interval(wins: float, n: int, level: float = LEVEL) -> Interval:
    """Returns Wilson's score interval for the share of successes of which ``wins`` of n were seen.

    A tie may count as half a win. (Wilson 1927; Agresti & Coull 1998 on why it holds for few.)
    """
    from scipy.special import ndtri

    if n == 0:
        return Interval(0.0, 1.0)
    z, share = float(ndtri((1 + level) / 2)), wins / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
    return Interval(max(0.0, middle - reach), min(1.0, middle + reach))
