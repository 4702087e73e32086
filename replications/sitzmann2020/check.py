"""What do sines make of a signal?"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from initlab.initializers import uniform
from initlab.networks.network import Network
from initlab.plots import draw_key, draw_theory, panels
from initlab.plots.style import CLASS_COLORS
from initlab.shelf.estimate import Estimate, mean
from initlab.shelf.replication import Sweeping
from initlab.shelf.untrained import untrained
from initlab.types import Array

OMEGA = 30.0  # frequency of the first layer
INPUTS, EXAMPLES = 2, 64
ARCSINE = stats.arcsine(-1, 2)


def siren(rng: np.random.RandomState, shape: tuple[int, int]) -> Array:
    """Returns U(±√(6 / fan_in)) or, of the first layer, ω₀ U(±1 / fan_in)."""
    fan_in = shape[1]
    limit = OMEGA / fan_in if fan_in == INPUTS else np.sqrt(6 / fan_in)
    return uniform(rng, shape, low=-float(limit), high=float(limit))


def measure(
    sweep: Sweeping, *, networks: int, groups: int, depth: int, width: int
) -> tuple[dict[str, Estimate], Any]:
    """Returns variances and distances over groups of networks, and the last group's values."""
    found = []
    for group in range(groups):
        seeds = range(group * networks // groups, (group + 1) * networks // groups)
        second, last = layers_of(depth, width, seeds)
        found.append(
            {
                "variance_2": second.var(),
                "variance_last": last.var(),
                "normal_last": distance(last, stats.norm()),
                "arcsine_2": distance(np.sin(second), ARCSINE),
                "arcsine_last": distance(np.sin(last), ARCSINE),
            }
        )
    ours = {key: mean([one[key] for one in found]) for key in found[0]}
    return ours, (second, last, depth)


def layers_of(depth: int, width: int, seeds: range) -> tuple[Array, Array]:
    """Returns all pre-activations of the second and of the last hidden layer."""
    X = np.random.RandomState(seeds[0]).uniform(-1, 1, (INPUTS, EXAMPLES))
    network = Network((INPUTS, *[width] * depth, 1), "sin", "linear")
    tapes = [(tape.z[1].ravel(), tape.z[-2].ravel()) for tape in untrained(network, siren, seeds, X)]
    second, last = (np.concatenate(parts) for parts in zip(*tapes, strict=True))
    return second, last


def distance(values: Array, law: Any) -> float:
    """Returns the largest difference of the distribution functions of values and a law."""
    return float(stats.kstest(values, law.cdf).statistic)


def figure(data: Any) -> Figure:
    """Returns the histograms of the last layer over the laws."""
    _, last, depth = data
    figure, (left, right) = panels(
        f"A network of sines, {depth} layers deep",
        "values of the last hidden layer, over units, inputs and networks",
        ["Before the sine", "After it"],
    )
    for axes, values, law, ends in (
        (left, last, stats.norm(), (-4, 4)),
        (right, np.sin(last), ARCSINE, (-0.999, 0.999)),
    ):
        x = np.linspace(*ends, 400)
        axes.hist(values, 120, range=ends, density=True, color=CLASS_COLORS[0], alpha=0.35, label="measured")
        draw_theory(axes, x, law.pdf(x), "standard normal" if axes is left else "arcsine law")
        axes.set(xlabel="value", ylabel="density", ylim=(0, 0.52 if axes is left else 3.0))
    draw_key(left, loc="upper left")
    draw_key(right, loc="upper center")
    return figure
