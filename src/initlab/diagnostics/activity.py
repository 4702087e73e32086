"""Measures of each layer's activations over the examples: moments, dead units, saturation, effective rank."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from initlab.activations import ACTIVATIONS
from initlab.diagnostics.spectra import eigenvalues
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
    """Returns the largest |φ'(z)|, on a grid as fine as such a limit needs."""
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
