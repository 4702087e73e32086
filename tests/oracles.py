"""Starting parameters and plain NumPy oracles that several test modules share."""

from functools import partial
from itertools import pairwise

import numpy as np
from scipy.special import erf

from initlab import initializers


def lone_start(network, seed, init=initializers.he, **options):
    return initializers.initial_parameters(partial(init, **options), network, seed)


def stack_of_starts(network, seeds, init=initializers.he, **options):
    return np.stack([lone_start(network, seed, init, **options) for seed in seeds])


def plain_layers(flat, sizes):
    """Cuts one run's flat parameters into [(W, b), …] without the library."""
    layers, begin = [], 0
    for n_in, n_out in pairwise(sizes):
        end = begin + n_out * (n_in + 1)
        layer = flat[begin:end].reshape(n_out, n_in + 1)
        layers.append((layer[:, :-1], layer[:, -1:]))
        begin = end
    return layers


PHI = {
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * (np.exp(z) - 1)),
    "gelu": lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
    "silu": lambda z: z / (1 + np.exp(-z)),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "tanh": lambda z: (np.exp(2 * z) - 1) / (np.exp(2 * z) + 1),
    "sigmoid": lambda z: np.exp(z) / (1 + np.exp(z)),
    "erf": erf,
    "sin": np.sin,
    "softsign": lambda z: z / (1 + np.abs(z)),
    "exponential": np.exp,
    "linear": lambda z: z,
}


def calm(network):
    """Returns the factor at which a test's parameters keep a network's signals finite."""
    return 0.1 if network.activation_name == "exponential" else 1


def plain_forward(flat, sizes, activation, X):
    """Returns the pre-activations and the hidden activations of one run."""
    zs, activations = [], [X]
    for W, b in plain_layers(flat, sizes):
        zs.append(W @ activations[-1] + b)
        activations.append(PHI[activation](zs[-1]))
    return zs, activations[1:-1]


def plain_cost(flat, sizes, activation, X, Y):
    logits = plain_forward(flat, sizes, activation, X)[0][-1]
    return np.mean(np.logaddexp(0, logits) - Y * logits)


def plain_gradient(flat, sizes, X, Y):
    """Returns one run's gradient for ReLU, one layer at a time: the textbook's back-propagation."""
    layers = plain_layers(flat, sizes)
    zs, hidden = plain_forward(flat, sizes, "relu", X)
    inputs = [X, *hidden]
    delta = (1 / (1 + np.exp(-zs[-1])) - Y) / X.shape[1]
    pieces = []
    for number in reversed(range(len(layers))):
        pieces.append(np.hstack([delta @ inputs[number].T, delta.sum(axis=1, keepdims=True)]))
        if number:
            delta = (layers[number][0].T @ delta) * (zs[number - 1] > 0)
    return np.concatenate([piece.ravel() for piece in reversed(pieces)])


def flatten(weights, biases):
    """Returns one run's flat parameters (P,) from its W_l (n_l, n_{l-1}) and b_l (n_l, 1)."""
    return np.concatenate([np.hstack(layer).ravel() for layer in zip(weights, biases, strict=True)])
