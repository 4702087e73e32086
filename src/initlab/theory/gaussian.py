"""Means of an activation over Gaussians, by a quadrature that stays accurate where there is a kink at 0."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from initlab.activations import Activation

Values = NDArray[np.float64]


def _gauss_legendre(edges: Sequence[float], nodes: int) -> tuple[Values, Values]:
    """Returns the points and weights of the Gauss-Legendre rule on each piece between the edges."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    half = np.diff(np.array(edges, float))[:, np.newaxis] / 2
    return (np.array(edges[:-1])[:, np.newaxis] + half * (1 + points)).ravel(), (half * weights).ravel()


def _normal_rule() -> tuple[Values, Values]:
    # Seen at a large mean square, an activation bends as close to 0 as one likes.
    above, weights = _gauss_legendre([0, *(2.0**n for n in range(-20, 0)), *range(1, 11)], 24)
    points = np.concatenate([-above[::-1], above])
    weights = np.concatenate([weights[::-1], weights])
    return points, weights * np.exp(-(points**2) / 2) / math.sqrt(2 * math.pi)


POINTS, _WEIGHTS = _normal_rule()
_RADII, _RADIUS_WEIGHTS = _gauss_legendre([0, 0.25, 1, 2, 3, 4, 5.5, 7.5, 10], 12)
_RADIUS_WEIGHTS = _RADIUS_WEIGHTS * _RADII * np.exp(-(_RADII**2) / 2) / (2 * math.pi)
_TURNS, _TURN_WEIGHTS = _gauss_legendre([0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1], 8)


def value(activation: Activation, z: Values) -> Values:
    """Returns φ(z)."""
    out = np.empty_like(z)
    with np.errstate(all="ignore"):  # what overflows or saturates has the right limit
        activation.value(z, out)
    return out


def derivative(activation: Activation, z: Values) -> Values:
    """Returns φ'(z)."""
    out = np.empty_like(z)
    with np.errstate(all="ignore"):
        activation.derivative(z, value(activation, z), out)
    return out


def scaled(q: Values | float) -> Values:
    """Returns √q z at the POINTS z of the rule, which stand on a new last axis."""
    return np.sqrt(q)[..., np.newaxis] * POINTS


def mean(values: Values) -> Values:
    """Returns E f(z), z a standard Gaussian, from the values f(z) at the POINTS, on the last axis."""
    return np.asarray(values @ _WEIGHTS)


def mean_of_square(values: Values) -> Values:
    """Returns E f(z)² as ``mean`` does, inf where a square overflows."""
    with np.errstate(over="ignore"):
        return mean(values**2)


def product_mean(function: Callable[[Values], Values], q: float, c: float) -> float:
    """Returns E f(u1) f(u2) for Gaussians u1 and u2 of mean square q and correlation c.

    In polar coordinates the kinks u1 = 0 and u2 = 0 are rays, and between them the product is smooth.
    """
    angle = math.acos(min(1.0, max(-1.0, c)))
    starts = np.array([-math.pi / 2, angle - math.pi / 2, math.pi / 2, angle + math.pi / 2])
    widths = np.array([angle, math.pi - angle, angle, math.pi - angle])
    turns = (starts[:, np.newaxis] + widths[:, np.newaxis] * _TURNS).ravel()
    weights = (widths[:, np.newaxis] * _TURN_WEIGHTS).ravel()
    radii = math.sqrt(q) * _RADII
    first, second = (function(np.cos(t)[:, np.newaxis] * radii) for t in (turns, turns - angle))
    return float(weights @ (first * second) @ _RADIUS_WEIGHTS)
