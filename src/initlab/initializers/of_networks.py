"""Starts of a whole network: they need a layer's place in it, or the data's signals on their way through."""

import math
from functools import partial

import numpy as np

from initlab.config.rules import Count, Decay, Positive
from initlab.initializers.gains import Gain, factor
from initlab.initializers.independent import he, kaiming, lecun_normal
from initlab.initializers.starting import layer_by_layer, of_network
from initlab.initializers.structured import orthogonal
from initlab.networks.hessian import gradient_quotient
from initlab.networks.network import Network
from initlab.networks.tape import Tape, with_ones
from initlab.streams import derived_stream
from initlab.types import Array

CHANGE = 1e-3  # of a layer's norm, to either side, from which the slope is told


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
def lsuv(rng: np.random.RandomState, network: Network, X: Array | None, *, examples: Count = 1000) -> Array:
    """Returns orthogonal weights, each layer's divided by the std of what the layer gives on the data.

    Layer-sequential unit-variance, Mishkin & Matas 2016, arXiv:1511.06422. The first ``examples`` of X pass
    through the layers; without biases, pre-activations are linear in their layer's weights, so one division
    makes their variance 1 where the paper iterates. A layer whose variance is 0 or not finite stays.
    """
    if X is None:
        raise ValueError("lsuv measures the training inputs, and none were given")
    flat = layer_by_layer(orthogonal, rng, network)
    inputs = with_ones(X[:, :examples].astype(np.float64))
    tape = Tape(network, flat[np.newaxis], inputs.shape[-1])
    tape.read(inputs)
    with np.errstate(over="ignore", invalid="ignore"):
        for linear, block in zip(tape.linears, tape.blocks, strict=True):
            linear.forward()
            std = np.std(linear.z)
            if 0 < std < np.inf:
                linear.block /= std
            for layer in block:
                layer.forward()
    return flat


@of_network
def metainit(
    rng: np.random.RandomState,
    network: Network,
    X: Array | None,
    *,
    steps: Count = 100,
    learning_rate: Positive = 0.02,
    momentum: Decay = 0.9,
    batch: Count = 100,
) -> Array:
    """Returns N(0, 1 / fan_in) weights, each layer's norm changed so that gradients hold along a step.

    MetaInit, Dauphin & Schoenholz 2019, 'MetaInit: initializing learning by learning to initialize',
    algorithm 1: every step draws ``batch`` standard normal inputs and random labels, and moves each norm by
    momentum against the sign of its slope of ``gradient_quotient``, which central differences tell:
    six gradients a layer. It sees no data.
    """
    random = derived_stream(rng)
    flat = layer_by_layer(lecun_normal, rng, network)
    weights = [block[0, :, :-1] for block in network.blocks(flat[np.newaxis])]
    velocity = np.zeros(len(weights))
    for _ in range(steps):
        X1 = with_ones(random.standard_normal((network.sizes[0], batch)))
        labels = network.output.random_labels(random, network.sizes[-1], batch)
        signs = _signs_of_slopes(network, flat, X1, network.output.targets(labels))
        velocity = momentum * velocity - learning_rate * signs
        for W, change in zip(weights, velocity, strict=True):
            norm = np.linalg.norm(W)
            W *= max(1 + change / norm, 0.5)  # a norm stays positive
    return flat


def _signs_of_slopes(network: Network, flat: Array, X1: Array, targets: Array) -> Array:
    """Returns the sign of the quotient's slope by each layer's norm, (L,); 0 where it cannot be told."""
    slopes = []
    for number in range(len(network.shapes)):
        points = np.tile(flat, (2, 1))
        network.blocks(points)[number][:, :, :-1] *= [[[1 + CHANGE]], [[1 - CHANGE]]]
        with np.errstate(over="ignore", invalid="ignore"):
            larger, smaller = gradient_quotient(network, points, X1, targets)
            slopes.append(larger - smaller)
    return np.nan_to_num(np.sign(slopes))
