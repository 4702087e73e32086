"""What the values of one start are around: median, quartiles, and intervals for a median and for a share."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from initlab.types import Array

Interval = tuple[float, float]


def median(values: Sequence[float] | Array) -> float:
    """Returns the median of one or more values, infinite ones among them."""
    return quantile(values, 0.5)


def quartiles(values: Sequence[float] | Array) -> Interval:
    """Returns the lower and the upper quartile, between which the middle half of the values lies."""
    return quantile(values, 0.25), quantile(values, 0.75)


def quantile(values: Sequence[float] | Array, share: float) -> float:
    """Returns a quantile of one or more values by linear interpolation, as NumPy does for finite values."""
    ordered = np.sort(np.asarray(values, dtype=float))
    if not len(ordered):
        raise ValueError("a quantile needs at least one value; got none")
    at = share * (len(ordered) - 1)
    return between(ordered[math.floor(at)], ordered[math.ceil(at)], at % 1)


def between(low: float, high: float, weight: float) -> float:
    """Returns ``(1 − weight) low + weight high``. Between a number and an infinity that is the infinity;
    between −∞ and ∞ it is the nearer one, and 0 halfway.
    """
    if low == high or weight == 0:
        return float(low)
    if math.isinf(low) and math.isinf(high):
        return 0.0 if weight == 0.5 else float(low if weight < 0.5 else high)
    return float((1 - weight) * low + weight * high)


def median_interval(values: Sequence[float] | Array, level: float = 0.95) -> Interval | None:
    """Returns an interval that holds the median of what the values were drawn from with probability
    ``level``, or None where too few values can promise that (0.95 needs six).

    The interval from the d-th smallest to the d-th largest value holds the median with the exact probability
    1 − 2 P(Binomial(n, 1/2) < d), whatever the distribution (more, if values are tied). Between the two d
    whose probabilities enclose ``level`` the interval is interpolated (Hettmansperger & Sheather 1986,
    'Confidence intervals based on interpolated order statistics').

    It stands in for the percentile bootstrap, whose quantiles are such order statistics too, only less well
    chosen: with few seeds that covers the median less often than it says (`make proof` measures both).
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    d, weight = order_statistics(len(ordered), level)
    if d == 0:
        return None
    low = between(ordered[d - 1], ordered[d], weight)
    return low, between(ordered[-d], ordered[-d - 1], weight)


@lru_cache
def order_statistics(n: int, level: float) -> tuple[int, float]:
    """Returns d, the outermost values to use of n (0 where none will do), and how far to go to the next."""
    from scipy.stats import binom

    missed = 2 * binom.cdf(np.arange(n // 2), n, 0.5)  # by the interval from the 1st value, the 2nd, …
    d = int(np.sum(missed <= 1 - level + 1e-12))
    if d == 0:
        return 0, 0.0
    wide, narrow = 1 - 2 * binom.cdf([d - 1, d], n, 0.5)
    part = (wide - level) / (wide - narrow)
    return d, float((n - d) * part / (d + (n - 2 * d) * part))


def share_interval(successes: int, n: int, level: float = 0.95) -> Interval | None:
    """Returns an interval for a probability, from so many successes in n trials; None without a trial.

    Wilson 1927, 'Probable inference, the law of succession, and statistical inference'.
    """
    from scipy.stats import binomtest

    if n == 0:
        return None
    interval = binomtest(successes, n).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)
