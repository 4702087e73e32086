"""How deep a network of rectifiers can still be trained?"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from initlab.plots import draw_key, draw_line, panels
from initlab.plots.style import CLASS_COLORS, CURVE_COLORS
from initlab.shelf.estimate import Estimate, median, share
from initlab.shelf.replication import Sweeping

FEW, MANY = 8, 30
LEARNED = 0.9


def measure(
    sweep: Sweeping, *, learning_rate: float, seeds: int, iterations: int
) -> tuple[dict[str, Estimate], Any]:
    """Returns the shares of runs that learn, and how much sooner they do."""
    swept = sweep(
        "dataset=digits", "model=deep", "model.width=50", f"model.depth={FEW},{MANY}", "init=xavier,he",
        "optimizer=momentum", f"optimizer.learning_rate={learning_rate}", "train.batch_size=64",
        "diagnostics.names=[]", f"train.iterations={iterations}", f"seed=range(0,{seeds})",
    )  # fmt: skip
    scores, reached = {}, {}
    for depth in (FEW, MANY):
        for init in ("xavier", "he"):
            runs = [
                one.summary
                for one in swept.outcomes
                if one.summary and (one.settings["init"], one.settings["model.depth"]) == (init, str(depth))
            ]
            scores[init, depth] = np.array([run.score_train or 0.0 for run in runs])
            steps = [iterations if run.reached_at is None else run.reached_at for run in runs]
            reached[init, depth] = np.array(steps)
    learned = {key: share(int(np.sum(one >= LEARNED)), len(one)) for key, one in scores.items()}
    ours = {
        "he_30": learned["he", MANY],
        "xavier_30": learned["xavier", MANY],
        "xavier_few": learned["xavier", FEW],
        "sooner": median(reached["xavier", FEW] / np.maximum(reached["he", FEW], 1)),
    }
    return ours, (scores, reached, iterations)


def figure(data: Any) -> Figure:
    """Returns the scores and the steps of all runs."""
    scores, reached, iterations = data
    names = ["Train accuracy at the end", "Steps until half the cost of chance"]
    title, subtitle = "Rectifiers, 8 and 30 layers deep", "each dot a run; digits, 50 units a layer"
    figure, (left, right) = panels(title, subtitle, names, width=360)
    looks = {"xavier": (CLASS_COLORS[0], "Xavier, 1 / fan_in"), "he": (CLASS_COLORS[1], "He, 2 / fan_in")}
    for place, (init, depth) in enumerate(scores):
        color, name = looks[init]
        x = place + np.linspace(-0.25, 0.25, len(scores[init, depth]))
        named = name if depth == FEW else ""
        draw_line(left, x, np.sort(scores[init, depth]), color, named, marker="o", ls="")
        draw_line(right, x, np.sort(reached[init, depth]), color, named, marker="o", ls="")
    for axes in (left, right):
        axes.set_xticks([0.5, 2.5], [f"{FEW} hidden layers", f"{MANY} hidden layers"])
        axes.set(xlim=(-0.6, 3.6))
    left.set(ylim=(0, 1.03))
    right.set(yscale="log")
    right.axhline(iterations, color=CURVE_COLORS[0], lw=1, ls=":")
    draw_key(left, loc="lower left")
    return figure
