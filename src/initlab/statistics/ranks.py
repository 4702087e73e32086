"""Entrants over several settings: their average ranks, and which of them differ (Demšar 2006)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np

from initlab.statistics.pairs import holm


@dataclass(frozen=True)
class Ranking:
    """Entrants ranked in each of several settings, 1 for the best, ties sharing the mean of their ranks.

    * ``ranks``: the average rank by entrant, the best first
    * ``settings``: how many settings were ranked
    * ``p_value``: of Friedman's test (1937), by Iman & Davenport's F (1980), that all entrants are alike
    * ``critical_difference``: average ranks further apart differ, of all pairs together at 5 % (Nemenyi 1963)
    * ``p_values``: of each pair's difference in rank, by its names, with Holm's correction
    """

    ranks: Mapping[str, float]
    settings: int
    p_value: float
    critical_difference: float
    p_values: Mapping[tuple[str, str], float]


def average_ranks(values: Mapping[str, Sequence[float]], alpha: float = 0.05) -> Ranking:
    """Returns the ranking of at least two entrants, each with a value in each of at least two settings.

    More is better. (Demšar 2006, "Statistical comparisons of classifiers over multiple data sets", JMLR 7.)
    """
    from scipy.stats import norm, rankdata, studentized_range

    table = np.array(list(values.values()), float)  # (k, N)
    k, n = table.shape
    if k < 2 or n < 2:
        raise ValueError(f"ranks need at least 2 entrants in 2 settings; there are {k} in {n}")
    means = rankdata(-table, axis=0).mean(axis=1)
    error = sqrt(k * (k + 1) / (6 * n))
    order = np.argsort(means, kind="stable")
    names = [list(values)[i] for i in order]
    ranks = {name: float(means[i]) for name, i in zip(names, order, strict=True)}
    pairs = list(combinations(names, 2))
    p_values = holm([float(2 * norm.sf(abs(ranks[a] - ranks[b]) / error)) for a, b in pairs])
    q = float(studentized_range.ppf(1 - alpha, k, np.inf)) / sqrt(2)
    return Ranking(ranks, n, friedman_p(means, n), q * error, dict(zip(pairs, p_values, strict=True)))


def friedman_p(means: Sequence[float], n: int) -> float:
    """Returns the p-value of Friedman's test of average ranks (k,) over n settings, by Iman & Davenport."""
    from scipy.stats import f

    k = len(means)
    chi2 = 12 * n / (k * (k + 1)) * (float(np.sum(np.square(means))) - k * (k + 1) ** 2 / 4)
    left = n * (k - 1) - chi2
    if left <= 1e-12:  # all settings agree
        return 0.0
    return float(f.sf((n - 1) * chi2 / left, k - 1, (k - 1) * (n - 1)))
