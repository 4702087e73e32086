"""How many deep, narrow ReLU networks are born dead, and how many end as a constant?"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from initlab.config.rules import Count, NonNegative, Seed, Size
from initlab.datasets.dataset import Dataset
from initlab.initializers import he
from initlab.networks.network import Network
from initlab.plots import draw_key, draw_line, draw_theory, panels
from initlab.plots.style import CLASS_COLORS, CURVE_COLORS
from initlab.shelf.estimate import Estimate, share
from initlab.shelf.replication import Sweeping
from initlab.shelf.untrained import untrained
from initlab.types import Array

DEPTHS = np.arange(1, 11)
EXPLAINED = 0.05  # of the variance: a run that explains less is a constant


def absolute(*, n_train: Count, n_test: Count, noise: NonNegative, n_validation: Size, seed: Seed) -> Dataset:
    """Returns |x|, standardised, at x drawn evenly from (−√3, √3), as a regression."""
    rng = np.random.RandomState(seed)
    X = rng.uniform(-np.sqrt(3), np.sqrt(3), (1, n_train + n_test))
    Y = (np.abs(X) - np.sqrt(3) / 2) / 0.5 + noise * rng.standard_normal(X.shape)
    parts = X[:, :n_train], Y[:, :n_train], X[:, n_train:], Y[:, n_train:]
    return Dataset(*parts, source="|x|", task="regression")


def measure(sweep: Sweeping, *, networks: int, runs: int, iterations: int) -> tuple[dict[str, Estimate], Any]:
    """Returns the shares born dead and collapsed, and by depth how many are dead."""
    dead = {width: dead_by_depth(width, networks) for width in (2, 3, 5, 10)}
    scores = {start: trained_scores(sweep, start, runs, iterations) for start in ("he", "rai")}
    collapsed = {start: int(np.sum(one < EXPLAINED)) for start, one in scores.items()}
    ours = {f"born_dead_{n}": share(int(dead[n][:, -1].sum()), networks) for n in (10, 5, 3)}
    he_share, rai_share = share(collapsed["he"], runs), share(collapsed["rai"], runs)
    ours |= {"collapse": he_share, "collapse_rai": rai_share, "gain": difference(he_share, rai_share)}
    return ours, (dead, scores)


def difference(one: Estimate, other: Estimate) -> Estimate:
    """Returns the difference of two shares with Newcombe's interval (1998, method 10)."""
    value = one.value - other.value
    below = np.hypot(one.value - one.low, other.high - other.value)
    above = np.hypot(one.high - one.value, other.value - other.low)
    return Estimate(value, float(value - below), float(value + above))


def dead_by_depth(width: int, networks: int) -> Array:
    """Returns whether the signal of every input is 0 behind each hidden layer, (networks, depths).

    Without biases a network of one input is a line on either side of 0, so two inputs tell of all.
    """
    network = Network((1, *[width] * len(DEPTHS), 1), "relu", "linear")
    alive = [
        np.stack([a.any(axis=(-2, -1)) for a in tape.hidden], axis=1)
        for tape in untrained(network, he, range(networks), np.array([[-1.0, 1.0]]))
    ]
    return 1.0 - np.concatenate(alive)


def trained_scores(sweep: Sweeping, start: str, runs: int, iterations: int) -> Array:
    """Returns R² of runs on |x| with 10 hidden layers of 2 units; a run that diverged is a constant too."""
    swept = sweep(
        f"dataset._target_={__name__}.absolute", "dataset.n_train=3000", "dataset.n_test=500",
        "dataset.noise=0", "model=deep", "model.depth=10", "model.width=2", f"init={start}",
        "optimizer=adam", "optimizer.learning_rate=0.003", "train.batch_size=64", "diagnostics.names=[]",
        f"train.iterations={iterations}", f"seed=range(0,{runs})", "tracking.every=log",
    )  # fmt: skip
    scores = [summary.score_train for summary in swept.summaries]
    return np.array([0.0 if one is None else one for one in scores])


def figure(data: Any) -> Figure:
    """Returns the share born dead over the depth, and the scores after training."""
    dead, scores = data
    names = ["Born dead", "R² after training on |x|"]
    subtitle = "deep, narrow ReLU networks: at He's start, and 10 layers of 2 units trained"
    figure, (left, right) = panels("The dying ReLU", subtitle, names, width=380)
    for (width, one), color in zip(dead.items(), CURVE_COLORS, strict=False):
        draw_line(left, DEPTHS, one.mean(axis=0), color, f"width {width}", marker="o")
        name = "of one input: 1 − (1 − 2⁻ⁿ)ᴸ" if width == 10 else ""
        draw_theory(left, DEPTHS, 1 - (1 - 2.0**-width) ** DEPTHS, name)
    left.set(xlabel="hidden layers", ylim=(-0.03, 1.03), ylabel="share of networks")
    for (start, one), color in zip(scores.items(), (CURVE_COLORS[0], CLASS_COLORS[1]), strict=True):
        ordered = np.sort(np.clip(one, 0, 1))
        draw_line(right, ordered, np.arange(1, len(one) + 1) / len(one), color, start, drawstyle="steps-post")
    right.set(xlabel="R²", ylabel="share of runs up to it", xlim=(-0.02, 1.02), ylim=(0, 1.03))
    left.set(ylim=(-0.03, 1.5), yticks=np.linspace(0, 1, 6))
    draw_key(left, loc="upper left", ncols=2)
    draw_key(right, loc="lower right")
    return figure
