"""Wilcoxon's signed-rank test of paired differences, and Holm's correction for several tests."""

from collections.abc import Sequence

import numpy as np

from initlab.types import Array

MOST_EXACT = 50  # seeds; of more the normal distribution is near enough


def signed_rank_p(differences: Array) -> float | None:
    """Returns the two-sided p-value that the differences are symmetric about 0; None without one.

    Only their order counts, so an infinite difference is the largest. Ties and zeros: ranks are averaged, a
    zero has its rank and no sign (Pratt 1959). The p-value is exact up to 50 seeds, by the normal
    distribution beyond. It holds for a number of seeds fixed beforehand.
    """
    from scipy.stats import rankdata, wilcoxon

    if not len(differences):
        return None
    if not np.any(differences):
        return 1.0
    if len(differences) <= MOST_EXACT:
        return exact_p(differences)
    ranks = np.sign(differences) * rankdata(np.abs(differences), "dense")
    return float(wilcoxon(ranks, zero_method="pratt", method="approx").pvalue)


def exact_p(differences: Array) -> float:
    """Returns the p-value over all equally likely signs of the differences (n,), by the distribution of the
    sum of the positive ones' ranks: O(n³), where SciPy's permutations for tied ranks are 2ⁿ.
    """
    from scipy.stats import rankdata

    halves = np.rint(2 * rankdata(np.abs(differences))).astype(int)  # ranks of ties end in .5
    chances = np.ones(1)  # of each sum of ranks, in halves
    for rank in halves[differences != 0]:
        with_it = np.zeros(len(chances) + rank)
        with_it[: len(chances)] += chances / 2
        with_it[rank:] += chances / 2
        chances = with_it
    found = halves[differences > 0].sum()
    return min(1.0, 2 * float(min(chances[: found + 1].sum(), chances[found:].sum())))


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns the p-values of several tests corrected so that any false alarm has the probability said.

    Holm 1979, 'A simple sequentially rejective multiple test procedure'.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(np.asarray(p_values)[order] * factors), 1)
    return [float(p) for p in corrected]
