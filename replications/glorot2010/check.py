"""Why are deep networks of sigmoids hard to train?"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from initlab.diagnostics.derivatives import singular_values
from initlab.initializers import glorot_uniform, variance_scaling
from initlab.networks.network import Network
from initlab.plots import draw_key, draw_line, panels
from initlab.plots.style import CLASS_COLORS
from initlab.shelf.estimate import Estimate, mean, median
from initlab.shelf.replication import Sweeping
from initlab.shelf.untrained import untrained
from initlab.types import Array

LAYERS, EXAMPLES = 5, 100
STARTS = {
    "standard": partial(variance_scaling, scale=1 / 3, mode="fan_in", distribution="uniform"),
    "normalized": glorot_uniform,
}
CASES = {
    "sigmoid": ("sigmoid", "standard"),
    "tanh": ("tanh", "standard"),
    "tanh N": ("tanh", "normalized"),
    "softsign": ("softsign", "standard"),
    "softsign N": ("softsign", "normalized"),
}
WORDS = {
    "standard": (
        "init=variance_scaling",
        "init.scale=0.3333333333333333",
        "init.mode=fan_in",
        "init.distribution=uniform",
    ),
    "normalized": ("init=glorot_uniform",),
}


def measure(
    sweep: Sweeping, *, units: int, networks: int, seeds: int, rates: Sequence[float], iterations: int
) -> tuple[dict[str, Estimate], Any]:
    """Returns Jacobians and gradients at the start, and test errors after training."""
    at_start = {name: layers_of(init, units, networks) for name, init in STARTS.items()}
    errors = {case: test_errors(sweep, *about, seeds, rates, iterations) for case, about in CASES.items()}
    best = np.min([errors[case] for case in CASES if case != "sigmoid"], axis=0)
    ours = {f"jacobian_{name}": mean(found["jacobian"]) for name, found in at_start.items()}
    ours |= {
        f"gradients_{name}": mean(found["gradient"][:, 0] / found["gradient"][:, -1])
        for name, found in at_start.items()
    }
    ours |= {
        "tanh": median(errors["tanh"] / errors["tanh N"]),
        "sigmoid": median(errors["sigmoid"] / best),
        "softsign": median(errors["softsign"] / errors["softsign N"]),
    }
    return ours, (at_start, errors)


def layers_of(init: Any, units: int, networks: int) -> dict[str, Array]:
    """Returns of each network and layer (networks, LAYERS) the std of activations and of back-propagated
    gradients, and the mean singular value of the Jacobians of layers 2 to 5 (networks,).
    """
    network = Network((units, *[units] * LAYERS, 1), "tanh", "linear")
    rng = np.random.RandomState(0)
    X = rng.standard_normal((units, EXAMPLES))
    found: dict[str, list[Array]] = {"activation": [], "gradient": [], "jacobian": []}
    for tape in untrained(network, init, range(networks), X):
        tape.output.delta[:] = rng.standard_normal(tape.output.delta.shape)
        tape.propagate_back()
        found["activation"].append(np.stack([a.std(axis=(-2, -1)) for a in tape.hidden], axis=1))
        found["gradient"].append(np.stack([d.std(axis=(-2, -1)) for d in tape.delta[:-1]], axis=1))
        found["jacobian"].append(np.mean([jacobian_size(tape, layer) for layer in range(1, LAYERS)], axis=0))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def jacobian_size(tape: Any, layer: int) -> Array:
    """Returns the mean singular value (R,) of φ'(z) W of a layer at the first example."""
    slopes = 1 - tape.hidden[layer][..., :1] ** 2
    return np.asarray(singular_values(slopes * tape.linears[layer].W).mean(axis=-1))


def test_errors(
    sweep: Sweeping, activation: str, start: str, seeds: int, rates: Sequence[float], iterations: int
) -> Array:
    """Returns the test errors (seeds,) with the learning rate that validates best."""
    swept = sweep(
        "dataset=digits", "dataset.validation_share=0.15", "model=deep", "model.depth=5", "model.width=100",
        f"model.activation={activation}", *WORDS[start], "train.batch_size=10", "diagnostics.names=[]",
        f"train.iterations={iterations}", f"seed=range(0,{seeds})",
        f"optimizer.learning_rate={','.join(map(str, rates))}", "tracking.every=log",
    )  # fmt: skip
    scores = np.array([[one.score_validation or 0.0, one.score_test or 0.0] for one in swept.summaries])
    table = scores.reshape(seeds, len(rates), 2)
    chosen = np.argmax(np.median(table[..., 0], axis=0))
    return np.asarray(1 - table[:, chosen, 1])


def figure(data: Any) -> Figure:
    """Returns activations and gradients by layer, and the test errors."""
    at_start, errors = data
    title = "The standard start and the normalized one"
    subtitle = "five hidden layers of tanh units before training; test errors on digits after it"
    names = ["Std of activations", "Std of gradients", "Test error"]
    figure, (left, middle, right) = panels(title, subtitle, names, width=300)
    layers = np.arange(1, LAYERS + 1)
    for (name, found), color in zip(at_start.items(), CLASS_COLORS, strict=True):
        draw_line(left, layers, found["activation"].mean(axis=0), color, name, marker="o")
        scaled = found["gradient"] / found["gradient"][:, -1:]
        draw_line(middle, layers, scaled.mean(axis=0), color, name, marker="o")
    left.set(xlabel="layer", ylim=(0, 0.7))
    middle.set(xlabel="layer", yscale="log", ylabel="over that of layer 5")
    for place, (case, found) in enumerate(errors.items()):
        color = CLASS_COLORS["N" in case]
        x = place + np.linspace(-0.2, 0.2, len(found))
        draw_line(right, x, 100 * np.sort(found), color, marker="o", ls="")
    right.set_xticks(range(len(errors)), list(errors), rotation=30)
    right.set(yscale="log", ylabel="%")
    draw_key(left, loc="lower left")
    draw_key(middle, loc="lower right")
    return figure
