"""Starts whose variance is a constant divided by the layer's width, so that a signal keeps its size."""

import math
from typing import Annotated

import numpy as np

from initlab.config.rules import Positive, one_of
from initlab.initializers.distributions import UNIT_VARIANCE
from initlab.initializers.gains import Gain, factor
from initlab.initializers.starting import Shape
from initlab.types import Array

Mode = Annotated[str, one_of("fan_in", "fan_out", "fan_avg")]
Distribution = Annotated[str, one_of(*UNIT_VARIANCE)]


def variance_scaling(
    rng: np.random.RandomState, shape: Shape, *, scale: Positive, mode: Mode, distribution: Distribution
) -> Array:
    """Returns W of mean 0 and variance scale / n, n being fan_in, fan_out or fan_avg, the mean of both.

    A ``truncated_normal`` is cut at ±2 standard deviations and widened, so that the variance is right.
    """
    fan_out, fan_in = shape
    n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    return UNIT_VARIANCE[distribution](rng, shape) * math.sqrt(scale / n)


def xavier(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W ~ N(0, 1 / fan_in), which keeps the forward variance of a linear layer.

    The forward condition of Glorot & Bengio 2010, 'Understanding the difficulty of training deep
    feedforward neural networks', eq. 10; the course lesson calls this form 'Xavier'.
    """
    return variance_scaling(rng, shape, scale=1, mode="fan_in", distribution="normal")


def he(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W ~ N(0, 2 / fan_in), which keeps the second moment through ReLU layers.

    He et al. 2015, 'Delving deep into rectifiers', arXiv:1502.01852, eq. 10.
    """
    return variance_scaling(rng, shape, scale=2, mode="fan_in", distribution="normal")


def he_uniform(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W ~ U(±√(6 / fan_in)), of the variance of ``he``."""
    return variance_scaling(rng, shape, scale=2, mode="fan_in", distribution="uniform")


def he_truncated(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W of the variance of ``he``, normal and cut at ±2 standard deviations: Keras' ``HeNormal``."""
    return variance_scaling(rng, shape, scale=2, mode="fan_in", distribution="truncated_normal")


def kaiming(
    rng: np.random.RandomState, shape: Shape, *, mode: Mode, distribution: Distribution, gain: Gain
) -> Array:
    """Returns W of variance gain² / n: He's argument (2015) for any activation, by its gain.

    fan_in keeps the signal's second moment forward, fan_out the gradient's backward.
    """
    return variance_scaling(rng, shape, scale=factor(gain) ** 2, mode=mode, distribution=distribution)


def glorot_normal(rng: np.random.RandomState, shape: Shape, *, gain: Gain = 1.0) -> Array:
    """Returns W ~ N(0, 2 gain² / (fan_in + fan_out)), between the forward and the backward condition.

    Glorot & Bengio 2010, eq. 12; PyTorch's ``xavier_normal_``.
    """
    return kaiming(rng, shape, mode="fan_avg", distribution="normal", gain=gain)


def glorot_uniform(rng: np.random.RandomState, shape: Shape, *, gain: Gain = 1.0) -> Array:
    """Returns W ~ U(±gain √(6 / (fan_in + fan_out))), the 'normalized initialization'.

    Glorot & Bengio 2010, eq. 16; PyTorch's ``xavier_uniform_``, Keras' default.
    """
    return kaiming(rng, shape, mode="fan_avg", distribution="uniform", gain=gain)


def glorot_truncated(rng: np.random.RandomState, shape: Shape, *, gain: Gain = 1.0) -> Array:
    """Returns W of the variance of ``glorot_normal``, normal and cut at ±2 standard deviations: Keras'
    ``GlorotNormal``.
    """
    return kaiming(rng, shape, mode="fan_avg", distribution="truncated_normal", gain=gain)


def lecun_normal(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W ~ N(0, 1 / fan_in), which selu is made for (Klambauer et al. 2017, arXiv:1706.02515).

    LeCun et al. 1998, 'Efficient BackProp', eq. 16; the same law as ``xavier``.
    """
    return variance_scaling(rng, shape, scale=1, mode="fan_in", distribution="normal")


def lecun_uniform(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W ~ U(±√(3 / fan_in)), of the variance of ``lecun_normal``."""
    return variance_scaling(rng, shape, scale=1, mode="fan_in", distribution="uniform")


def lecun_truncated(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W of the variance of ``lecun_normal``, normal and cut at ±2 standard deviations: Keras'
    ``LecunNormal``.
    """
    return variance_scaling(rng, shape, scale=1, mode="fan_in", distribution="truncated_normal")
