"""Steps that the tests of the diagnostics measure."""

import numpy as np

from initlab.diagnostics import Step
from initlab.networks.network import Pass, backward, cost, forward, with_ones


def step_of(network, parameters, X, Y, start=None, updated=None):
    arrays = Pass(network, len(parameters), X.shape[-1], parameters.dtype)
    arrays.load(with_ones(X), network.output.targets(Y))
    forward(network.blocks(parameters), arrays)
    cost(arrays)
    backward(network.blocks(parameters), arrays)
    start = parameters if start is None else start
    updated = parameters if updated is None else updated
    return Step(network, start, parameters, arrays.gradient, updated, arrays)


def labels_of(network, rng, m):
    n_y = network.sizes[-1]
    if network.output_name == "sigmoid":
        return rng.randint(2, size=(1, m)).astype(float)
    return np.eye(n_y)[rng.randint(n_y, size=m)].T if network.output_name == "softmax" else rng.randn(n_y, m)
