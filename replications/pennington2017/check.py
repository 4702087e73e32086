"""Do all directions of the input pass a deep network alike?"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from initlab.activations import ACTIVATIONS
from initlab.diagnostics.derivatives import input_jacobians, singular_values
from initlab.initializers import mean_field, orthogonal
from initlab.networks.network import Network
from initlab.networks.tape import with_ones
from initlab.plots import draw_key, panels
from initlab.plots.style import CLASS_COLORS, CURVE_COLORS
from initlab.shelf.estimate import Estimate, mean
from initlab.shelf.replication import Sweeping
from initlab.shelf.untrained import untrained
from initlab.theory.mean_field import critical_sigma_w, fixed_point
from initlab.types import Array

SIGMA_B2 = {"linear": 0.0, "relu": 0.0, "tanh": 1e-6}
CASES = (
    ("linear", "gaussian"), ("linear", "orthogonal"), ("relu", "gaussian"), ("relu", "orthogonal"),
    ("tanh", "orthogonal"),
)  # fmt: skip


def measure(sweep: Sweeping, *, networks: int, width: int, depth: int) -> tuple[dict[str, Estimate], Any]:
    """Returns the relative variances of JJᵀ's eigenvalues by layer, and the singular values."""
    values = {case: spectra(*case, networks, width, depth) for case in CASES}
    eigenvalues = {case: one**2 / np.mean(one**2, axis=1, keepdims=True) for case, one in values.items()}
    ours = {"_".join(case): mean(one.var(axis=1) / depth) for case, one in eigenvalues.items()}
    largest = eigenvalues["linear", "gaussian"].max(axis=1)
    ours["sigma_max"] = mean(largest / ((depth + 1) ** (depth + 1) / depth**depth))
    return ours, (values, depth)


def spectra(name: str, weights: str, networks: int, width: int, depth: int) -> Array:
    """Returns the singular values of the last hidden layer's Jacobian by the input, (networks, width)."""
    network = Network((width, *[width] * depth, width), name, "linear")
    sigma_w, q = critical(name)
    X = np.random.RandomState(0).standard_normal((width, 1))
    X *= np.sqrt(max(q - SIGMA_B2[name], 0) / np.mean(X**2)) / sigma_w
    found = []
    for tape in untrained(network, start(name, weights, sigma_w), range(networks), X):
        network.blocks(tape.parameters)[-1][..., :-1] = np.eye(width)  # the output shows the last layer
        jacobians = input_jacobians(network, tape.parameters, with_ones(X))
        found.append(singular_values(jacobians)[:, 0])
    return np.concatenate(found)


def critical(name: str) -> tuple[float, float]:
    """Returns the critical σw at the activation's σb², and the mean square that it keeps."""
    phi, sigma_b2 = ACTIVATIONS[name], SIGMA_B2[name]
    sigma_w = critical_sigma_w(phi, sigma_b2)
    assert sigma_w is not None
    return sigma_w, fixed_point(phi, sigma_w**2, sigma_b2)


def start(name: str, weights: str, sigma_w: float) -> Any:
    """Returns a start of a layer that is critical."""
    sigma_b = SIGMA_B2[name] ** 0.5

    def drawn(rng: np.random.RandomState, shape: tuple[int, int]) -> Array:
        if weights == "gaussian":
            return mean_field(rng, shape, sigma_w=sigma_w, sigma_b=sigma_b)
        W = orthogonal(rng, shape, gain=sigma_w)
        return np.concatenate([W, sigma_b * rng.standard_normal((shape[0], 1))], axis=1)

    return drawn


def figure(data: Any) -> Figure:
    """Returns the distributions of the singular values."""
    values, depth = data
    figure, axes = panels(
        "Singular values of the Jacobian",
        f"of {depth} critical layers, over networks; few lie beyond 5",
        ["linear", "ReLU", "tanh"],
        width=300,
    )
    for one, name in zip(axes, ("linear", "relu", "tanh"), strict=True):
        for weights, color in (("gaussian", CURVE_COLORS[0]), ("orthogonal", CLASS_COLORS[1])):
            if (name, weights) in values:
                look: dict[str, Any] = {
                    "alpha": 0.55,
                    "color": color,
                    "label": weights,
                    "histtype": "stepfilled",
                }
                one.hist(values[name, weights].ravel(), 60, range=(0, 5), density=True, **look)
        one.set(xlabel="singular value", yscale="log", ylim=(3e-3, 30), ylabel="density")
        draw_key(one, loc="upper right")
    return figure
