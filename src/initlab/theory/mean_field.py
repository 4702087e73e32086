"""Mean-field theory of signal propagation: what becomes of a signal in a wide random network.

In a wide network with independent weights of mean 0 the pre-activations of a layer are Gaussian, so a few
means over Gaussians follow a signal through any depth: its mean square q, the correlation c of two inputs
and the gradient's mean square. σw² is fan_in times the variance of a weight, σb² the variance of a bias.

Two slopes decide what depth does. χ∥ = dq'/dq is that of the mean square's map: above 1 signals leave the
fixed point. χ⊥ = σw² E φ'² is that of the correlation's map at 1, and what a layer multiplies a gradient's
mean square by. Both are 1 where signals and gradients keep their size at any depth (Roberts, Yaida & Hanin
2022, 'The principles of deep learning theory', chapter 5).

Poole et al. 2016, 'Exponential expressivity in deep neural networks through transient chaos'
(arXiv:1606.05340); Schoenholz et al. 2017, 'Deep information propagation' (arXiv:1611.01232).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from initlab.activations import Activation
from initlab.theory.gaussian import POINTS, derivative, mean, mean_of_square, product_mean, scaled, value

SMALLEST, LARGEST = 1e-20, 1e12  # mean squares that stand for the limits 0 and infinity
CRITICAL_WITHIN = 0.01  # of χ1 = 1: then a hundred layers change a gradient by a factor of e at most
_ROUNDING = 1e-12


def second_moment(activation: Activation, q: float) -> float:
    """Returns E φ(√q z)² for a standard Gaussian z."""
    return float(mean_of_square(value(activation, scaled(q))))


def first_moment(activation: Activation, q: float) -> float:
    """Returns E φ(√q z)."""
    return float(mean(value(activation, scaled(q))))


def covariance(activation: Activation, q: float, c: float) -> float:
    """Returns E φ(u1) φ(u2) for Gaussians u1 and u2 of mean square q and correlation c."""
    with np.errstate(over="ignore", invalid="ignore"):
        return product_mean(lambda u: value(activation, u), q, c)


def next_mean_square(activation: Activation, q: float, sigma_w2: float, sigma_b2: float) -> float:
    """Returns the mean square q' = σw² E φ(√q z)² + σb² of a layer's pre-activations from that of the
    layer below (Poole et al. 2016, eq. 3).
    """
    return sigma_w2 * second_moment(activation, q) + sigma_b2


def next_correlation(activation: Activation, c: float, q: float, sigma_w2: float, sigma_b2: float) -> float:
    """Returns the correlation c' of two inputs' pre-activations that had mean square q and correlation c in
    the layer below (Poole et al. 2016, eq. 5); NaN where no signal is left.
    """
    above = next_mean_square(activation, q, sigma_w2, sigma_b2)
    return (sigma_w2 * covariance(activation, q, c) + sigma_b2) / above if above > 0 else math.nan


def slope(activation: Activation, q: float, sigma_w2: float) -> float:
    """Returns χ⊥ = σw² E φ'(√q z)², by which a layer multiplies a gradient's mean square and the distance of
    two inputs that are close (Poole et al. 2016, eq. 6). At the fixed point it is χ1.
    """
    return sigma_w2 * float(mean_of_square(derivative(activation, scaled(_limited(q)))))


def correlation_slope(activation: Activation, c: float, q: float, sigma_w2: float) -> float:
    """Returns χ_c = σw² E φ'(u1) φ'(u2) (Schoenholz et al. 2017, eq. 11), which is χ1 at c = 1."""
    return sigma_w2 * product_mean(lambda u: derivative(activation, u), _limited(q), c)


def mean_square_slope(activation: Activation, q: float, sigma_w2: float) -> float:
    """Returns χ∥ = dq'/dq = σw² E z φ(√q z) φ'(√q z) / √q."""
    q = _limited(q)
    z = scaled(q)
    # Divided before it is multiplied, because 0 is among the limits.
    with np.errstate(over="ignore"):  # infinite where an exponential's signals are
        products = value(activation, z) / math.sqrt(q) * derivative(activation, z) * POINTS
        return sigma_w2 * float(mean(products))


def fixed_point(activation: Activation, sigma_w2: float, sigma_b2: float, start: float = 1.0) -> float:
    """Returns the mean square q* that a signal of mean square ``start`` tends to with depth, 0 and infinity
    included. Where every mean square is kept, as by ReLU at σw² = 2, it is ``start``.
    """
    start, growth = _limited(start), _growth(activation, sigma_w2, sigma_b2)
    drift = growth(start)
    if abs(drift) <= _ROUNDING * start:
        return start
    # q' rises with q, so a signal moves one way until it meets the first mean square that is kept.
    grid = np.geomspace(start, LARGEST if drift > 0 else SMALLEST, 500)
    grown = growth(grid)
    turned = np.flatnonzero((grown * drift < 0) & (np.abs(grown) > _ROUNDING * grid))
    if not len(turned):
        return math.inf if drift > 0 else 0.0
    return _root(growth, grid[turned[0] - 1], grid[turned[0]])


def unstable_point(
    activation: Activation,
    sigma_w2: float,
    sigma_b2: float,
    start: float,
    tolerance: float = CRITICAL_WITHIN,
    strays: float = 0.0,
) -> float | None:
    """Returns the mean square q* that layers keep but that signals leave (χ∥ > 1), smaller ones downwards and
    larger ones upwards, if a signal of mean square ``start`` may be on either side; else None.

    A draw's ln q ``strays`` so far from the mean, and σw² is known up to a share of ``tolerance``, which
    moves ln q* by that over χ∥ − 1. GELU and SiLU have such points at the gains that keep a mean square.
    """
    grid = np.geomspace(SMALLEST, LARGEST, 1000)
    growth = _growth(activation, sigma_w2, sigma_b2)
    grown = growth(grid)
    sign = np.where(np.abs(grown) > _ROUNDING * grid, np.sign(grown), 0)
    for at in np.flatnonzero((sign[:-1] < 0) & (sign[1:] > 0)):
        q = _root(growth, grid[at], grid[at + 1])
        excess = mean_square_slope(activation, q, sigma_w2) - 1
        if excess > CRITICAL_WITHIN and abs(math.log(start / q)) <= strays + tolerance / excess:
            return q
    return None


def fixed_correlation(activation: Activation, q: float, sigma_w2: float, sigma_b2: float) -> float:
    """Returns the correlation c* from 0 to 1 that two inputs of mean square q = q* tend to with depth.

    It is 1 unless inputs that are close move apart, also where every correlation is kept (linear).
    """
    q = _limited(q)
    above = next_mean_square(activation, q, sigma_w2, sigma_b2)

    def rate(c: float) -> float:
        return correlation_slope(activation, c, q, sigma_w2) * q / above  # q / q' is 1 but in the limits

    if above == math.inf:  # an exponential's signals, even of inputs that hardly differ, are of other orders
        return 0.0
    if above <= 0 or rate(1.0) <= 1 + 1e-9:
        return 1.0
    c = 0.0
    for _ in range(100):  # c' is convex from 0 to 1: Newton's steps rise and never pass c*
        step = (next_correlation(activation, c, q, sigma_w2, sigma_b2) - c) / (1 - rate(c))
        c += step
        if abs(step) < _ROUNDING:
            break
    return c


@lru_cache(maxsize=64)
def critical_sigma_w(activation: Activation, sigma_b2: float) -> float | None:
    """Returns the σw at which χ1 = 1, on the border between order and chaos; None where there is none.

    Every q = σb² + kept is a fixed point, that of σw² = kept / E φ(√q z)². This leaves χ1 = 1 as an equation
    in one unknown. Its solution may be the limit of small signals (tanh without biases) or of large ones
    (ReLU with biases). With activations such as gelu signals of other mean squares may move away from it.
    """

    def sigma_w2(kept: Any) -> Any:
        return kept / mean_of_square(value(activation, scaled(sigma_b2 + kept)))

    def excess(kept: Any) -> Any:
        with np.errstate(invalid="ignore"):  # 0 · ∞ is no number, and on neither side of 0
            return sigma_w2(kept) * mean_of_square(derivative(activation, scaled(sigma_b2 + kept))) - 1

    grid = np.geomspace(SMALLEST, LARGEST, 1000)
    found = excess(grid)
    risen = np.flatnonzero((found[:-1] < 0) & (found[1:] >= 0))
    if sigma_b2 == 0 and abs(found[0]) < 1e-9:
        return math.sqrt(sigma_w2(grid[0]))
    if len(risen):
        return math.sqrt(sigma_w2(_root(excess, grid[risen[0]], grid[risen[0] + 1])))
    return math.sqrt(sigma_w2(grid[-1])) if abs(found[-1]) < 1e-5 else None


def depth_scale(chi: float) -> float:
    """Returns ξ = 1 / |ln χ|, the layers in which what χ multiplies changes by a factor of e (Schoenholz et
    al. 2017, eq. 9); infinite at χ = 1.
    """
    if chi <= 0:
        return 0.0
    return math.inf if chi == 1 else 1 / abs(math.log(chi))


@dataclass(frozen=True)
class Phase:
    """What becomes of signals with depth in layers of σw² and σb².

    ``mean_square`` is q*, ``chi`` χ⊥ (χ1) and ``chi_parallel`` χ∥ there, ``correlation`` c* and
    ``depth_scale`` ξ = 1 / |ln χ_c*|. The ``verdict`` is 'ordered' (χ⊥ < 1: inputs become alike and gradients
    vanish), 'critical' (|χ⊥ − 1| ≤ ``tolerance``), 'chaotic' (χ⊥ > 1: inputs that are close move apart and
    gradients explode) or 'unstable' (signals are at a fixed point that they leave, see ``unstable_point``).
    If it is ``scale_free``, the words speak of sizes only: signals and gradients shrink or grow, and ReLU's
    inputs become alike in either. Layers that differ have no fixed point (None), and ``chi`` is the geometric
    mean of theirs; normalized layers have no χ∥.
    """

    sigma_w2: float
    sigma_b2: float
    mean_square: float | None
    chi: float
    chi_parallel: float | None
    correlation: float | None
    depth_scale: float
    critical_sigma_w: float | None
    verdict: str
    tolerance: float = CRITICAL_WITHIN

    @property
    def scale_free(self) -> bool:
        """Whether signals vanish or grow without end: there every activation acts as ReLU or a line does,
        and what χ multiplies is the mean square of a signal and of a gradient alike.
        """
        return self.mean_square in (0, math.inf)

    @property
    def varied(self) -> bool:
        """Whether the layers differ."""
        return self.mean_square is None


def phase(
    activation: Activation,
    sigma_w2: float,
    sigma_b2: float,
    start: float = 1.0,
    tolerance: float = CRITICAL_WITHIN,
    strays: float = 0.0,
) -> Phase:
    """Returns the phase for signals that begin at mean square ``start``, give or take a factor of e to the
    power of ``strays``. σw² is known up to a share of ``tolerance``.
    """
    unstable = unstable_point(activation, sigma_w2, sigma_b2, start, tolerance, strays)
    q = fixed_point(activation, sigma_w2, sigma_b2, start) if unstable is None else unstable
    c = fixed_correlation(activation, q, sigma_w2, sigma_b2)
    chi, chi_parallel = slope(activation, q, sigma_w2), mean_square_slope(activation, q, sigma_w2)
    scale = depth_scale(correlation_slope(activation, c, q, sigma_w2) if c < 1 and q < math.inf else chi)
    border = critical_sigma_w(activation, sigma_b2)
    word = verdict(chi, tolerance) if unstable is None else "unstable"
    return Phase(sigma_w2, sigma_b2, q, chi, chi_parallel, c, scale, border, word, tolerance)


def varied_phase(
    activation: Activation, sigma_w2: float, sigma_b2: float, chi: float, tolerance: float = CRITICAL_WITHIN
) -> Phase:
    """Returns the phase of layers that differ: ``chi`` is the geometric mean of their χ⊥, each at the mean
    square that reaches it, because one after another they multiply.
    """
    border, word = critical_sigma_w(activation, sigma_b2), verdict(chi, tolerance)
    return Phase(sigma_w2, sigma_b2, None, chi, None, None, depth_scale(chi), border, word, tolerance)


def normalized_phase(
    kind: str, activation: Activation, sigma_w2: float, sigma_b2: float, tolerance: float = CRITICAL_WITHIN
) -> Phase:
    """Returns the phase of layers whose pre-activations are normalized, over a ``layer`` or a ``batch``: they
    have mean square 1, whatever the weights' scale, so that χ1 is that of weights which would keep it so.

    Over a layer, σw² and σb² matter by their ratio only. Over a large batch of inputs, what all inputs share,
    E φ and the biases, is taken away too: χ1 = E φ'² / Var φ, which is never less than 1, and π / (π − 1) for
    ReLU: gradients explode (Yang et al. 2019, 'A mean field theory of batch normalization',
    arXiv:1902.08129).
    """
    if kind == "batch":
        activation, sigma_b2 = _centred(activation), 0.0
    kept = next_mean_square(activation, 1.0, sigma_w2, sigma_b2)
    if kept <= 0:
        return phase(activation, 0.0, 0.0, 1.0, tolerance)
    w2, b2 = sigma_w2 / kept, sigma_b2 / kept
    c, chi = fixed_correlation(activation, 1.0, w2, b2), slope(activation, 1.0, w2)
    scale = depth_scale(correlation_slope(activation, c, 1.0, w2) if c < 1 else chi)
    word = verdict(chi, tolerance)
    return Phase(sigma_w2, sigma_b2, 1.0, chi, None, c, scale, None, word, tolerance)


def _centred(activation: Activation) -> Activation:
    """Returns φ − E φ(z) of an activation φ, z being a standard Gaussian."""
    center = first_moment(activation, 1.0)

    def shifted(z: Any, out: Any) -> None:
        activation.value(z, out)
        np.subtract(out, center, out=out)

    def unshifted(z: Any, a: Any, out: Any) -> None:
        activation.derivative(z, a + center, out)

    return Activation(shifted, unshifted)


def verdict(chi: float, tolerance: float = CRITICAL_WITHIN) -> str:
    """Returns 'ordered', 'critical' or 'chaotic' from χ⊥."""
    if abs(chi - 1) <= tolerance:
        return "critical"
    return "ordered" if chi < 1 else "chaotic"


def _growth(activation: Activation, sigma_w2: float, sigma_b2: float) -> Callable[[Any], Any]:
    """Returns the function q' − q of mean squares q."""
    return lambda q: sigma_w2 * mean_of_square(value(activation, scaled(q))) + sigma_b2 - q


def _limited(q: float) -> float:
    return min(max(q, SMALLEST), LARGEST)


def _root(function: Callable[[Any], Any], low: float, high: float) -> float:
    """Returns where a function changes its sign between two positive numbers, by bisection."""
    sign = np.sign(function(low))
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if np.sign(function(middle)) == sign else (low, middle)
    return math.sqrt(low * high)
