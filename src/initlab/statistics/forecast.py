"""How many more seeds would decide a pair: futures played through from what the differences so far allow."""

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from initlab.statistics.sequence import excluded
from initlab.types import Array

Counts: TypeAlias = NDArray[np.integer[Any]]

FUTURES = 1000
SHARE = 0.4  # of the futures, plus 1 / n: measured; the half makes forecasts a quarter too late
PRIOR = 0.2  # differences put beforehand into each of the five kinds, one in all
GROWTH = 1.08  # from one look to the next, once a look at every seed would be too slow


def forecast_seeds(
    differences: Array, equal_within: float, alpha: float, most: int = 100_000, seed: int = 0
) -> int | None:
    """Returns after about how many more seeds the pair is likely decided, in any way; None with fewer than
    two differences, or where that would take more than ``most`` seeds in all.

    A difference is of one of five kinds: below the region of equivalence, in it and negative, 0, in it and
    positive, above it. The observed counts allow many values for the five probabilities (a Dirichlet
    posterior); each future draws one, and then further seeds, until it is decided. So the forecast is neither
    sure of a share that few seeds have shown nor blind to it, and assumes no distribution of differences.
    Its median over many sweeps is within a factor of 1.5 of the median of what is really needed once a third
    of that and ten seeds are there; from a smaller part it is a rough guess (`make proof` measures both).
    """
    n = len(differences)
    if not 2 <= n < most:
        return None
    rng, counts = np.random.default_rng(seed), count_kinds(differences, equal_within)
    looks, cuts = looks_after(n, alpha, most)
    shares = rng.dirichlet(counts + PRIOR, FUTURES)
    decided = np.zeros(FUTURES, bool)
    enough = SHARE + 1 / n
    for look, step, cut in zip(looks, np.diff(looks, prepend=n), cuts, strict=True):
        counts = counts + rng.multinomial(step, shares)  # (futures, kinds)
        decided |= decides(counts, cut)
        if decided.mean() >= enough:
            return int(look - n)
    return None


def count_kinds(differences: Array, equal_within: float) -> Counts:
    """Returns how many differences (..., n) are below −e, in [−e, 0), 0, in (0, e], and above e: (..., 5)."""
    near = np.abs(differences) <= equal_within
    negative, positive = differences < 0, differences > 0
    kinds = [negative & ~near, negative & near, differences == 0, positive & near, positive & ~near]
    return np.stack([kind.sum(axis=-1) for kind in kinds], axis=-1)


def decides(counts: Counts, cut: Counts) -> NDArray[np.bool_]:
    """Returns whether the interval that leaves out ``cut`` differences at each end decides, from the counts
    (..., 5) of the five kinds: it is above 0, below 0, or within the region of equivalence.
    """
    below, low, zero, high, above = np.moveaxis(counts, -1, 0)
    better, worse = below + low + zero <= cut, zero + high + above <= cut
    return np.asarray(better | worse | ((below <= cut) & (above <= cut)))


@lru_cache(maxsize=256)
def looks_after(n: int, alpha: float, most: int) -> tuple[Counts, Counts]:
    """Returns the numbers of seeds at which a future is looked at, and what the interval leaves out there."""
    looks = [n]
    while looks[-1] < most:
        looks.append(min(max(looks[-1] + 1, int(looks[-1] * GROWTH)), most))
    return np.array(looks[1:]), excluded(looks[1:], alpha)
