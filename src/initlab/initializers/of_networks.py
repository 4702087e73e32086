"""Starts of a whole network: they need a layer's place in it, or the data's signals on their way through."""

import numpy as np

from initlab.config.rules import Count
from initlab.initializers.scaled import he
from initlab.initializers.starting import layer_by_layer, of_network
from initlab.initializers.structured import orthogonal
from initlab.networks.network import Network
from initlab.networks.tape import Tape, with_ones
from initlab.types import Array


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
def lsuv(rng: np.random.RandomState, network: Network, X: Array | None, *, examples: Count = 1000) -> Array:
    """Returns orthogonal weights, each layer's divided by the standard deviation of what it gives on the
    data.

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
