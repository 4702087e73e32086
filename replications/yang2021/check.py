"""Do wide networks change as much as narrow ones?"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from initlab.initializers import he, initial_parameters, mup
from initlab.networks.network import Network
from initlab.networks.tape import Tape, with_ones
from initlab.optimizers import adam
from initlab.optimizers.layer_rates import rate_factors
from initlab.plots import draw_key, draw_line, mark_values, panels
from initlab.plots.style import CLASS_COLORS, CURVE_COLORS
from initlab.shelf.estimate import Estimate, mean
from initlab.shelf.replication import Sweeping
from initlab.training.loop import fit
from initlab.training.standing import at_start
from initlab.types import Array

EXAMPLES = 256
STARTS: dict[str, Any] = {"standard": he, "mup": partial(mup, gain="relu")}


def measure(
    sweep: Sweeping, *, widths: Sequence[int], seeds: int, steps: int, rate: float
) -> tuple[dict[str, Estimate], Any]:
    """Returns the powers of the width, and all coordinates."""
    found = {
        name: np.array([[coordinates(name, n, seed, steps, rate) for n in widths] for seed in range(seeds)])
        for name in STARTS
    }
    ours = {
        "mup_start": power(widths, found["mup"][:, :, 0, 1]),
        "mup_answers": power(widths, found["mup"][:, :, -1, 3]),
        "mup_hidden": power(widths, found["mup"][:, :, -1, 2]),
        "standard_answers": power(widths, found["standard"][:, :, -1, 3]),
    }
    return ours, (widths, found)


def power(widths: Sequence[int], sizes: Array) -> Estimate:
    """Returns the power of the width that sizes (seeds, widths) grow with, over the three widest."""
    return mean(np.polyfit(np.log(widths[-3:]), np.log(sizes.T[-3:]), 1)[0])


def coordinates(name: str, width: int, seed: int, steps: int, rate: float) -> Array:
    """Returns after 0, 1, … steps (steps + 1, 4) the mean size of the second layer's activations and of the
    answers, and of the changes of both since the start.
    """
    digits = load_digits()
    X = digits.data[:EXAMPLES].T / 8 - 1
    Y = np.eye(10)[:, digits.target[:EXAMPLES]]
    network = Network((64, width, width, 10), "relu", "softmax")
    factors = rate_factors(
        network, adam, {"learning_rate": rate}, layer_rates="mup" if name == "mup" else None
    )
    rule: Any = adam
    update = partial(
        rule, learning_rate=rate * (1.0 if factors is None else factors), beta1=0.9, beta2=0.999, epsilon=1e-8
    )
    with threadpool_limits(1):
        standing = at_start(initial_parameters(STARTS[name], network, seed)[np.newaxis])
        seen = [look(network, standing.parameters, X)]
        for record in fit(network, standing, (X, Y), update, iterations=steps):
            seen.append(look(network, record.parameters, X))
    hidden, answers = seen[0]
    return np.array([[size(h), size(z), size(h - hidden), size(z - answers)] for h, z in seen])


def look(network: Network, parameters: Array, X: Array) -> tuple[Array, Array]:
    """Returns the second layer's activations and the answers' pre-activations."""
    tape = Tape(network, parameters, X.shape[-1])
    tape.read(with_ones(X))
    tape.forward()
    return tape.hidden[1].copy(), tape.z[-1].copy()


def size(values: Array) -> float:
    """Returns the mean absolute value."""
    return float(np.mean(np.abs(values)))


def figure(data: Any) -> Figure:
    """Returns the mean change of answers and of the second layer over the width, by step."""
    widths, found = data
    names = ["Standard: answers", "muP: answers", "muP: second hidden layer"]
    title = "The coordinate check"
    figure, axes = panels(
        title, "mean |change| since the start, after 1, 2, … steps of Adam", names, width=280
    )
    shades = CURVE_COLORS[5], CLASS_COLORS[0], CURVE_COLORS[6], CLASS_COLORS[1]
    for one, (name, what) in zip(axes, (("standard", 3), ("mup", 3), ("mup", 2)), strict=True):
        for step in range(1, found[name].shape[2]):
            sizes = found[name][:, :, step, what]
            band = sizes.min(axis=0), sizes.max(axis=0)
            color = shades[(step - 1) % len(shades)]
            draw_line(one, widths, sizes.mean(axis=0), color, f"step {step}", marker="o", band=band)
        one.set(xscale="log", yscale="log", xlabel="width")
        mark_values(one.xaxis, widths)
    low = min(one.get_ylim()[0] for one in axes)
    high = max(one.get_ylim()[1] for one in axes)
    for one in axes:
        one.set_ylim(low, high)
    draw_key(axes[1], loc="upper left")
    return figure
