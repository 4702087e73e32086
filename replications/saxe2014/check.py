"""How does a linear network learn?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from initlab.initializers import initial_parameters, orthogonal, xavier
from initlab.networks.network import Network
from initlab.plots import draw_key, draw_line, draw_theory, mark_values, panels
from initlab.plots.style import CLASS_COLORS, CURVE_COLORS
from initlab.shelf.descent import descent
from initlab.shelf.estimate import Estimate, exact, median
from initlab.shelf.replication import Sweeping
from initlab.training.loop import fit
from initlab.training.standing import at_start
from initlab.types import Array

INPUTS = 12
STRENGTHS = np.array([4.0, 2.0, 1.0])
FIRST, RATE = 0.001, 0.002
WIDTH = 32
LEARNED = 0.01  # of the first cost
STARTS = {"orthogonal": orthogonal, "gaussian": xavier}


def measure(
    sweep: Sweeping, *, seeds: int, depths: Sequence[int], iterations: int, rates: int
) -> tuple[dict[str, Estimate], Any]:
    """Returns how far the curves are from the exact ones, and how the steps grow with depth."""
    times, modes = mode_curves()
    laws = law(times[:, np.newaxis], STRENGTHS)
    steps = {
        name: np.array(
            [[steps_to_learn(start, d, seed, iterations, rates) for d in depths] for seed in range(seeds)]
        )
        for name, start in STARTS.items()
    }
    half = [np.interp(s / 2, mode, times) for s, mode in zip(STRENGTHS, modes.T, strict=True)]
    ours = {
        "curves": exact(float(np.max(np.abs(modes - laws) / STRENGTHS))),
        "order": exact(half[-1] / half[0]),
    }
    ours |= {name: median(one[:, -1] / one[:, 0]) for name, one in steps.items()}
    return ours, (times, modes, laws, depths, steps)


def whitened(inputs: int) -> Array:
    """Returns inputs (n, 2n) of mean 0 and covariance I."""
    half = np.eye(inputs) * np.sqrt(inputs)
    return np.concatenate([half, -half], axis=1)


def mode_curves() -> tuple[Array, Array]:
    """Returns times (n,), in units of 1 / rate, and the strengths of the modes (n, modes) of W₂W₁."""
    rng = np.random.RandomState(0)
    rank = len(STRENGTHS)
    U, R, V = (orthogonal(rng, shape)[:, :rank] for shape in ((rank, rank), (6, 6), (INPUTS, INPUTS)))
    network = Network((INPUTS, 6, rank), "linear", "linear")
    flat = np.zeros((1, network.size))
    first, second = network.blocks(flat)
    first[0, :, :-1], second[0, :, :-1] = np.sqrt(FIRST) * R @ V.T, np.sqrt(FIRST) * U @ R.T
    X = whitened(INPUTS)
    target = U @ np.diag(STRENGTHS) @ V.T
    standing, modes = at_start(flat), [np.full(rank, FIRST)]
    iterations = round(9.5 / STRENGTHS[-1] / RATE)
    for _ in fit(network, standing, (X, target @ X), descent(RATE), iterations=iterations):
        W1, W2 = (block[0, :, :-1] for block in network.blocks(standing.parameters))
        modes.append(np.diag(U.T @ W2 @ W1 @ V))
    return RATE * np.arange(iterations + 1), np.array(modes)


def law(t: Array, s: Array) -> Array:
    """Returns a mode's strength at time t: s e^{2st} / (e^{2st} − 1 + s / u₀), from u₀ on."""
    grown = np.exp(2 * s * t)
    return np.asarray(s * grown / (grown - 1 + s / FIRST))


def digits_map() -> Array:
    """Returns the linear map (10, WIDTH) from digits, whitened in their first WIDTH directions, to their
    classes, one-hot and centred: its greatest strength is 1.
    """
    digits = load_digits()
    X = digits.data - digits.data.mean(axis=0)
    U = np.linalg.svd(X, full_matrices=False)[0][:, :WIDTH]
    Y = np.eye(10)[digits.target] - 0.1
    found = Y.T @ U
    return np.asarray(found / np.linalg.norm(found, 2))


def steps_to_learn(start: Any, depth: int, seed: int, iterations: int, rates: int) -> float:
    """Returns the steps until the cost is a hundredth of its first, with the best rate of a grid; those of
    all iterations where no rate gets there.

    With whitened inputs the cost of all digits is, but for a constant, that of their linear map.
    """
    network = Network((WIDTH, *[WIDTH] * (depth - 1), 10), "linear", "linear")
    flat = np.tile(initial_parameters(start, network, seed), (rates, 1))
    rule = descent(np.geomspace(0.02, 4, rates)[:, np.newaxis] / depth)
    X = whitened(WIDTH)
    data, first = (X, digits_map() @ X), np.inf
    with threadpool_limits(1), np.errstate(all="ignore"):
        for record in fit(network, at_start(flat), data, rule, iterations=iterations):
            first = record.cost[0] if record.iteration == 0 else first
            if np.any(record.cost <= LEARNED * first):
                return float(record.iteration)
    return float(iterations)


def figure(data: Any) -> Figure:
    """Returns the curves of the modes, and the steps over the depth."""
    times, modes, laws, depths, steps = data
    names = ["Modes of one hidden layer", "Steps to learn, best rate"]
    figure, (left, right) = panels(
        "Learning in deep linear networks", "beside the exact solution", names, width=380
    )
    for n, color in enumerate((CLASS_COLORS[0], CURVE_COLORS[2], CURVE_COLORS[1])):
        draw_line(left, times, modes[:, n], color, f"strength {STRENGTHS[n]:g}", lw=3.5, alpha=0.6)
        draw_theory(left, times, laws[:, n], "exact" if n == 2 else "")
    left.set(xlabel="time (steps × rate)", ylabel="strength of the mode", xlim=(0, 6))
    for (name, found), color in zip(steps.items(), (CLASS_COLORS[1], CURVE_COLORS[0]), strict=True):
        middle, ends = np.median(found, axis=0), np.quantile(found, (0.25, 0.75), axis=0)
        draw_line(right, depths, middle, color, name, marker="o", band=ends)
    right.set(xlabel="layers", xscale="log", yscale="log", ylabel="steps")
    mark_values(right.xaxis, depths)
    draw_key(left, loc="lower right")
    draw_key(right, loc="upper left")
    return figure
