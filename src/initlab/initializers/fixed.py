"""Starts whose law is the same for every layer width."""

import numpy as np

from initlab.config.rules import NonNegative, Number
from initlab.initializers.scaled import standard_truncated, standard_uniform
from initlab.initializers.starting import Shape
from initlab.types import Array


def zeros(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W = 0: with ReLU no weight ever moves, with other activations all units stay equal."""
    return np.zeros(shape)


def ones(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W = 1: weights may move, but all units of a layer stay identical."""
    return np.ones(shape)


def constant(rng: np.random.RandomState, shape: Shape, *, value: Number) -> Array:
    """Returns W = value: weights may move, but all units of a layer stay identical."""
    return np.full(shape, float(value))


def random(rng: np.random.RandomState, shape: Shape, *, scale: NonNegative) -> Array:
    """Returns W ~ N(0, scale²), whatever the layer's width."""
    return rng.standard_normal(shape) * scale


def small_random(rng: np.random.RandomState, shape: Shape, *, scale: NonNegative) -> Array:
    """Returns W ~ N(0, scale²) with a scale so small that the signal fades from layer to layer."""
    return random(rng, shape, scale=scale)


def normal(rng: np.random.RandomState, shape: Shape, *, std: NonNegative) -> Array:
    """Returns W ~ N(0, std²): the same law under its usual name; Keras takes 0.05."""
    return random(rng, shape, scale=std)


def uniform(rng: np.random.RandomState, shape: Shape, *, low: Number, high: Number) -> Array:
    """Returns W ~ U(low, high); Keras takes ±0.05."""
    if low > high:
        raise ValueError(f"low={low}: must be at most high, which is {high}")
    return low + (high - low) * standard_uniform(rng, shape)


def truncated_normal(rng: np.random.RandomState, shape: Shape, *, std: NonNegative) -> Array:
    """Returns W ~ N(0, std²) cut at ±2 std, as Keras draws it.

    The cut is not made up for: the weights' standard deviation is 0.8796 std. ``variance_scaling`` corrects.
    """
    return standard_truncated(rng, shape) * std
