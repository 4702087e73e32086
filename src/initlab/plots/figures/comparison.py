"""Boundaries and cost curves of several runs in one figure."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from initlab.plots.figures.boundary import plot_boundary
from initlab.plots.figures.costs import draw_costs
from initlab.plots.style import CURVE_COLORS, GREY, Box, new_axes, new_figure
from initlab.plots.tasks import chance_of, view_of
from initlab.types import Array

LETTERS = 16  # pixels, of the figure's smaller text


class Entry(NamedTuple):
    """A run to compare: its answers (n_y, k²) at a Boundary's points, or None, its score, which is its
    accuracy or, of a regression, R², and its cost (n,).
    """

    label: str
    answers: Array | None
    score: float
    cost: Array


def comparison(
    X: Array, Y: Array, entries: Sequence[Entry], task: str = "binary", classes: Sequence[str] = ()
) -> Figure:
    """Returns a figure, 1500 pixels wide, of the entries' boundaries in a row above all their cost curves."""
    style, plane = view_of(X, Y, task, classes)
    pitch = min(450, (1438 - style.legend_width(LETTERS)) // len(entries))
    side = pitch - 28
    box = Box(84, 86, side, side)
    figure = new_figure(1500, box.top + side + 470)
    text: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "parse_math": False}
    for number, (entry, color) in enumerate(zip(entries, cycle(CURVE_COLORS), strict=False)):
        box = box._replace(left=84 + number * pitch)
        axes = plot_boundary(X, Y, entry.answers, task=task, classes=classes, ax=new_axes(figure, box))
        axes.set(xticks=[], yticks=[], xlabel="", ylabel="")
        axes.annotate(
            entry.label, (0, 1), (0, 34), color=color, size=min(21, side / 8), weight="bold", **text
        )
        score = f"R² {entry.score:.3f}" if task == "regression" else f"accuracy {100 * entry.score:.1f} %"
        score = score.replace("-", "−")
        axes.annotate(score, (0, 1), (0, 11), color=GREY, size=min(16, side / 8), **text)
    style.draw_legend(figure, box, LETTERS)
    figure.axes[0].annotate(plane.note, (0, 0), (0, -9), color=GREY, size=13, va="top", **text)
    costs = new_axes(figure, Box(84, box.top + side + 50, 1210, 350), LETTERS)
    names, curves = [entry.label for entry in entries], [entry.cost for entry in entries]
    draw_costs(costs, names, curves, chance_of(task, Y))
    return figure
