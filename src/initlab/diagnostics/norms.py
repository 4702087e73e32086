"""Norms of the parameters, of their gradients and of their changes."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from initlab.networks.network import Network
from initlab.training.step import Step, by_layer, mean_of_squares
from initlab.types import Array


def grad_norm(step: Step) -> dict[str, Array]:
    """Returns the Euclidean norm of the gradient of each layer (weights, bias) and of the whole network."""
    return _with_global(_layer_squares(step.network, step.gradient))


def weight_norm(step: Step) -> dict[str, Array]:
    """Returns the Frobenius norm of each layer's weights, without the bias."""
    return by_layer(_weight_norms(step.network, step.parameters).T)


def update_ratio(step: Step) -> dict[str, Array]:
    """Returns how much the update changes each layer's weights, |W after − W before| / |W before|, biases
    left out: 0 where nothing moves, inf where weights of 0 do.
    """
    moved = _weight_norms(step.network, step.updated - step.parameters)
    return by_layer(_ratio(moved, _weight_norms(step.network, step.parameters)).T)


def distance(step: Step) -> dict[str, Array]:
    """Returns how far training has moved each layer (weights and bias) and the whole network relative to its
    start, |θ − θ_0| / |θ_0|: small in the lazy regime (Chizat et al. 2019, arXiv:1812.07956), inf where
    parameters that started at 0 have moved.
    """
    moved = _with_global(_layer_squares(step.network, step.parameters - step.start))
    start = _with_global(_layer_squares(step.network, step.start))
    return {what: _ratio(moved[what], start[what]) for what in moved}


def preactivation_gradient(step: Step) -> dict[str, Array]:
    """Returns the root mean square, over each layer's units and the examples, of the derivative of an
    example's own cost (not of the mean over m of them, which is m times smaller) by the pre-activations.
    """
    examples = step.tape.delta[-1].shape[-1]
    return by_layer([np.sqrt(mean_of_squares(delta)) * examples for delta in step.tape.delta])


def _layer_squares(network: Network, flat: Array) -> Array:
    """Returns the sum of the squares of each layer's trained numbers, (R, L)."""
    trained = flat[:, : network.trained]
    return np.add.reduceat(np.square(trained), network.offsets[:-1], axis=-1)


def _weight_norms(network: Network, flat: Array) -> Array:
    """Returns the norm of each layer's weights without the bias, (R, L)."""
    weights = np.where(_are_weights(network), flat[:, : network.trained], 0)
    return np.sqrt(_layer_squares(network, weights))


@lru_cache(maxsize=32)
def _are_weights(network: Network) -> NDArray[np.bool_]:
    """Returns which of a network's trained numbers are weights: neither biases nor gains and shifts."""
    numbers = np.zeros((1, network.trained))
    for block in network.blocks(numbers):
        block[..., :-1] = 1
    are_weights: NDArray[np.bool_] = numbers[0] == 1
    return are_weights


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=(part != 0) | (whole != 0))


def _with_global(squares: Array) -> dict[str, Array]:
    norms = by_layer(np.sqrt(squares).T)
    norms["global"] = np.sqrt(np.add.reduce(squares, axis=-1))
    return norms
