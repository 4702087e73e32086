"""Boundaries and cost curves of several runs in one figure."""

from collections.abc import Sequence
from itertools import cycle
from math import ceil
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from initlab.plots.figures.boundary import plot_boundary
from initlab.plots.figures.costs import Curves, draw_costs
from initlab.plots.style import CURVE_COLORS, GREY, Box, new_axes, new_figure
from initlab.plots.tasks import chance_of, view_of
from initlab.types import Array

MOST_IN_A_ROW = 5
LETTERS = 16  # pixels, of the figure's smaller text


class Entry(NamedTuple):
    """What is compared: the answers (n_y, k²) of a run at a Boundary's points, or None, its score, which is
    its accuracy or, of a regression, R², and its cost (n,) or those of several runs that it stands for.
    """

    label: str
    answers: Array | None
    score: float
    cost: Curves
    note: str = ""


def comparison(
    X: Array, Y: Array, entries: Sequence[Entry], task: str = "binary", classes: Sequence[str] = ()
) -> Figure:
    """Returns a figure, 1500 pixels wide, of the entries' boundaries, in a row or two, above all their cost
    curves. An entry's ``note`` stands beside its score.
    """
    style, plane = view_of(X, Y, task, classes)
    in_a_row = len(entries) if len(entries) <= MOST_IN_A_ROW else ceil(len(entries) / 2)
    rows = ceil(len(entries) / in_a_row)
    pitch = min(450, (1438 - style.legend_width(LETTERS)) // in_a_row)
    side = pitch - 28
    bottom = rows * (side + 86)
    figure = new_figure(1500, bottom + 470)
    text: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "parse_math": False}
    for number, (entry, color) in enumerate(zip(entries, cycle(CURVE_COLORS), strict=False)):
        row, column = divmod(number, in_a_row)
        box = Box(84 + column * pitch, 86 + row * (side + 86), side, side)
        axes = plot_boundary(X, Y, entry.answers, task=task, classes=classes, ax=new_axes(figure, box))
        axes.set(xticks=[], yticks=[], xlabel="", ylabel="")
        axes.annotate(
            entry.label, (0, 1), (0, 34), color=color, size=min(21, side / 8), weight="bold", **text
        )
        score = f"R² {entry.score:.3f}" if task == "regression" else f"accuracy {100 * entry.score:.1f} %"
        score = " ".join(filter(None, [score.replace("-", "−"), entry.note]))
        axes.annotate(score, (0, 1), (0, 11), color=GREY, size=min(16, side / 8), **text)
    style.draw_legend(figure, box._replace(left=84 + (in_a_row - 1) * pitch, top=86), LETTERS)
    below = figure.axes[(rows - 1) * in_a_row]
    below.annotate(plane.note, (0, 0), (0, -9), color=GREY, size=13, va="top", **text)
    costs = new_axes(figure, Box(84, bottom + 50, 1210, 350), LETTERS)
    names, curves = [entry.label for entry in entries], [entry.cost for entry in entries]
    draw_costs(costs, names, curves, chance_of(task, Y))
    return figure
