"""Wilcoxon's signed-rank test of paired differences, and Holm's correction for several tests."""

from collections.abc import Sequence

import numpy as np

from initlab.types import Array


def signed_rank_p(differences: Array) -> float | None:
    """Returns the two-sided p-value that the differences are symmetric about 0; None without one.

    Only their order counts, so an infinite difference is the largest. Ties and zeros: ranks are averaged, a
    zero has its rank and no sign (Pratt 1959). The p-value is exact up to 50 seeds without ties or zeros and
    up to 13 with them, by the normal distribution beyond. It holds for a number of seeds fixed beforehand.
    """
    from scipy.stats import rankdata, wilcoxon

    if not len(differences):
        return None
    if not np.any(differences):
        return 1.0
    ranks = np.sign(differences) * rankdata(np.abs(differences), "dense")
    return float(wilcoxon(ranks, zero_method="pratt").pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns the p-values of several tests corrected so that any false alarm has the probability said.

    Holm 1979, 'A simple sequentially rejective multiple test procedure'.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(np.asarray(p_values)[order] * factors), 1)
    return [float(p) for p in corrected]
