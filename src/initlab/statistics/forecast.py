"""How many more seeds would decide a pair, by what has been seen of it."""

from functools import lru_cache
from math import log

import numpy as np
from scipy.special import betaincinv

from initlab.statistics.sequence import MOST_SEEDS, evidence
from initlab.types import Array

QUANTILE = 0.6
"""Of what is believed of a share. The median would forecast too many: whoever asks is undecided so far, often
by bad luck. With 0.6 the median forecast after 20 seeds is 0.9 to 1.2 of the seeds that were really needed,
where that were at most 160; it is less where one needs hundreds (``make proof``).
"""


def more_to_decide(differences: Array, equal_within: float, alpha: float) -> int | None:
    """Returns about how many more seeds the confidence sequence needs to decide, whichever way comes first.

    ``differences`` (n,) are those seen so far. None if more than 100,000 seeds would not decide.
    """
    n = len(differences)
    inside = min(np.sum(differences <= equal_within), np.sum(differences >= -equal_within))
    counts = (np.sum(differences > 0), np.sum(differences < 0), inside)
    needed = min(seeds_needed(int(count), n, alpha) for count in counts)
    return None if needed > MOST_SEEDS else max(1, needed - n)


@lru_cache(maxsize=10_000)
def seeds_needed(above: int, n: int, alpha: float) -> int:
    """Returns after how many seeds a number is expected to be excluded as the median, if ``above`` of n
    values lay above it; more than MOST_SEEDS if it never is.

    The share of the values to come is the 60 % quantile of its posterior (Jeffreys' prior).
    """
    share = float(betaincinv(above + 0.5, n - above + 0.5, QUANTILE))
    if share <= 0.5:
        return MOST_SEEDS + 1
    low, high = 0, MOST_SEEDS + 1
    while high - low > 1:
        middle = (low + high) // 2
        enough = float(evidence(share * middle, middle)) >= log(2 / alpha)
        low, high = (low, middle) if enough else (middle, high)
    return high
