"""Every pair of starts, compared seed by seed, with one of three verdicts."""

import itertools
import math
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from initlab.statistics.differences import differences, paired_values, variance_factor
from initlab.statistics.forecast import forecast_seeds
from initlab.statistics.improvement import Improvement, improvement
from initlab.statistics.intervals import Interval, median
from initlab.statistics.sequence import median_sequence
from initlab.statistics.signed_ranks import holm, signed_rank_p
from initlab.types import Array

Verdict: TypeAlias = Literal["better", "worse", "practically equal", "undecided"]
Values: TypeAlias = Mapping[int, float]
OPPOSITE: Mapping[Verdict, Verdict] = {"better": "worse", "worse": "better"}


class Pair(NamedTuple):
    """Two starts on the ``n`` seeds that both have; every number is about first − second, seed by seed.

    ``interval`` holds the median difference, for all pairs and at every number of seeds at once, with
    probability 1 − α. ``wilcoxon_p`` is corrected for the number of pairs (Holm), but holds only for a
    number of seeds that was fixed beforehand; so does ``improvement``, for one pair. What cannot be computed
    is None: the median, the improvement and the p-value without a common seed, and ``more_seeds`` unless the
    pair is undecided and a number can be told.
    """

    first: str
    second: str
    n: int
    median_difference: float | None
    interval: Interval
    improvement: Improvement | None
    wilcoxon_p: float | None
    variance_factor: float | None
    verdict: Verdict
    more_seeds: int | None

    def seen_from(self, name: str) -> "Pair":
        """Returns the pair with the entrant of that name first, and every number about it − the other."""
        if name == self.first:
            return self
        low, high = self.interval
        median_difference, wins = self.median_difference, self.improvement
        return self._replace(
            first=self.second,
            second=self.first,
            median_difference=None if median_difference is None else -median_difference,
            interval=(-high, -low),
            improvement=wins and Improvement(1 - wins.probability, 1 - wins.high, 1 - wins.low),
            verdict=OPPOSITE.get(self.verdict, self.verdict),
        )


def compare_pairs(values: Mapping[str, Values], equal_within: float, alpha: float = 0.05) -> list[Pair]:
    """Returns every pair of entrants, in their order, compared on the seeds that both have.

    ``values`` are by entrant and seed, higher is better, −∞ where a run diverged. Medians that differ by at
    most ``equal_within`` are practically equal. ``alpha`` is the probability that any verdict of any pair is
    ever wrong: each pair has the share alpha / number of pairs of it (Bonferroni).
    Raises ValueError if a value is not a number, ``equal_within`` is negative or ``alpha`` not in (0, 1).
    """
    check(values, equal_within, alpha)
    names = list(itertools.combinations(values, 2))
    share = alpha / max(len(names), 1)
    pairs = [
        compare(first, second, *paired_values(values[first], values[second]), equal_within, share)
        for first, second in names
    ]
    tested = [pair.wilcoxon_p for pair in pairs if pair.wilcoxon_p is not None]
    corrected = iter(holm(tested))
    return [p if p.wilcoxon_p is None else p._replace(wilcoxon_p=next(corrected)) for p in pairs]


def compare(first: str, second: str, X: Array, Y: Array, equal_within: float, alpha: float) -> Pair:
    """Returns two entrants, named, compared by their values (n,) on the same seeds; no other pair counts."""
    found = differences(X, Y)
    interval = median_sequence(found, alpha)
    verdict = verdict_on(interval, equal_within)
    undecided = verdict == "undecided"
    return Pair(
        first,
        second,
        n=len(found),
        median_difference=median(found) if len(found) else None,
        interval=interval,
        improvement=improvement(found),
        wilcoxon_p=signed_rank_p(found),
        variance_factor=variance_factor(X, Y),
        verdict=verdict,
        more_seeds=forecast_seeds(found, equal_within, alpha) if undecided else None,
    )


def verdict_on(interval: Interval, equal_within: float) -> Verdict:
    """Returns what an interval for the median difference says of the first.

    An interval within the region of equivalence makes both practically equal, also where it leaves out 0: the
    difference is then real and too small to matter.
    """
    low, high = interval
    if -equal_within <= low and high <= equal_within:
        return "practically equal"
    if low > 0:
        return "better"
    return "worse" if high < 0 else "undecided"


def check(values: Mapping[str, Values], equal_within: float, alpha: float) -> None:
    """Raises ValueError, in one line, where a comparison cannot be made of what is given."""
    for name, by_seed in values.items():
        for seed, value in by_seed.items():
            if math.isnan(value):
                raise ValueError(f"{name}, seed {seed}: nan is no value; a diverged run counts as -inf")
    if not 0 <= equal_within < math.inf:
        raise ValueError(f"equal_within={equal_within}: must be 0 or a positive number")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha}: must be between 0 and 1")
