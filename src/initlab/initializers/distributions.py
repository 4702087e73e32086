"""Standard normal, uniform and truncated draws, made from the same normals, so that starts share them."""

import math

import numpy as np

from initlab.types import Array

TRUNCATED_STD = 0.87962566103423978  # of a standard normal that is cut at ±2


def standard_normal(rng: np.random.RandomState, shape: tuple[int, int]) -> Array:
    """Returns draws of N(0, 1)."""
    return rng.standard_normal(shape)


def standard_uniform(rng: np.random.RandomState, shape: tuple[int, int]) -> Array:
    """Returns draws of U(0, 1): Φ(z) of normals z."""
    from scipy.special import ndtr

    shares: Array = ndtr(standard_normal(rng, shape))
    return shares


def standard_truncated(rng: np.random.RandomState, shape: tuple[int, int]) -> Array:
    """Returns draws of a standard normal that is cut at ±2, whose standard deviation is 0.8796."""
    from scipy.special import ndtr, ndtri

    below, above = ndtr(-2.0), ndtr(2.0)
    cut: Array = ndtri(below + (above - below) * standard_uniform(rng, shape))
    return cut


def _unit_uniform(rng: np.random.RandomState, shape: tuple[int, int]) -> Array:
    return (2 * standard_uniform(rng, shape) - 1) * math.sqrt(3)


def _unit_truncated(rng: np.random.RandomState, shape: tuple[int, int]) -> Array:
    return standard_truncated(rng, shape) / TRUNCATED_STD


UNIT_VARIANCE = {"normal": standard_normal, "uniform": _unit_uniform, "truncated_normal": _unit_truncated}
