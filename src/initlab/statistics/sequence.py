"""A confidence sequence for a median: an interval that holds at every number of seeds at once.

An ordinary interval holds at one size of sample, chosen before. Whoever looks after every seed and stops when
it suits has more than one chance to be wrong, and is wrong more often than 5 % of the time. A confidence
sequence holds at all sizes together, so seeds may be added until a question is decided.

If the median is at most θ, a value lies above θ with a probability of at most 1/2. Let a of n values lie
above. Then (2p)^a (2 − 2p)^(n − a) is a nonnegative supermartingale for each p ≥ 1/2, and so is its mean M
over p, uniform between 1/2 and 1. Ville's inequality (1939): M ever reaches 1/β with probability β at most.
Each end of the interval takes β = α/2. (Robbins 1970, "Statistical methods related to the law of the iterated
logarithm"; Howard & Ramdas 2022, "Sequential estimation of quantiles", for other mixtures.)

The uniform mixture decides after 8 values of one sign at α = 0.05, and after 12, 19, 45 and 208 (median of
simulations) where 90, 80, 70 and 60 % have that sign. Beta(1/2, 1/2) in its place needs 12, 19, 48 and 233,
Beta(4, 4) 14, 23, 44 and 175, but 11 of one sign.
"""

from functools import lru_cache
from math import inf, log

import numpy as np
from scipy.special import betainc, betaln

from initlab.statistics.intervals import Interval
from initlab.types import Array

ALPHA = 0.05
MOST_SEEDS = 100_000  # beyond which no forecast looks


def median_sequence(values: Array, alpha: float = ALPHA) -> Interval:
    """Returns the interval for the median of values (n,), which holds at all n at once with 1 − alpha.

    Its ends are values of the sample, infinite while there are too few. Values equal to an end lie inside.
    """
    n = len(values)
    needed = fewest_above(n, alpha)
    if needed > n:
        return Interval(-inf, inf)
    ordered = np.sort(values)
    return Interval(float(ordered[n - needed]), float(ordered[needed - 1]))


@lru_cache(maxsize=100_000)
def fewest_above(n: int, alpha: float = ALPHA) -> int:
    """Returns how many of n values must lie above a number to exclude that it is the median; n + 1 if none
    suffices.
    """
    low, high = n // 2, n + 1  # M grows with the number above
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if evidence(middle, n) >= log(2 / alpha) else (middle, high)
    return high


def evidence(above: Array | float, n: Array | int) -> Array:
    """Returns ln M for so many of n values above θ, against a median of at most θ."""
    below = np.subtract(n, above)
    with np.errstate(divide="ignore"):  # next to none above: M is 0
        mean = betaln(above + 1, below + 1) + np.log(betainc(below + 1, above + 1, 0.5))
    found: Array = (np.asarray(n) + 1) * log(2) + mean
    return found


@lru_cache
def fewest_to_decide(pairs: int = 1, alpha: float = ALPHA) -> int:
    """Returns how many seeds may decide each of so many pairs, all at once, if each differs in one way."""
    return next(n for n in range(1, MOST_SEEDS) if fewest_above(n, alpha / max(pairs, 1)) <= n)
