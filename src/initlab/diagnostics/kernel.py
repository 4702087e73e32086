"""The neural tangent kernel of a step's parameters (Jacot et al. 2018, arXiv:1806.07572)."""

import numpy as np

from initlab.diagnostics.derivatives import output_slopes
from initlab.diagnostics.spectra import eigenvalues
from initlab.networks.network import Network
from initlab.training.step import Step
from initlab.types import Array

ROWS = 64  # examples × outputs at most; the examples are the first


def tangent_kernel(step: Step) -> dict[str, Array]:
    """Returns the ``top`` (largest) eigenvalue of the tangent kernel, and its ``condition``, the ratio of the
    largest eigenvalue to the smallest: how unevenly gradient descent fits the examples.

    A kernel that is singular to rounding has condition 1/ε.
    """
    parameters, X1, _ = step.first(max(1, ROWS // step.network.sizes[-1]))
    values = eigenvalues(kernel_matrix(step.network, parameters, X1))
    top = values[:, -1]
    return {"top": top, "condition": top / np.maximum(values[:, 0], np.finfo(np.float64).eps * top)}


def kernel_matrix(network: Network, parameters: Array, X1: Array) -> Array:
    """Returns the inner products of the gradients of the outputs (pre-activations) by all parameters, for all
    pairs of outputs and examples, (R, n_y m, n_y m).

    A gradient by a layer's parameters is δ aᵀ, so an inner product of two is that of the δ times that of
    the layer's inputs a.
    """
    arrays, slopes = output_slopes(network, parameters, X1)
    n_y, m = network.sizes[-1], X1.shape[-1]
    total = np.zeros((len(parameters), n_y * m, n_y * m))
    for of_layer, a in zip(slopes, arrays.inputs, strict=True):
        rows = of_layer.swapaxes(1, 2).reshape(len(parameters), -1, n_y * m)
        total += np.matmul(rows.mT, rows) * np.tile(np.matmul(a.mT, a), (n_y, n_y))
    return total
