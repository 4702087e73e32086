"""Starts whose weights are not independent: identity, orthogonal, sparse and Hadamard matrices."""

import numpy as np

from initlab.config.rules import Count, Positive
from initlab.initializers.gains import Gain, factor
from initlab.initializers.starting import Shape
from initlab.streams import derived_stream
from initlab.types import Array


def identity(rng: np.random.RandomState, shape: Shape, *, gain: Gain = 1.0) -> Array:
    """Returns W = gain · I; where the widths differ, the units in excess get, or pass on, nothing.

    Le, Jaitly & Hinton 2015, arXiv:1504.00941, for recurrent ReLU layers.
    """
    return np.eye(*shape) * factor(gain)


def orthogonal(rng: np.random.RandomState, shape: Shape, *, gain: Gain = 1.0) -> Array:
    """Returns W with W Wᵀ = gain² I, or WᵀW = gain² I where the width grows, uniform over all such.

    Saxe et al. 2013, arXiv:1312.6120. The signs of R's diagonal make Q of a QR decomposition of normals
    uniform (Mezzadri 2007, arXiv:math-ph/0609050).
    """
    normals = rng.standard_normal(shape)
    grows = shape[0] > shape[1]
    Q, R = np.linalg.qr(normals if grows else normals.T)
    Q *= np.where(np.diag(R) < 0, -1.0, 1.0) * factor(gain)
    return Q if grows else Q.T


def sparse(rng: np.random.RandomState, shape: Shape, *, connections: Count, std: Positive = 1.0) -> Array:
    """Returns W ~ N(0, std²) in ``connections`` places of every row, or in all of a shorter one, else 0.

    Martens 2010, 'Deep learning via Hessian-free optimization', section 5: 15 connections into every unit
    keep its input's size whatever the width, and units as different as can be.
    """
    # The order of independent draws is a random permutation, of which so many entries are below a number.
    chosen = np.argsort(derived_stream(rng).random_sample(shape), axis=1) < connections
    return np.where(chosen, rng.standard_normal(shape) * std, 0.0)


def hadamard(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns ZerO: W = I, cut to shape, and where the width grows c I* H_m I* of Hadamard's ±1 matrix.

    Zhao, Schäfer & Anandkumar 2022, arXiv:2110.12661, algorithm 1: 2^m is the next power of 2 that is at
    least fan_out, c = 2^(−(m−1)/2), I* cuts. It draws nothing. (The authors' code has c = 2^(−m/2).)
    """
    fan_out, fan_in = shape
    if fan_out <= fan_in:
        return np.eye(fan_out, fan_in)
    m = (fan_out - 1).bit_length()
    # Sylvester's H_m has −1 where row and column number share an odd number of binary digits.
    shared = np.bitwise_count(np.arange(fan_out)[:, np.newaxis] & np.arange(fan_in))
    return np.where(shared % 2, -1.0, 1.0) * 2 ** (-(m - 1) / 2)
