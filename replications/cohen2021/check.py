"""Where does gradient descent go: how sharp does the cost become?"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from initlab.diagnostics.sharpness import lanczos_top
from initlab.initializers import initial_parameters, pytorch_default
from initlab.networks.network import Network
from initlab.networks.tape import with_ones
from initlab.plots import draw_key, draw_line, panels
from initlab.plots.style import CURVE_COLORS
from initlab.shelf.descent import descent
from initlab.shelf.estimate import Estimate, mean
from initlab.shelf.replication import Sweeping
from initlab.training.loop import fit
from initlab.training.standing import at_start
from initlab.types import Array

NETWORK = Network((64, 40, 40, 40, 10), "tanh", "linear")
EXAMPLES = 200
COLORS = CURVE_COLORS[5], CURVE_COLORS[2], CURVE_COLORS[1]


def measure(
    sweep: Sweeping, *, seeds: int, iterations: int, every: int, rates: Sequence[float]
) -> tuple[dict[str, Estimate], Any]:
    """Returns the sharpness over 2 / η, and its course with that of the cost."""
    steps, costs, ratios = descents(seeds, iterations, every, np.repeat(rates, seeds))
    last = steps >= 2 * iterations / 3
    ours = {
        "start": mean(ratios[0]),
        "edge": mean(np.median(ratios[last], axis=0)),
        "falls": mean([fall(costs[:, run], steps, ratios[:, run]) for run in range(ratios.shape[1])]),
    }
    return ours, (steps, costs, ratios, rates, seeds)


def examples() -> tuple[Array, Array]:
    """Returns digits X (64, m), each pixel centred, of variance 1/4 in all, and their classes (10, m),
    one-hot and centred.
    """
    digits = load_digits()
    X, Y = digits.data[:EXAMPLES].T, np.eye(10)[:, digits.target[:EXAMPLES]]
    X = X - X.mean(axis=1, keepdims=True)
    return X * (0.5 / X.std()), Y - Y.mean(axis=1, keepdims=True)


def descents(seeds: int, iterations: int, every: int, rates: Array) -> tuple[Array, Array, Array]:
    """Returns the iterations that were measured (k,), the costs of all (n, R), and the sharpness over 2 / η
    (k, R) of runs, one for each rate (R,).
    """
    X, Y = examples()
    flat = np.stack([initial_parameters(pytorch_default, NETWORK, n % seeds) for n in range(len(rates))])
    standing, update = at_start(flat), descent(rates[:, np.newaxis])
    costs, ratios, steps = [], [], []
    with threadpool_limits(1), np.errstate(all="ignore"):
        sharp = partial(lanczos_top, NETWORK, X1=with_ones(X), targets=Y)
        ratios.append(sharp(standing.parameters) * rates / 2)
        steps.append(0)
        for record in fit(NETWORK, standing, (X, Y), update, iterations=iterations):
            costs.append(record.cost.copy())
            if (record.iteration + 1) % every == 0:
                ratios.append(sharp(record.parameters) * rates / 2)
                steps.append(record.iteration + 1)
    return np.array(steps), np.array(costs), np.array(ratios)


def fall(costs: Array, steps: Array, ratios: Array) -> float:
    """Returns the last cost over that at which the sharpness first reached 2 / η; 1 if it never did."""
    there = np.flatnonzero(ratios >= 1)
    return float(np.mean(costs[-20:]) / costs[min(steps[there[0]], len(costs) - 1)]) if len(there) else 1.0


def figure(data: Any) -> Figure:
    """Returns sharpness and cost of a run of each rate."""
    steps, costs, ratios, rates, seeds = data
    names = ["Sharpness", "Cost"]
    subtitle = "full-batch gradient descent; dashed: 2 / η"
    figure, (left, right) = panels("The edge of stability", subtitle, names, width=390)
    for n, (rate, color) in enumerate(zip(rates, COLORS, strict=False)):
        run = n * seeds
        draw_line(left, steps, ratios[:, run] * 2 / rate, color, f"η = {rate:g}", lw=1.6)
        left.axhline(2 / rate, color=color, lw=1.2, ls=(0, (4, 2.5)))
        draw_line(right, np.arange(len(costs)), costs[:, run], color, f"η = {rate:g}", lw=1.2)
    left.set(xlabel="iteration", ylim=(0, 2.6 / min(rates)))
    right.set(xlabel="iteration", yscale="log")
    draw_key(left, loc="lower right")
    draw_key(right, loc="upper right")
    return figure
