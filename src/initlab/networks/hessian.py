"""The Hessian of the cost times directions, by differentiating forward pass and back-propagation themselves
(Pearlmutter 1994, 'Fast exact multiplication by the Hessian').

Differences of gradients would not do. Where biases start at 0, pre-activations of exactly 0 are common, and
a difference, however small its step, crosses the kink that ReLUs have there.
"""

from collections.abc import Sequence

import numpy as np

from initlab.activations import Activation
from initlab.networks.network import Network, Pass, passed
from initlab.types import Array

STEP = 1e-5  # of a difference of slopes: truncation and rounding are both near 1e-10 then


def hessian_products(network: Network, points: Array, directions: Array, X1: Array, targets: Array) -> Array:
    """Returns the Hessian at each point (S, P), or at one for all (1, P), times its direction (S, P), all in
    double precision. Data are as ``Pass.load`` takes them.

    At a kink, slope and curvature of an activation are those of its left side; a ReLU has no curvature.
    """
    blocks, along = network.blocks(points), network.blocks(directions)
    arrays = passed(network, points, X1, targets)
    z = [W @ a for W, a in zip(blocks[:-1], arrays.inputs[:-1], strict=True)]
    slopes = [_slope(network.activation, of_layer) for of_layer in z]
    dz, da = _forward_derivative(blocks, along, arrays, slopes)
    bends = [
        _bend(network.activation, of_layer, slope) * moved
        for of_layer, slope, moved in zip(z, slopes, dz[:-1], strict=True)
    ]
    ddelta = network.output.change_of_answers(arrays.answers, dz[-1]) / X1.shape[-1]
    return _gradient_derivative(blocks, along, arrays, slopes, bends, da, ddelta)


def _forward_derivative(
    blocks: Sequence[Array], along: Sequence[Array], arrays: Pass, slopes: Sequence[Array]
) -> tuple[list[Array], list[Array]]:
    """Returns how all pre-activations and the hidden activations change along the directions."""
    dz: list[Array] = [along[0] @ arrays.inputs[0]]
    da: list[Array] = []
    for number, slope in enumerate(slopes):
        skip = arrays.network.skips[number]
        da.append(slope * dz[number] + da[number - 1] if skip else slope * dz[number])
        above = number + 1
        dz.append(along[above] @ arrays.inputs[above] + blocks[above][..., :-1] @ da[number])
    return dz, da


def _gradient_derivative(
    blocks: Sequence[Array],
    along: Sequence[Array],
    arrays: Pass,
    slopes: Sequence[Array],
    bends: Sequence[Array],
    da: Sequence[Array],
    ddelta: Array,
) -> Array:
    """Returns how the gradient changes, (S, P), when the last layer's delta changes by ddelta."""
    network = arrays.network
    products = np.empty((len(along[0]), network.offsets[-1]))
    carried = dcarried = np.empty(0)
    for number in reversed(range(len(blocks))):
        W, V, delta = blocks[number][..., :-1], along[number][..., :-1], arrays.delta[number]
        product = network.blocks(products)[number]
        np.matmul(ddelta, arrays.inputs[number].mT, out=product)
        product[..., :-1] += network.l2 * V
        if number == 0:
            break
        product[..., :-1] += delta @ da[number - 1].mT
        skip = number < len(network.skips) and network.skips[number]
        carried, above = W.mT @ delta, carried
        dcarried, dabove = W.mT @ ddelta + V.mT @ delta, dcarried
        if skip:
            carried, dcarried = carried + above, dcarried + dabove
        ddelta = dcarried * slopes[number - 1] + carried * bends[number - 1]
    return products


def _slope(activation: Activation, z: Array) -> Array:
    a, slope = np.empty_like(z), np.empty_like(z)
    activation.value(z, a)
    activation.derivative(z, a, slope)
    return slope


def _bend(activation: Activation, z: Array, slope: Array) -> Array:
    """Returns φ''(z) by a difference to the side that leads away from 0, where kinks are."""
    step = np.where(z > 0, STEP, -STEP)
    near, far = _slope(activation, z + step), _slope(activation, z + 2 * step)
    bend: Array = (4 * near - 3 * slope - far) / (2 * step)
    return bend
