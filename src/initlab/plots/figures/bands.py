"""Curves of several runs as one: their median and what lies around it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from initlab.types import Array

FEWEST_FOR_QUARTILES = 5  # of fewer runs the band holds all


class Band(NamedTuple):
    """The median of several curves (n,) and the edges of a band around it, quartiles or extremes."""

    median: Array
    low: Array
    high: Array


def band_of(curves: Sequence[Array]) -> Band:
    """Returns the median and the band of curves (n_i,). One that ends before the others has diverged, so it
    is infinite from there on. A lone curve is its own band.
    """
    if len(curves) == 1:
        return Band(curves[0], curves[0], curves[0])
    table = np.full((len(curves), max(map(len, curves))), np.inf)
    for row, curve in zip(table, curves, strict=True):
        row[: len(curve)] = np.where(np.isfinite(curve), curve, np.inf)
    table.sort(axis=0)
    edges = (0.25, 0.75) if len(curves) >= FEWEST_FOR_QUARTILES else (0.0, 1.0)
    return Band(*(_quantile(table, share) for share in (0.5, *edges)))


def _quantile(ordered: Array, share: float) -> Array:
    """Returns a quantile of the columns by linear interpolation; next to an infinity it is that infinity."""
    at = share * (len(ordered) - 1)
    low, high = ordered[int(np.floor(at))], ordered[int(np.ceil(at))]
    with np.errstate(invalid="ignore"):
        between: Array = low + at % 1 * (high - low)
    return np.where(low == high, low, between)
