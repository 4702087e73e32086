"""How far does one draw of a ReLU network stray from the mean length of a signal?"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from initlab.initializers import he, xavier
from initlab.networks.network import Network
from initlab.plots import draw_key, draw_line, draw_theory, panels
from initlab.plots.style import CLASS_COLORS, CURVE_COLORS
from initlab.shelf.estimate import Estimate, jackknife
from initlab.shelf.replication import Sweeping
from initlab.shelf.untrained import untrained
from initlab.types import Array

INPUTS = 10
SHAPES = {20: 5, 50: 10, 100: 20}  # depth by width


def measure(sweep: Sweeping, *, networks: int, groups: int) -> tuple[dict[str, Estimate], Any]:
    """Returns the mean and the relative variance of lengths, and both at every depth."""
    lengths = {width: lengths_of(he, width, depth, networks) for width, depth in SHAPES.items()}
    shrunk = lengths_of(xavier, 50, 10, networks, first=networks)  # or they were he's, scaled
    top = {width: one[:, -1] for width, one in lengths.items()}
    both = np.stack([top[100], top[50]], axis=1)
    ours = {
        "mean_he": jackknife(top[50], groups, np.mean),
        "mean_xavier": jackknife(shrunk[:, -1] * 2**10, groups, np.mean),
        "variance_20": jackknife(top[20], groups, spread),
        "variance_50": jackknife(top[50], groups, spread),
        "same_sum": jackknife(both, groups, lambda some: (1 + spread(some[:, 0])) / (1 + spread(some[:, 1]))),
    }
    return ours, (lengths, shrunk)


def lengths_of(init: Any, width: int, depth: int, networks: int, first: int = 0) -> Array:
    """Returns the mean square of every hidden layer's activations over the input's, (networks, depth), of so
    many networks from the seed ``first`` on.
    """
    X = np.random.RandomState(0).standard_normal((INPUTS, 1))
    network = Network((INPUTS, *[width] * depth, 1), "relu", "linear")
    found = [
        np.stack([np.mean(np.square(a), axis=(-2, -1)) for a in tape.hidden], axis=1)
        for tape in untrained(network, init, range(first, first + networks), X)
    ]
    return np.asarray(np.concatenate(found) / np.mean(np.square(X)))


def spread(lengths: Array) -> float:
    """Returns the relative variance."""
    return float(np.var(lengths, ddof=1) / np.mean(lengths) ** 2)


def figure(data: Any) -> Figure:
    """Returns mean and relative variance over the depth, beside the law."""
    lengths, shrunk = data
    title = "The length of a signal in ReLU networks"
    figure, (left, right) = panels(title, "over draws of the weights", ["Its mean", "Its relative variance"])
    for (width, one), color in zip(lengths.items(), CURVE_COLORS, strict=False):
        depth = np.arange(1, one.shape[1] + 1)
        draw_line(left, depth, one.mean(axis=0), color, f"He, width {width}", marker="o")
        draw_line(right, depth, [spread(each) for each in one.T], color, f"width {width}", marker="o")
        draw_theory(right, depth, (1 + 5 / width) ** depth - 1, "∏(1 + 5/n) − 1" if width == 100 else "")
    draw_line(left, np.arange(1, 11), shrunk.mean(axis=0), CLASS_COLORS[1], "Xavier, width 50", marker="o")
    left.set(yscale="log", ylim=(5e-4, 10), xlabel="layer", ylabel="mean square over the input's")
    right.set(yscale="log", xlabel="layer", ylabel="variance / mean²")
    draw_key(left, loc="lower right")
    draw_key(right, loc="lower right")
    return figure
