"""How far from Gaussian are the pre-activations of networks of finite width?"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from initlab.activations import ACTIVATIONS
from initlab.initializers import mean_field
from initlab.networks.network import Network
from initlab.plots import draw_key, draw_line, draw_theory, panels
from initlab.plots.style import CLASS_COLORS, CURVE_COLORS
from initlab.shelf.estimate import Estimate, exact, jackknife
from initlab.shelf.replication import Sweeping
from initlab.shelf.untrained import mean_squares, untrained
from initlab.theory.gaussian import mean, scaled, value
from initlab.theory.mean_field import mean_square_slope, next_mean_square, slope
from initlab.types import Array

SIGMA_W2 = {"linear": 1.0, "relu": 2.0, "tanh": 1.0}
CRITICAL = {  # (σb², σw², K*) as printed
    "gelu": (0.17292239, 1.98305826, (3 + 17**0.5) / 2),
    "swish": (0.55514317, 1.98800468, 14.32017362),
}
SWISH = "silu"  # Initlab's name of it


def measure(
    sweep: Sweeping,
    *,
    networks: int,
    groups: int,
    width: int,
    depth: int,
    tanh_networks: int,
    tanh_width: int,
    tanh_depth: int,
) -> tuple[dict[str, Estimate], Any]:
    """Returns the constants of the growth, and the correlators over the layers."""
    squares = {name: squares_of(name, width, depth, networks) for name in ("linear", "relu")}
    squares["tanh"] = squares_of("tanh", tanh_width, tanh_depth, tanh_networks)
    ours = {
        name: jackknife(squares[name], groups, lambda some: growth(correlators(some, width), width))
        for name in ("linear", "relu")
    }
    ours["tanh"] = jackknife(
        squares["tanh"],
        groups,
        lambda some: np.log1p(correlators(some, tanh_width)[-1]) * tanh_width / tanh_depth,
    )
    ours |= {name: exact(off_criticality(name)) for name in CRITICAL}
    return ours, (squares, {"linear": width, "relu": width, "tanh": tanh_width})


def squares_of(name: str, width: int, depth: int, networks: int) -> Array:
    """Returns the mean squares of the hidden pre-activations, (networks, depth)."""
    network = Network((width, *[width] * depth, 1), name, "linear")
    init, X = _critical(name), np.ones((width, 1))
    found = [mean_squares(tape)[:, :-1] for tape in untrained(network, init, range(networks), X)]
    return np.concatenate(found)


def _critical(name: str) -> Any:
    return lambda rng, shape: mean_field(rng, shape, sigma_w=SIGMA_W2[name] ** 0.5, sigma_b=0.0)


def correlators(squares: Array, width: int) -> Array:
    """Returns the connected correlator of two units over E z² squared, by layer (depth,).

    The mean of n squares varies by it and, as each is a Gaussian's given the layer below, by 2/n more.
    """
    relative = squares.var(axis=0, ddof=1) / squares.mean(axis=0) ** 2
    return np.asarray((1 + relative) / (1 + 2 / width) - 1)


def growth(found: Array, width: int) -> float:
    """Returns the c of the law (1 + c/n)^(ℓ−1) − 1 that fits the layers from the second on best."""
    layers = np.arange(1, len(found))
    rate = np.sum(layers * np.log1p(np.maximum(found[1:], -0.5))) / np.sum(layers**2)
    return float(width * np.expm1(rate))


def off_criticality(name: str) -> float:
    """Returns how far χ⊥, χ∥ or K'/K is from 1 at the printed values, the farthest of the three."""
    phi, (sigma_b2, sigma_w2, K) = ACTIVATIONS[SWISH if name == "swish" else name], CRITICAL[name]
    kept = next_mean_square(phi, K, sigma_w2, sigma_b2) / K
    return max(abs(one - 1) for one in (slope(phi, K, sigma_w2), mean_square_slope(phi, K, sigma_w2), kept))


def recursion(name: str, width: int, depth: int) -> Array:
    """Returns the correlators that the recursion at first order in 1/n says, (depth,).

    Given the layer below, the units of a layer are independent Gaussians of one variance. So the mean of n of
    their φ² has the relative variance (E φ⁴ / (E φ²)² − 1) / n, and what strayed before is carried on by
    d ln q' / d ln q.
    """
    phi, sigma_w2 = ACTIVATIONS[name], SIGMA_W2[name]
    q, v, found = sigma_w2, 0.0, []
    for _ in range(depth):
        found.append(v)
        above, squares = next_mean_square(phi, q, sigma_w2, 0.0), value(phi, scaled(q)) ** 2
        carried = (mean_square_slope(phi, q, sigma_w2) * q / above) ** 2 * v
        excess = float(mean(squares**2) / mean(squares) ** 2) - 1
        v, q = carried + excess / width * (1 + carried), above
    return np.array(found)


def figure(data: Any) -> Figure:
    """Returns the correlators over the layers, beside the recursion."""
    squares, widths = data
    figure, axes = panels(
        "The four-point correlator at criticality",
        "connected, of two units, relative to their variance squared, over draws of the weights",
        ["ReLU and linear: width × correlator", "tanh: width × correlator"],
    )
    for name, color in zip(squares, (CURVE_COLORS[2], CLASS_COLORS[0], CLASS_COLORS[1]), strict=True):
        one, width = axes[name == "tanh"], widths[name]
        layers, found = np.arange(1, squares[name].shape[1] + 1), correlators(squares[name], width)
        draw_line(one, layers, width * found, color, name, marker="o", ms=5)
        theory = recursion(name, width, len(layers))
        draw_theory(one, layers, width * theory, "recursion" if name != "linear" else "")
        one.set(xlabel="layer ℓ", ylabel="n · V / K²")
        draw_key(one, loc="upper left")
    return figure
