"""By how much an activation shrinks a signal, and the factor on the weights that makes up for it."""

import math
from functools import cache

import numpy as np

from initlab.activations import ACTIVATIONS, Array

# Gauss-Legendre in every unit interval of [−12, 12], so that a kink at 0 stands between two of them.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
_Z = np.arange(-12.0, 12.0)[:, np.newaxis] + (_NODES + 1) / 2
_PROBABILITIES = np.exp(-_Z * _Z / 2) / math.sqrt(2 * math.pi) * _WEIGHTS / 2


@cache
def gain(activation: str) -> float:
    """Returns the g for which weights of variance g² / fan_in keep a unit second moment of the activations:
    E[φ(g z)²] = 1 for z ~ N(0, 1), which is He's argument (2015, arXiv:1502.01852) for any φ.

    √2 for relu, √(2 / (1 + a²)) for the slope a of leaky_relu, 1 for linear and, by its design, for selu.
    Activations that never exceed 1 (tanh, sigmoid, erf, sin) have no such g; theirs is 1 / √E[φ(z)²], which
    keeps a unit second moment of the pre-activations. PyTorch's ``calculate_gain`` has customary values for
    these: 5/3 for tanh, 1 for sigmoid.
    """
    g = 1 / math.sqrt(_second_moment(activation, 1))
    if np.abs(_value(activation, _Z)).max() <= 1:
        return g
    for _ in range(100):  # contracts: at once for relu, by a half or better for the others
        g /= math.sqrt(_second_moment(activation, g))
    return g


def _second_moment(activation: str, scale: float) -> float:
    return float(np.sum(np.square(_value(activation, scale * _Z)) * _PROBABILITIES))


def _value(activation: str, z: Array) -> Array:
    a = np.empty_like(z)
    ACTIVATIONS[activation].value(z, a)
    return a
