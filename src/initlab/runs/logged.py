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
