"""At which iterations ``tracking.every=log`` logs: ``history.npz`` holds them all."""

import numpy as np
from numpy.typing import NDArray

DENSE, SPARSE = 100, 1000


def logged_steps(iterations: int) -> NDArray[np.int64]:
    """Returns which of so many iterations are logged, in rising order: every one up to 100, then at most 1000
    that are log-spaced, the last one included.
    """
    dense = np.arange(min(iterations, DENSE + 1))
    spaced = np.geomspace(DENSE, max(iterations - 1, DENSE), SPARSE).round().astype(np.int64)
    return np.unique(np.concatenate([dense, spaced[spaced < iterations]]))


def logged_among(measured: NDArray[np.int64], iterations: int, cut_short: bool = False) -> NDArray[np.int64]:
    """Returns at which of the iterations that something is measured at, in rising order, it is logged: for
    each that is logged at that or the next one, and at the last unless the run was ``cut_short`` there.
    """
    at = np.searchsorted(measured, logged_steps(iterations))
    at = at[at < len(measured)] if cut_short or not len(measured) else np.minimum(at, len(measured) - 1)
    return measured[np.unique(at)]
