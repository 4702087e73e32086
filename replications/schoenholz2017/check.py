"""How deep does a signal reach into a random network, and how deep a network can be trained?"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from initlab.activations import ACTIVATIONS
from initlab.initializers import initial_parameters, mean_field
from initlab.networks.network import Network
from initlab.plots import draw_key, draw_line, draw_theory, panels
from initlab.plots.style import CLASS_COLORS, CURVE_COLORS
from initlab.propagation.signals import gradients_from_above, pairs_of_inputs, propagate
from initlab.shelf.estimate import Estimate, exact, jackknife, mean
from initlab.shelf.replication import Sweeping
from initlab.theory.mean_field import Phase, phase
from initlab.types import Array

TANH, SIGMA_B2 = ACTIVATIONS["tanh"], 0.05
TOGETHER = 4  # networks whose weights are held at once
NOISE = 0.03  # of a mean correlation: nearer to its limit, its decay cannot be told


def measure(
    sweep: Sweeping,
    *,
    networks: int,
    groups: int,
    width: int,
    depth: int,
    sigma_w: Sequence[float],
    depths: Sequence[int],
    seeds: int,
    iterations: int,
) -> tuple[dict[str, Estimate], Any]:
    """Returns fixed points and depth scales, and the power and the factor of the trainable depth."""
    squares, _ = signals(1.76, networks, width, depth)
    correlations = {w2: signals(w2, networks, width, depth)[1] for w2 in (1.0, 3.0)}
    scales = np.array([theory(s**2).depth_scale for s in sigma_w])
    found = trainable(sweep, sigma_w, depths, seeds, iterations)
    limit = theory(3.0).correlation
    assert limit is not None
    ours = {
        "q_star": mean(squares[:, -1]),
        "c_star": mean(correlations[3.0][:, -1]),
        "xi_ordered": jackknife(correlations[1.0], groups, partial(fitted_scale, limit=1.0)),
        "xi_chaotic": jackknife(correlations[3.0], groups, partial(fitted_scale, limit=limit)),
        "rises": over_seeds([np.polyfit(np.log(scales), np.log(one), 1)[0] for one in found]),
        "factor": over_seeds([np.exp(np.mean(np.log(one / scales))) for one in found]),
    }
    return ours, (correlations, sigma_w, found)


def over_seeds(values: Sequence[float]) -> Estimate:
    """Returns the mean, with its interval where there are several seeds."""
    return mean(values) if len(values) > 1 else exact(values[0])


def theory(sigma_w2: float) -> Phase:
    """Returns what the mean field says."""
    return phase(TANH, sigma_w2, SIGMA_B2)


def signals(sigma_w2: float, networks: int, width: int, depth: int) -> tuple[Array, Array]:
    """Returns mean squares and correlations of two inputs' pre-activations by layer, (networks, depth)."""
    network = Network((width, *[width] * depth, 1), "tanh", "linear")
    init = partial(mean_field, sigma_w=sigma_w2**0.5, sigma_b=SIGMA_B2**0.5)
    found = []
    for first in range(0, networks, TOGETHER):
        seeds = range(first, min(first + TOGETHER, networks))
        flat = np.stack([initial_parameters(init, network, seed) for seed in seeds])
        X = pairs_of_inputs(seeds, width, 1.0, 0.0)
        found.append(propagate(network, flat, X, gradients_from_above(seeds, width)))
    squares, correlations = (
        np.concatenate([getattr(one, name) for one in found]) for name in ("mean_squares", "correlations")
    )
    return squares, correlations


def fitted_scale(correlations: Array, limit: float) -> float:
    """Returns ξ of the decay exp(−l/ξ) of |c − c*|, c the mean over networks (networks, depth)."""
    away = np.abs(correlations.mean(axis=0) - limit)
    known = np.logical_and.accumulate(away > NOISE)
    known[:2] = True  # a line needs two points
    return float(-1 / np.polyfit(np.arange(known.sum()), np.log(away[known]), 1)[0])


def trainable(
    sweep: Sweeping, sigma_w: Sequence[float], depths: Sequence[int], seeds: int, iterations: int
) -> Array:
    """Returns up to which depth networks learn half of the training digits, (seeds, σw)."""
    swept = sweep(
        "dataset=digits", "model=deep", "init=mean_field", "model.activation=tanh", "model.width=50",
        f"init.sigma_b={SIGMA_B2**0.5}", "optimizer.learning_rate=0.05", "train.batch_size=64",
        f"seed=range(0,{seeds})", f"init.sigma_w={','.join(map(str, sigma_w))}",
        f"model.depth={','.join(map(str, depths))}", f"train.iterations={iterations}",
        "diagnostics.names=[]",
    )  # fmt: skip
    scores = np.array([summary.score_train or 0.0 for summary in swept.summaries])
    table = scores.reshape(seeds, len(sigma_w), len(depths))
    return np.array([[half_learned(row, depths) for row in of_seed] for of_seed in table])


def half_learned(scores: Array, depths: Sequence[int]) -> float:
    """Returns the depth at which scores over rising depths fall to a half, between two depths as a line over
    log depth has it; the first or the last depth where it is beyond them.
    """
    below = np.flatnonzero(scores < 0.5)
    if not len(below) or below[0] == 0:
        return float(depths[0] if len(below) else depths[-1])
    at = int(below[0])
    share = (scores[at - 1] - 0.5) / (scores[at - 1] - scores[at])
    return float(depths[at - 1] * (depths[at] / depths[at - 1]) ** share)


def figure(data: Any) -> Figure:
    """Returns the decay of correlations, and the trainable depth beside ξ."""
    correlations, sigma_w, found = data
    title = "How deep a signal reaches"
    subtitle = "tanh, σb² = .05"
    names = ["Correlation of two inputs", "Trainable depth"]
    figure, (left, right) = panels(title, subtitle, names, width=380)
    for (w2, one), color in zip(correlations.items(), CLASS_COLORS, strict=True):
        layers, at = np.arange(1, one.shape[1] + 1), theory(w2)
        draw_line(left, layers, one.mean(axis=0), color, f"σw² = {w2:g}", marker="o", ms=5)
        first = one[:, 0].mean()
        decay = at.correlation + (first - at.correlation) * np.exp(-(layers - 1) / at.depth_scale)
        draw_theory(left, layers, decay, "c* + … exp(−l/ξ)" if w2 == 1 else "")
    left.set(xlabel="layer", ylim=(0, 1.05))
    grid = np.linspace(0.8, 2.3, 301)
    scales = np.array([theory(s**2).depth_scale for s in grid])
    for factor, look in ((1, CURVE_COLORS[0]), (3, CURVE_COLORS[2]), (6, CURVE_COLORS[6])):
        draw_line(right, grid, factor * scales, look, f"{factor} ξ" if factor > 1 else "ξ", lw=1.5)
    middle = np.exp(np.log(found).mean(axis=0))
    draw_line(right, sigma_w, middle, CLASS_COLORS[0], "trained", marker="o", ls="")
    right.set(xlabel="σw", yscale="log", ylim=(2, 200), ylabel="depth")
    draw_key(left, loc="lower right")
    draw_key(right, loc="upper right")
    return figure
