"""What was measured here: a number with the interval that holds it with 95 %."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from initlab.statistics.intervals import median as middle
from initlab.statistics.intervals import median_interval, share_interval
from initlab.types import Array


class Estimate(NamedTuple):
    """A number and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def exact(value: float) -> Estimate:
    """Returns the estimate of a number that no draw changes."""
    return Estimate(float(value), float(value), float(value))


def share(happened: int, trials: int) -> Estimate:
    """Returns how often something happens, with Wilson's interval (1927)."""
    low, high = share_interval(happened, trials) or (0.0, 1.0)
    return Estimate(happened / trials, low, high)


def mean(values: Sequence[float] | Array) -> Estimate:
    """Returns the mean of independent values, two at least, with Student's interval (1908)."""
    from scipy.stats import t

    numbers = np.asarray(values, np.float64)
    center, deviation = float(numbers.mean()), float(numbers.std(ddof=1))
    reach = float(t.ppf(0.975, len(numbers) - 1)) * deviation / math.sqrt(len(numbers))
    return Estimate(center, center - reach, center + reach)


def median(values: Sequence[float] | Array) -> Estimate:
    """Returns the median of independent values with the interval of order statistics; of fewer than six
    values, which can promise no 95 %, the interval is all of them.
    """
    low, high = median_interval(values) or (float(np.min(values)), float(np.max(values)))
    return Estimate(middle(values), low, high)


def jackknife(values: Array, groups: int, statistic: Callable[[Array], float]) -> Estimate:
    """Returns a statistic of independent draws (n, …), such as their variance, with Tukey's interval (1958):
    Student's, from how much the statistic changes when one of so many groups of the draws is left out. What
    is of order 1/n in its bias is gone.
    """
    whole = statistic(values)
    parts = np.array_split(np.arange(len(values)), groups)
    without = np.array([statistic(np.delete(values, part, axis=0)) for part in parts])
    return mean(groups * whole - (groups - 1) * without)
