"""Costs of several runs of one name as a line and a band: the median, and what lies around it."""

from collections.abc import Sequence
from math import ceil, floor
from typing import NamedTuple

import numpy as np

from initlab.numerals import FEWEST_FOR_QUARTILES
from initlab.types import Array


class Band(NamedTuple):
    """The costs (n,) of so many runs: their median, and their quartiles or, of fewer than five, extremes.

    A run that diverged has infinite costs from there on. Of one run all three are its costs.
    """

    runs: int
    median: Array
    low: Array
    high: Array

    @property
    def diverged(self) -> bool:
        """Whether the median is not finite at the end."""
        return not np.isfinite(self.median[-1:]).all() or not len(self.median)

    @property
    def finite(self) -> Array:
        """The median up to the first that is not finite."""
        return self.median[np.logical_and.accumulate(np.isfinite(self.median))]


def band_of(costs: Array | Sequence[Array]) -> Band:
    """Returns the band of one run's costs (n,), or of those of several, (S, n) or S of any lengths.

    Of several, a run that is shorter than the longest has diverged.
    """
    runs = [costs] if isinstance(costs, np.ndarray) and costs.ndim == 1 else list(costs)
    table = np.full((len(runs), max(map(len, runs))), np.inf)
    for row, cost in zip(table, runs, strict=True):
        finite = np.logical_and.accumulate(np.isfinite(cost))
        row[: finite.sum()] = np.clip(cost[finite], 1e-12, 1e200)  # what axes can show
    table.sort(axis=0)
    edges = (0.25, 0.75) if len(runs) >= FEWEST_FOR_QUARTILES else (0.0, 1.0)
    return Band(len(runs), *(_quantile(table, share) for share in (0.5, *edges)))


def _quantile(ordered: Array, share: float) -> Array:
    """Returns a quantile of each column, interpolated; between a number and infinity it is infinity."""
    at = share * (len(ordered) - 1)
    low, high = ordered[floor(at)], ordered[ceil(at)]
    with np.errstate(invalid="ignore"):  # between two infinities
        quantile: Array = np.where(low == high, low, low + (at % 1) * (high - low))
    return quantile
