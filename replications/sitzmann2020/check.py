"""What do sines make of a signal?"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from initlab.initializers import uniform
from initlab.networks.network import Network
from initlab.plots import draw_key, draw_line, draw_theory, panels
from initlab.plots.style import CLASS_COLORS, GREY
from initlab.shelf.estimate import Estimate, mean
from initlab.shelf.replication import Sweeping
from initlab.shelf.untrained import untrained
from initlab.types import Array

OMEGA = 30.0  # frequency of the first layer
INPUTS, EXAMPLES = 2, 64
ARCSINE = stats.arcsine(-1, 2)
KEPT = 0.79681  # the variance that q = 1 − exp(−2q) keeps


def siren(rng: np.random.RandomState, shape: tuple[int, int]) -> Array:
    """Returns U(±√(6 / fan_in)) or, of the first layer, ω₀ U(±1 / fan_in)."""
    fan_in = shape[1]
    limit = OMEGA / fan_in if fan_in == INPUTS else np.sqrt(6 / fan_in)
    return uniform(rng, shape, low=-float(limit), high=float(limit))


def measure(
    sweep: Sweeping, *, networks: int, groups: int, depth: int, width: int
) -> tuple[dict[str, Estimate], Any]:
    """Returns variances and distances over groups of networks; the variances by layer, and the last layer."""
    found: list[dict[str, float]] = []
    variances = []
    for group in range(groups):
        seeds = range(group * networks // groups, (group + 1) * networks // groups)
        layers = layers_of(depth, width, seeds)
        variances.append([one.var() for one in layers])
        last = layers[-1]
        found.append(
            {
                "arcsine_first": distance(np.sin(layers[0]), ARCSINE),
                "variance_second": float(layers[1].var()),
                "kept": float(last.var() / layers[4].var()),
                "normal_last": distance(last / last.std(), stats.norm()),
                "variance_last": float(last.var()),
                "arcsine_last": distance(np.sin(last), ARCSINE),
            }
        )
    ours = {key: mean([one[key] for one in found]) for key in found[0]}
    return ours, (np.array(variances), last)


def layers_of(depth: int, width: int, seeds: range) -> list[Array]:
    """Returns all pre-activations of each hidden layer."""
    X = np.random.RandomState(seeds[0]).uniform(-1, 1, (INPUTS, EXAMPLES))
    network = Network((INPUTS, *[width] * depth, 1), "sin", "linear")
    tapes = [[z.ravel().copy() for z in tape.z[:-1]] for tape in untrained(network, siren, seeds, X)]
    return [np.concatenate(parts) for parts in zip(*tapes, strict=True)]


def distance(values: Array, law: Any) -> float:
    """Returns the largest difference of the distribution functions of values and a law."""
    return float(stats.kstest(values, law.cdf).statistic)


def figure(data: Any) -> Figure:
    """Returns the variance by layer, and the histograms of the last layer over the laws."""
    variances, last = data
    title = f"A network of sines, {variances.shape[1]} layers deep"
    names = ["Variance before the sine", "The last layer before the sine", "and after it"]
    figure, (first, left, right) = panels(title, "over units, inputs and networks", names)
    layers = np.arange(2, variances.shape[1] + 1)
    draw_line(first, layers, variances[:, 1:].mean(axis=0), CLASS_COLORS[0], "measured", marker="o")
    draw_theory(first, layers, np.ones(len(layers)), "the paper: 1")
    draw_line(first, layers, np.full(len(layers), KEPT), GREY, "q = 1 − exp(−2q)", lw=1.4)
    first.set(xlabel="layer", ylim=(0.7, 1.1))
    for axes, values, law, ends, name in (
        (left, last, stats.norm(), (-4, 4), "standard normal"),
        (right, np.sin(last), ARCSINE, (-0.999, 0.999), "arcsine law"),
    ):
        x = np.linspace(ends[0], ends[1], 400)
        look: dict[str, Any] = {
            "color": CLASS_COLORS[0],
            "alpha": 0.35,
            "histtype": "stepfilled",
            "label": "measured",
        }
        axes.hist(values, 120, range=ends, density=True, **look)
        draw_theory(axes, x, law.pdf(x), name)
        axes.set(xlabel="value", ylabel="density", ylim=(0, 0.62 if axes is left else 3.0))
    draw_key(first, loc="upper right")
    draw_key(left, loc="upper left")
    draw_key(right, loc="upper center")
    return figure
