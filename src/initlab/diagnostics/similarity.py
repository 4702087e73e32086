"""Similarity: of units whose symmetry is not broken, and of inputs that a layer cannot tell apart."""

from functools import lru_cache
from typing import Any

import numpy as np

from initlab.training.step import Step, by_layer
from initlab.types import Array


def distinct_units(step: Step) -> dict[str, Array]:
    """Returns for each hidden layer how many different units it has: 1 where symmetry was never broken.

    Two units are the same when their weights and bias differ by no more than rounding may have moved
    them apart: 1e-7 of the larger one's norm, or 1000 ε where the precision ε of the numbers is coarser.
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
