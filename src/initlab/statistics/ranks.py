"""Entrants ranked over several settings, such as datasets or architectures (Demšar 2006).

Demšar 2006, 'Statistical comparisons of classifiers over multiple data sets', JMLR 7.
"""

import itertools
import math
from collections.abc import Hashable, Mapping
from typing import NamedTuple

import numpy as np

from initlab.statistics.signed_ranks import holm
from initlab.types import Array

PERMUTATIONS = 9_999  # where there are no more than that, all of them: the p-value is then exact


class Ranking(NamedTuple):
    """Entrants over ``settings`` settings, the best first; rank 1 is the best value of a setting.

    ``friedman_p`` is the probability of ranks as uneven as these if the entrants did not differ,
    ``chi2`` and ``f`` are its statistics by Friedman and by Iman & Davenport. Average ranks that differ by
    less than ``critical_difference`` could differ by chance; ``alike`` are the largest groups without such
    a difference, the bars of a critical-difference diagram. ``against_best`` has the p-value of each entrant
    but the best, corrected by Holm for all pairs, because which one is best was seen in the data.
    """

    settings: int
    average_ranks: dict[str, float]
    chi2: float
    f: float
    friedman_p: float
    critical_difference: float
    alike: list[tuple[str, ...]]
    against_best: dict[str, float]


def rank_entrants(values: Mapping[str, Mapping[Hashable, float]], alpha: float = 0.05) -> Ranking | None:
    """Returns the ranking of entrants by the value of each in each setting (higher is better; the median
    over seeds, say), over the settings in which all have a value.

    None with fewer than three entrants or two such settings: two entrants are a pair, for which the critical
    difference would not hold.
    """
    common = [s for s in next(iter(values.values()), {}) if all(s in other for other in values.values())]
    if len(values) < 3 or len(common) < 2:
        return None
    ranks = ranks_within(np.array([[by_setting[s] for s in common] for by_setting in values.values()]))
    average = dict(sorted(zip(values, ranks.mean(axis=1).tolist(), strict=True), key=lambda item: item[1]))
    difference = critical_difference(len(values), len(common), alpha)
    return Ranking(
        len(common),
        average,
        *friedman(ranks),
        critical_difference=difference,
        alike=groups_within(average, difference),
        against_best=against_best(average, len(common)),
    )


def ranks_within(values: Array) -> Array:
    """Returns the ranks (k, N) of k entrants within each of N settings; tied ones share their mean rank."""
    from scipy.stats import rankdata

    return np.array(rankdata(-values, axis=0), float)


def friedman(ranks: Array) -> tuple[float, float, float]:
    """Returns Friedman's χ², corrected for ties, Iman & Davenport's F, and the p-value, from ranks (k, N).

    The p-value is that of permuting the ranks within each setting, since the χ² and F distributions are poor
    with as few settings as a sweep has: exact where there are few permutations, else of 9 999 drawn ones.
    """
    from scipy.stats import friedmanchisquare, permutation_test

    entrants, settings = ranks.shape
    if np.all(ranks == ranks[0]):
        return 0.0, 0.0, 1.0
    chi2 = float(friedmanchisquare(*ranks).statistic)
    rest = settings * (entrants - 1) - chi2
    f = (settings - 1) * chi2 / rest if rest > 1e-9 else math.inf

    def unevenness(*columns: Array, axis: int) -> Array:
        return np.asarray(np.sum([column.sum(axis=axis) ** 2 for column in columns], axis=0))

    permuted = permutation_test(
        tuple(ranks),
        unevenness,
        permutation_type="samples",
        alternative="greater",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        rng=np.random.default_rng(0),
    )
    return chi2, float(f), float(permuted.pvalue)


def critical_difference(entrants: int, settings: int, alpha: float = 0.05) -> float:
    """Returns by how much two average ranks must differ so that any pair of all would do so by chance with
    probability ``alpha``: Nemenyi's q √(k (k + 1) / (6 N)), for many settings.
    """
    from scipy.stats import studentized_range

    q = studentized_range.ppf(1 - alpha, entrants, np.inf) / math.sqrt(2)
    return float(q) * rank_error(entrants, settings)


def rank_error(entrants: int, settings: int) -> float:
    """Returns the standard error √(k (k + 1) / (6 N)) of the difference of two average ranks."""
    return math.sqrt(entrants * (entrants + 1) / (6 * settings))


def groups_within(average_ranks: Mapping[str, float], difference: float) -> list[tuple[str, ...]]:
    """Returns the largest groups of two and more whose average ranks are within a difference, best first."""
    names = sorted(average_ranks, key=lambda name: average_ranks[name])
    groups: list[tuple[str, ...]] = []
    for start in range(len(names)):
        limit = average_ranks[names[start]] + difference
        group = tuple(name for name in names[start:] if average_ranks[name] <= limit)
        if len(group) > 1 and not (groups and group[-1] == groups[-1][-1]):
            groups.append(group)
    return groups


def against_best(average_ranks: Mapping[str, float], settings: int) -> dict[str, float]:
    """Returns for each entrant but the best the p-value of their average ranks' difference, by Holm."""
    pairs = list(itertools.combinations(average_ranks, 2))
    corrected = holm([rank_p(average_ranks, pair, settings) for pair in pairs])
    best = min(average_ranks, key=lambda name: average_ranks[name])
    return {
        next(name for name in pair if name != best): p
        for pair, p in zip(pairs, corrected, strict=True)
        if best in pair
    }


def rank_p(average_ranks: Mapping[str, float], pair: tuple[str, str], settings: int) -> float:
    """Returns the two-sided p-value of the difference of two average ranks, by the normal distribution."""
    from scipy.special import ndtr

    first, second = (average_ranks[name] for name in pair)
    z = abs(first - second) / rank_error(len(average_ranks), settings)
    return float(2 * ndtr(-z))
