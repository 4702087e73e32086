"""Eigenvalues and singular values of stacks of matrices, some of which may not be finite."""

from collections.abc import Callable

import numpy as np

from initlab.types import Array


def eigenvalues(matrices: Array) -> Array:
    """Returns the eigenvalues (…, n), in rising order, of symmetric matrices (…, n, n): NaN where a matrix
    is not finite.
    """
    return _of_finite(np.linalg.eigvalsh, matrices)


def singular_values(matrices: Array) -> Array:
    """Returns the singular values (…, min(n, k)), in falling order, of matrices (…, n, k): NaN where a
    matrix is not finite.
    """
    return _of_finite(np.linalg.svdvals, matrices)


def _of_finite(values_of: Callable[[Array], Array], matrices: Array) -> Array:
    finite = np.all(np.isfinite(matrices), axis=(-2, -1), keepdims=True)
    values = values_of(np.where(finite, matrices, 0))
    return np.where(finite[..., 0], values, np.nan)
