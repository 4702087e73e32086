"""Derivatives of the network's outputs (the last layer's pre-activations) by its inputs and its layers."""

import numpy as np

from initlab.diagnostics.spectra import singular_values
from initlab.networks.network import Network, Pass, forward, propagate_back
from initlab.training.step import Step
from initlab.types import Array

EXAMPLES = 64  # the first


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
    _, slopes = output_slopes(network, parameters, X1)
    W = network.blocks(parameters)[0][:, np.newaxis, :, :-1]
    return np.moveaxis(np.matmul(W.mT, slopes[0]), -1, 1)


def output_slopes(network: Network, parameters: Array, X1: Array) -> tuple[Pass, list[Array]]:
    """Returns a pass over the examples X1, and for each layer l the derivative of every output by its
    pre-activations, (R, n_y, n_l, m).
    """
    arrays = Pass(network, len(parameters), X1.shape[-1], parameters.dtype)
    arrays.inputs[0] = X1
    blocks = network.blocks(parameters)
    forward(blocks, arrays)
    slopes: list[list[Array]] = [[] for _ in blocks]
    for output in range(network.sizes[-1]):
        arrays.head.delta[:] = 0
        arrays.head.delta[:, output] = 1
        propagate_back(blocks, arrays)
        for of_layer, delta in zip(slopes, arrays.delta, strict=True):
            of_layer.append(delta.copy())
    return arrays, [np.stack(of_layer, axis=1) for of_layer in slopes]
