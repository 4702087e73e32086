"""How the network's outputs (pre-activations of the last layer) answer to its inputs and its parameters.

Both are asked of the function of one input that a network is: batch normalization's statistics, those of the
examples that are looked at, are held fixed.
"""

from collections.abc import Callable, Iterator

import numpy as np

from initlab.networks.network import Network
from initlab.networks.tape import Tape
from initlab.training.step import Step
from initlab.types import Array

EXAMPLES = 64  # the first
ROWS = 64  # examples × outputs of the tangent kernel at most; the examples are the first


def jacobian(step: Step) -> dict[str, Array]:
    """Returns the ``largest``, ``smallest`` and ``mean`` singular value of the Jacobian (n_y, n_x) of the
    outputs by the inputs, each the mean over the first EXAMPLES examples.

    All near 1 is dynamical isometry (Saxe et al. 2013, arXiv:1312.6120; Pennington et al. 2017,
    arXiv:1711.04735).
    """
    parameters, X1, _ = step.first(EXAMPLES)
    values = singular_values(input_jacobians(step.network, parameters, X1))
    return {
        "largest": np.mean(values[..., 0], axis=-1),
        "smallest": np.mean(values[..., -1], axis=-1),
        "mean": np.mean(values, axis=(-2, -1)),
    }


def input_jacobians(network: Network, parameters: Array, X1: Array) -> Array:
    """Returns the derivative of the outputs by the inputs at every example, (R, m, n_y, n_x)."""
    by_output = [
        np.matmul(tape.linears[0].W_T, tape.linears[0].delta) for tape in _backwards(network, parameters, X1)
    ]
    return np.moveaxis(np.stack(by_output, axis=1), -1, 1)


def tangent_kernel(step: Step) -> dict[str, Array]:
    """Returns the ``top`` (largest) eigenvalue of the tangent kernel, and its ``condition``, the ratio of the
    largest eigenvalue to the smallest: how unevenly gradient descent fits the examples (Jacot et al. 2018,
    arXiv:1806.07572).

    A kernel that is singular to rounding has condition 1/ε.
    """
    parameters, X1, _ = step.first(max(1, ROWS // step.network.sizes[-1]))
    values = eigenvalues(kernel_matrix(step.network, parameters, X1))
    top = values[:, -1]
    return {"top": top, "condition": top / np.maximum(values[:, 0], np.finfo(np.float64).eps * top)}


def kernel_matrix(network: Network, parameters: Array, X1: Array) -> Array:
    """Returns the inner products of the gradients of the outputs (pre-activations) by all trained parameters,
    for all pairs of outputs and examples, (R, n_y m, n_y m).

    A gradient by a linear layer's parameters is δ aᵀ, so an inner product of two is that of the δ times that
    of the layer's inputs a. Gains and shifts have the gradients δ ŷ and δ, ŷ being what is normalized, and
    scalars have sums over units.
    """
    n_y, m = network.sizes[-1], X1.shape[-1]
    linear: list[list[Array]] = [[] for _ in network.shapes]
    scales: list[list[Array]] = [[] for _ in network.normalizations(parameters)]
    of_scalars: list[Array] = []
    for tape in _backwards(network, parameters, X1):
        for found, layer in zip(linear, tape.linears, strict=True):
            found.append(layer.delta.copy())
        for found, norm in zip(scales, tape.normalizations, strict=True):
            found.append(np.concatenate([norm.delta * norm.normal, norm.delta], axis=-2))
        if tape.scalars:
            of_scalars.append(np.concatenate([layer.by_example() for layer in tape.scalars], axis=-2))
    if of_scalars:
        scales.append(of_scalars)
    total = np.zeros((len(parameters), n_y * m, n_y * m))
    for found, a in zip(linear, tape.inputs, strict=True):
        total += _products(found) * np.tile(np.matmul(a.mT, a), (n_y, n_y))
    for found in scales:
        total += _products(found)
    return total


def _products(by_output: list[Array]) -> Array:
    """Returns the inner products (R, n_y m, n_y m) of columns (R, n, m), for each output."""
    columns = np.concatenate(by_output, axis=-1)
    products: Array = np.matmul(columns.mT, columns)
    return products


def _backwards(network: Network, parameters: Array, X1: Array) -> Iterator[Tape]:
    """Yields a tape on which each output's derivative by itself, at every example, has gone back in turn."""
    tape = Tape(network, parameters, X1.shape[-1], statistics="held")
    tape.read(X1)
    tape.forward()
    for output in range(network.sizes[-1]):
        tape.output.delta[:] = 0
        tape.output.delta[:, output] = 1
        tape.propagate_back()
        yield tape


def eigenvalues(matrices: Array) -> Array:
    """Returns the eigenvalues (…, n), rising, of symmetric matrices (…, n, n): NaN where not finite."""
    return _of_finite(np.linalg.eigvalsh, matrices)


def singular_values(matrices: Array) -> Array:
    """Returns the singular values (…, min(n, k)), falling, of matrices (…, n, k): NaN where not finite."""
    return _of_finite(np.linalg.svdvals, matrices)


def _of_finite(values_of: Callable[[Array], Array], matrices: Array) -> Array:
    finite = np.all(np.isfinite(matrices), axis=(-2, -1), keepdims=True)
    values = values_of(np.where(finite, matrices, 0))
    return np.where(finite[..., 0], values, np.nan)
