"""Measures of each layer's units over the examples: moments, dead units, saturation, effective rank, and
similarity: of units whose symmetry is not broken, and of inputs that a layer cannot tell apart.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initlab.activations import ACTIVATIONS
from initlab.diagnostics.derivatives import eigenvalues
from initlab.training.step import Step, by_layer
from initlab.types import Array

# The slope of a saturated unit relative to the largest; a probability has it at 0.001 from 0 or 1.
SATURATED = 0.004


def activation_mean(step: Step) -> dict[str, Array]:
    """Returns the mean of each layer's activations over its units and all examples."""
    return by_layer(step.means[0].T)


def activation_mean_square(step: Step) -> dict[str, Array]:
    """Returns the mean square of each layer's activations over its units and all examples, the length of the
    signal that mean-field theory follows (Poole et al. 2016, arXiv:1606.05340).
    """
    return by_layer(step.means[1].T)


def activation_std(step: Step) -> dict[str, Array]:
    """Returns the standard deviation of each layer's activations over its units and all examples."""
    return by_layer(np.sqrt(step.variances).T)


def dead_units(step: Step) -> dict[str, Array]:
    """Returns for each hidden layer of ReLUs the share of its units that are 0 for every example."""
    if not step.network.activation.rectifies:
        return {}
    # What is never negative adds up to 0 only if all of it is 0. ``values`` leave out what a residual adds.
    sums = [np.add.reduce(a, axis=-1) for a in step.tape.values]
    return by_layer([np.add.reduce(of_units == 0, axis=-1) / of_units.shape[-1] for of_units in sums])


def saturation(step: Step) -> dict[str, Array]:
    """Returns the share of each layer's units × examples that hardly learn: their slope φ'(z) is less than
    SATURATED times the largest that φ has.

    The slope of answers that are probabilities is p (1 − p), so they count within 0.001 of 0 or 1; other
    answers are left out. ReLUs count as never saturated: ``dead_units`` tells of theirs.
    """
    shares = [_flat_share(step, layer) for layer in range(len(step.tape.hidden))]
    if step.network.output.classifies:
        p = step.activations[-1]
        shares.append(_share(p * (1 - p) < SATURATED / 4))
    return by_layer(shares)


def _flat_share(step: Step, layer: int) -> Array:
    z, a = step.tape.z[layer], step.tape.values[layer]
    if step.network.activation.rectifies:
        return np.zeros(len(a), a.dtype)
    slope = np.empty_like(a)
    step.network.activation.derivative(z, a, slope)
    limit = SATURATED * _largest_slope(step.network.activation_name)
    return _share(np.abs(slope) < limit)


def _share(which: NDArray[np.bool_]) -> Array:
    share: Array = np.count_nonzero(which, axis=(-2, -1)) / (which.shape[-2] * which.shape[-1])
    return share


@lru_cache(maxsize=32)
def _largest_slope(name: str) -> float:
    """Returns the largest |φ'(z)|, on a grid as fine as such a limit needs; of the exponential, which has
    none, the one at 0.
    """
    if name == "exponential":
        return 1.0
    z = np.linspace(-10, 10, 4001)
    a, slope = np.empty_like(z), np.empty_like(z)
    ACTIVATIONS[name].value(z, a)
    ACTIVATIONS[name].derivative(z, a, slope)
    return float(np.max(np.abs(slope)))


def effective_rank(step: Step) -> dict[str, Array]:
    """Returns how many directions each hidden layer's activations fill, 1 to n_l, 0 where all are 0: exp of
    the entropy of their singular values, made to add up to 1 (Roy & Vetterli 2007).
    """
    return by_layer([_effective_rank(a) for a in step.tape.hidden])


def _effective_rank(a: Array) -> Array:
    rows = a if a.shape[-2] <= a.shape[-1] else a.mT
    squares = eigenvalues(np.matmul(rows, rows.mT))
    largest = squares[..., -1:]
    # The root of an eigenvalue's rounding error is not small.
    rounding = rows.shape[-2] * np.finfo(squares.dtype).eps * largest
    values = np.sqrt(np.where(squares <= rounding, 0, squares))
    shares = values / np.sum(values, axis=-1, keepdims=True)
    entropy = -np.sum(shares * np.log(np.where(shares == 0, 1, shares)), axis=-1)
    return np.where(largest[..., 0] == 0, 0, np.exp(entropy))


def distinct_units(step: Step) -> dict[str, Array]:
    """Returns for each hidden layer how many different units it has: 1 where symmetry was never broken.

    Two units are the same when their weights and bias differ by no more than rounding may have moved
    them apart: 1e-7 of the larger one's norm, or 1000 ε where the precision ε of the numbers is coarser.
    Of the last layer of a residual branch that is what it adds, not what it adds to.
    """
    return by_layer([_count_distinct_rows(block) for block in step.blocks[:-1]])


def unit_similarity(step: Step) -> dict[str, Array]:
    """Returns for each hidden layer the mean |cosine| of the angle between the weights (bias included) of
    two of its units: 1 where symmetry was never broken, NaN for a layer of one unit.
    """
    return by_layer([_mean_cosine_of_rows(block) for block in step.blocks[:-1]])


def input_correlation(step: Step) -> dict[str, Array]:
    """Returns the mean cosine of the angle between the activations of two examples, each and the next one,
    after each layer: 1 where the layer can no longer tell its inputs apart (Poole et al. 2016,
    arXiv:1606.05340). The last layer's are its pre-activations.
    """
    return by_layer([_mean_cosine_of_neighbours(a) for a in (*step.tape.hidden, step.tape.output.z)])


def _count_distinct_rows(block: Array) -> Array:
    tolerance = max(1e-7, 1000 * float(np.finfo(block.dtype).eps))
    distinct = np.full(len(block), float(block.shape[-2]))
    # Seen along one direction, rows are never farther apart than they are: all pairs need be
    # compared only where two look close.
    seen = np.sort(np.matmul(block, _direction(block.shape[-1], block.dtype)), axis=-1)
    closest = np.minimum.reduce(seen[:, 1:] - seen[:, :-1], axis=-1, initial=np.inf)
    largest = np.maximum.reduce(np.vecdot(block, block), axis=-1)
    suspects = np.flatnonzero(~(closest > 2 * tolerance * np.sqrt(largest)))
    if suspects.size:
        distinct[suspects] = _compare_all_pairs(block[suspects].astype(np.float64), tolerance)
    return distinct


@lru_cache(maxsize=32)
def _direction(n: int, dtype: Any) -> Array:
    direction = np.random.RandomState(0).standard_normal(n)
    return (direction / np.linalg.norm(direction)).astype(dtype)


def _compare_all_pairs(rows: Array, tolerance: float) -> Array:
    products = np.matmul(rows, rows.mT)
    squares = np.diagonal(products, axis1=-2, axis2=-1)
    distances = squares[..., :, np.newaxis] + squares[..., np.newaxis, :] - 2 * products
    larger = np.maximum(squares[..., :, np.newaxis], squares[..., np.newaxis, :])
    same = distances <= tolerance**2 * larger
    repeats_an_earlier_row = np.tril(same, -1).any(axis=-1)
    distinct: Array = np.sum(~repeats_an_earlier_row, axis=-1).astype(np.float64)
    return distinct


def _mean_cosine_of_rows(block: Array) -> Array:
    products = np.matmul(block, block.mT)
    squares = np.diagonal(products, axis1=-2, axis2=-1)
    cosines = np.abs(_cosines(products, squares[..., :, np.newaxis], squares[..., np.newaxis, :]))
    n = block.shape[-2]
    itself = np.trace(cosines, axis1=-2, axis2=-1)
    mean: Array = (np.sum(cosines, axis=(-2, -1)) - itself) / (n * (n - 1))
    return mean


def _mean_cosine_of_neighbours(a: Array) -> Array:
    squares = np.add.reduce(np.square(a), axis=-2)
    products = np.add.reduce(a[..., 1:] * a[..., :-1], axis=-2)
    cosines = _cosines(products, squares[..., 1:], squares[..., :-1])
    mean: Array = np.add.reduce(cosines, axis=-1) / cosines.shape[-1]
    return mean


def _cosines(products: Array, squares: Array, other_squares: Array) -> Array:
    """Returns cosines from inner products and squared lengths; of two vectors of 0, which are alike, 1."""
    lengths = np.sqrt(squares) * np.sqrt(other_squares)
    alike = (squares == other_squares).astype(products.dtype)
    cosines: Array = np.divide(products, lengths, out=alike, where=lengths != 0)
    return cosines
