"""Comparing entrants pair by pair: by how much they differ, how sure that is, and what it comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from initlab.statistics.forecast import more_to_decide
from initlab.statistics.intervals import Interval, share_interval
from initlab.statistics.sequence import ALPHA, median_sequence
from initlab.types import Array

Verdict = Literal["better", "worse", "practically equal", "undecided"]
OPPOSITE: Mapping[Verdict, Verdict] = {"better": "worse", "worse": "better"}
FEWEST_FOR_VARIANCES = 3


@dataclass(frozen=True)
class Pair:
    """Two entrants compared seed by seed, over the ``n`` seeds that both have.

    * ``difference``: the median of first − second, and ``interval`` the confidence sequence around it, which
      holds for all pairs together and may be looked at after every seed
    * ``improvement``: the probability that the first beats the second on a seed, a tie counting one half,
      with its 95 % ``improvement_interval`` (for this pair alone)
    * ``p_value``: of Wilcoxon's signed-rank test, with Holm's correction for all pairs
    * ``variance_ratio``: how many times the variance of the difference would be if the seeds were not shared
    * ``verdict``: what the first is to the second: better, worse, practically equal, or undecided
    * ``more_seeds``: about how many more seeds would decide; 0 if decided, None where that cannot be told
    """

    first: str
    second: str
    n: int
    difference: float
    interval: Interval
    improvement: float
    improvement_interval: Interval
    p_value: float
    variance_ratio: float | None
    verdict: Verdict
    more_seeds: int | None

    def seen_from(self, name: str) -> "Pair":
        """Returns the pair with the entrant of that name first."""
        if name == self.first:
            return self
        low, high = self.improvement_interval
        return replace(
            self,
            first=self.second,
            second=self.first,
            difference=-self.difference,
            interval=Interval(-self.interval.high, -self.interval.low),
            improvement=1 - self.improvement,
            improvement_interval=Interval(1 - high, 1 - low),
            verdict=OPPOSITE.get(self.verdict, self.verdict),
        )


def compare_pairs(
    values: Mapping[str, Mapping[int, float]], equal_within: float, alpha: float = ALPHA
) -> list[Pair]:
    """Returns every pair of entrants, compared over the seeds that both have.

    ``values`` holds by entrant its value by seed, where more is better. The intervals hold for all pairs at
    once: each takes its part of ``alpha`` (Bonferroni). A pair is practically equal where its interval lies
    within −``equal_within`` and ``equal_within``, and else better or worse where it does not hold 0. Pairs
    without a common seed are left out.
    """
    names = [
        (first, second) for first, second in combinations(values, 2) if values[first].keys() & values[second]
    ]
    share = alpha / max(len(names), 1)
    pairs = [_pair(first, second, values, equal_within, share) for first, second in names]
    corrected = holm([pair.p_value for pair in pairs])
    return [replace(pair, p_value=p_value) for pair, p_value in zip(pairs, corrected, strict=True)]


def _pair(
    first: str, second: str, values: Mapping[str, Mapping[int, float]], equal_within: float, alpha: float
) -> Pair:
    seeds = sorted(values[first].keys() & values[second].keys())
    x, y = (np.array([values[name][seed] for seed in seeds]) for name in (first, second))
    differences = differences_of(x, y)
    interval = median_sequence(differences, alpha)
    wins = float(np.sum(differences > 0) + np.sum(differences == 0) / 2)
    verdict = verdict_of(interval, equal_within)
    undecided = verdict == "undecided"
    return Pair(
        first,
        second,
        len(seeds),
        middle_of(differences),
        interval,
        wins / len(seeds),
        share_interval(wins, len(seeds)),
        signed_rank_p(differences),
        variance_ratio(x, y),
        verdict,
        more_to_decide(differences, equal_within, alpha) if undecided else 0,
    )


def differences_of(x: Array, y: Array) -> Array:
    """Returns x − y of paired values (n,), 0 where both are the same infinity."""
    same = x == y
    differences: Array = np.where(same, 0.0, np.where(same, 0.0, x) - np.where(same, 0.0, y))
    return differences


def middle_of(values: Array) -> float:
    """Returns the median of values (n,); the lower of two in the middle that are opposite infinities."""
    ordered = np.sort(values)
    low, high = float(ordered[(len(values) - 1) // 2]), float(ordered[len(values) // 2])
    return low if np.isinf(low) or np.isinf(high) else (low + high) / 2


def verdict_of(interval: Interval, equal_within: float) -> Verdict:
    """Returns what a difference with that interval comes to."""
    if -equal_within <= interval.low and interval.high <= equal_within:
        return "practically equal"
    if interval.low > 0:
        return "better"
    return "worse" if interval.high < 0 else "undecided"


def signed_rank_p(differences: Array) -> float:
    """Returns the two-sided p-value of Wilcoxon's signed-rank test (1945) that differences (n,) lie around 0.

    Zeros are ranked and then dropped (Pratt 1959). An infinite difference has the highest rank.
    """
    from scipy.stats import rankdata, wilcoxon

    if not differences.any():
        return 1.0
    ranks = rankdata(np.abs(differences)) * np.sign(differences)
    return float(wilcoxon(ranks, zero_method="pratt").pvalue)


def variance_ratio(x: Array, y: Array) -> float | None:
    """Returns Var(x) + Var(y), the variance of a difference of values that are not paired, over
    Var(x − y); None for fewer than three pairs, infinite values, or differences that do not vary.
    """
    if len(x) < FEWEST_FOR_VARIANCES or not np.isfinite([x, y]).all() or np.ptp(x - y) == 0:
        return None
    return float((x.var() + y.var()) / (x - y).var())


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p-values with Holm's correction (1979): that of the i-th smallest of m is m − i + 1 times as
    large, at least that of the one before, and 1 at most.
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, float)[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(one) for one in corrected]
