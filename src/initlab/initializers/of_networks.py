"""Starts of a whole network: they need a layer's place in it, or the data's signals on their way through."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from initlab.config.rules import Count, Decay, Positive
from initlab.initializers.gains import Gain, factor
from initlab.initializers.independent import he, kaiming, lecun_normal
from initlab.initializers.starting import layer_by_layer, of_network
from initlab.initializers.structured import orthogonal
from initlab.networks.hessian import gradient_quotient
from initlab.networks.layers import Linear
from initlab.networks.network import Network
from initlab.networks.tape import Tape, with_ones
from initlab.streams import derived_stream
from initlab.types import Array

CHANGE = 1e-3  # of a layer's norm, to either side, from which the slope is told
CHECKS = 4  # batches by which iterates are compared
AT_ONCE = 4  # layers whose slopes are told together


@of_network
def zero_last(rng: np.random.RandomState, network: Network, X: Array | None) -> Array:
    """Returns ``he`` with a last layer of 0: the network begins by answering nothing, whatever its depth.

    Zhang, Dauphin & Ma 2019, 'Fixup initialization', arXiv:1901.09321, do so with a residual network's
    classification layer.
    """
    flat = layer_by_layer(he, rng, network)
    network.blocks(flat[np.newaxis])[-1].fill(0)
    return flat


@of_network
def fixup(rng: np.random.RandomState, network: Network, X: Array | None) -> Array:
    """Returns ``he``, but 0 in the last layer and in the last of each residual branch, and times
    L^(−1/(2m − 2)) in the other layers of these branches, of which there are L of m layers each.

    So the branches begin by adding nothing, and how much a small step along the weights' gradient changes the
    answers does not grow with the depth: Zhang, Dauphin & Ma 2019, 'Fixup initialization', arXiv:1901.09321.
    Their third rule, scalar biases and multipliers, is ``model.scalars=true``; the rates that go with these
    are ``optimizer.layer_rates=fixup``. The theory is of ReLUs: what is added to passes an activation after
    every branch, and others change it.
    """
    if network.branch_depth < 2 or not network.branches:
        raise ValueError(
            "fixup needs residual branches of two layers or more: model.residual=true, model.branch_depth=2 "
            "and hidden layers of one width, such as model.hidden=[10,10,10]"
        )
    flat = layer_by_layer(he, rng, network)
    blocks = network.blocks(flat[np.newaxis])
    factor = len(network.branches) ** (-1 / (2 * network.branch_depth - 2))
    for *inside, last in network.branches:
        for number in inside:
            blocks[number] *= factor
        blocks[last].fill(0)
    blocks[-1].fill(0)
    return flat


@of_network
def mup(rng: np.random.RandomState, network: Network, X: Array | None, *, gain: Gain) -> Array:
    """Returns W ~ N(0, gain² / fan_in), but N(0, 1 / fan_in²) above the hidden layers: the wider the network,
    the less it answers at first. ``optimizer.layer_rates=mup`` are the rates that go with it.

    The maximal update parametrization, Yang & Hu 2021, arXiv:2011.14522, in the form of Yang et al. 2022,
    'Tensor programs V', arXiv:2203.03466, table 3.
    """
    flat = layer_by_layer(partial(kaiming, mode="fan_in", distribution="normal", gain=gain), rng, network)
    *hidden, last = network.blocks(flat[np.newaxis])
    if hidden:
        last /= factor(gain) * math.sqrt(network.sizes[-2])
    return flat


@of_network
def lsuv(
    rng: np.random.RandomState,
    network: Network,
    X: Array | None,
    give_biases: Callable[[Array], None] = lambda flat: None,
    *,
    examples: Count = 1000,
) -> Array:
    """Returns orthogonal weights, each layer's times what gives its pre-activations variance 1 on the data.

    Layer-sequential unit-variance, Mishkin & Matas 2016, arXiv:1511.06422. The first ``examples`` of X pass
    through the layers with the biases that training will begin with; pre-activations without them are linear
    in their layer's weights, so one factor does where the paper iterates. A layer whose variance is 0 or not
    finite stays; one whose biases alone vary by 1 or more is scaled as if it had none.
    """
    if X is None:
        raise ValueError("lsuv measures the training inputs, and none were given")
    flat = layer_by_layer(orthogonal, rng, network)
    give_biases(flat)
    inputs = with_ones(X[:, :examples].astype(np.float64))
    tape = Tape(network, flat[np.newaxis], inputs.shape[-1])
    tape.read(inputs)
    with np.errstate(over="ignore", invalid="ignore"):
        for layer in tape.layers:
            layer.forward()
            if isinstance(layer, Linear):
                layer.W /= _std_beside(layer.block[..., -1:], layer.z)
                layer.forward()
    for weights in network.blocks(flat[np.newaxis]):
        weights[..., -1] = 0  # the rule will make them, of those that a start brings
    return flat


def _std_beside(biases: Array, z: Array) -> float:
    """Returns by what to divide weights, so that pre-activations z with these biases get variance 1."""
    signal, shift = z - biases, np.broadcast_to(biases, z.shape)
    std, rest = float(np.std(signal)), 1 - float(np.var(shift))
    if not 0 < std < np.inf:
        return 1.0
    if np.ptp(biases) == 0 or not rest > 0:
        return std
    # 1 / std² signal² + 2 / std signal·shift + shift² = 1 is solved for the positive std.
    covariance = float(np.mean((signal - np.mean(signal)) * (shift - np.mean(shift))))
    return (covariance + math.sqrt(covariance**2 + rest * std**2)) / rest


@of_network
def metainit(
    rng: np.random.RandomState,
    network: Network,
    X: Array | None,
    *,
    steps: Count = 500,
    learning_rate: Positive = 0.1,
    momentum: Decay = 0.9,
    batch: Count = 100,
) -> Array:
    """Returns N(0, 1 / fan_in) weights, each layer's norm changed so that gradients hold along a step.

    MetaInit, Dauphin & Schoenholz 2019, 'MetaInit: initializing learning by learning to initialize',
    algorithm 1: every step draws ``batch`` standard normal inputs and random labels, and moves each norm by
    momentum against the sign of its slope of ``gradient_quotient``, which central differences tell:
    six gradients a layer. It sees no data. Steps of one size do not settle where norms are small, so of all
    iterates, the first among them, it is the one of the least quotient, over CHECKS batches that are drawn
    before and kept.
    """
    random = derived_stream(rng)
    flat = layer_by_layer(lecun_normal, rng, network)
    weights = [block[0, :, :-1] for block in network.blocks(flat[np.newaxis])]
    checks = [_noise(network, random, batch) for _ in range(CHECKS)]
    velocity, best, least = np.zeros(len(weights)), flat.copy(), _quotient(network, flat, checks)
    for _ in range(steps):
        signs = _signs_of_slopes(network, flat, *_noise(network, random, batch))
        velocity = momentum * velocity - learning_rate * signs
        for W, change in zip(weights, velocity, strict=True):
            norm = np.linalg.norm(W)
            W *= max(1 + change / norm, 0.5)  # a norm stays positive
        if (quotient := _quotient(network, flat, checks)) < least:
            best, least = flat.copy(), quotient
    return best


def _noise(network: Network, random: np.random.RandomState, batch: int) -> tuple[Array, Array]:
    """Returns standard normal inputs with their ones, and random labels as the output takes them."""
    X1 = with_ones(random.standard_normal((network.sizes[0], batch)))
    return X1, network.output.targets(network.output.random_labels(random, network.sizes[-1], batch))


def _quotient(network: Network, flat: Array, batches: Sequence[tuple[Array, Array]]) -> float:
    """Returns the mean gradient quotient over some batches; it is not finite where one of them is not."""
    X1, targets = (np.stack(parts) for parts in zip(*batches, strict=True))
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.mean(gradient_quotient(network, np.tile(flat, (len(batches), 1)), X1, targets)))


def _signs_of_slopes(network: Network, flat: Array, X1: Array, targets: Array) -> Array:
    """Returns the sign of the quotient's slope by each layer's norm, (L,); 0 where it cannot be told."""
    layers, slopes = range(len(network.shapes)), []
    for first in layers[::AT_ONCE]:
        some = layers[first : first + AT_ONCE]
        points = np.tile(flat, (2 * len(some), 1))  # each layer's larger and smaller, one after the other
        blocks = network.blocks(points)
        for place, number in enumerate(some):
            blocks[number][2 * place : 2 * place + 2, :, :-1] *= [[[1 + CHANGE]], [[1 - CHANGE]]]
        with np.errstate(over="ignore", invalid="ignore"):
            quotients = gradient_quotient(network, points, X1, targets)
            slopes.append(quotients[::2] - quotients[1::2])
    return np.nan_to_num(np.sign(np.concatenate(slopes)))
