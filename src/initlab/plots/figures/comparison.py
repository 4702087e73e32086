"""Boundaries and cost curves of what is compared, in one figure."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from math import ceil, isfinite
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initlab.plots.figures.bands import band_of
from initlab.plots.figures.boundary import plot_boundary
from initlab.plots.figures.costs import draw_costs, room_for_names
from initlab.plots.figures.labels import fitted
from initlab.plots.style import CURVE_COLORS, GREY, Box, new_axes, new_figure
from initlab.plots.tasks import chance_of, view_of
from initlab.types import Array

LETTERS = 16  # pixels, of the figure's smaller text
_LEFT, _WIDTH, _COSTS = 84, 1500, 350  # of the figure, and the height of the cost curves
_MOST_IN_A_ROW, _GAP = 5, 28


class Entry(NamedTuple):
    """What is compared: a run, or the runs of several seeds.

    ``answers`` (n_y, k²) are those at a Boundary's points of the run that stands for them, None if they are
    not known. ``score`` is the accuracy or, of a regression, R², of several runs the median; NaN or infinite
    if the run diverged. ``cost`` is that of one run (n,) or of several, as in ``plot_costs``.
    """

    label: str
    answers: Array | None
    score: float
    cost: Array | Sequence[Array]


def comparison(
    X: Array,
    Y: Array,
    entries: Sequence[Entry],
    task: str = "binary",
    classes: Sequence[str] = (),
    part: str = "",
) -> Figure:
    """Returns a figure, 1500 pixels wide, of the entries' boundaries, in one row or in two, above their cost
    curves: of several runs the median over a band.

    ``part`` says which examples the scores are of: "train" or "test".
    """
    style, plane = view_of(X, Y, task, classes)
    columns = len(entries) if len(entries) <= _MOST_IN_A_ROW else ceil(len(entries) / 2)
    rows = ceil(len(entries) / columns)
    pitch = min(450 if rows == 1 else 380, (_WIDTH - 62 - style.legend_width(LETTERS)) // columns)
    side = pitch - _GAP
    labels, sizes = zip(*(fitted(entry.label, "Sans-Bold", (21, 12), side) for entry in entries), strict=True)
    size, top = min(sizes), 110 if any("\n" in label for label in labels) else 86
    bottom = rows * (top + side)
    bands = [band_of(entry.cost) for entry in entries]
    figure = new_figure(_WIDTH, bottom + _COSTS + 120)
    note = {"xycoords": "axes fraction", "textcoords": "offset points", "parse_math": False, "color": GREY}
    for entry, label, box, color in zip(
        entries, labels, _boxes(columns, pitch, top, side), cycle(CURVE_COLORS), strict=False
    ):
        axes = plot_boundary(X, Y, entry.answers, task=task, classes=classes, ax=new_axes(figure, box))
        axes.set(xticks=[], yticks=[], xlabel="", ylabel="")
        _write_above(axes, label, size, color=color, words=_score(entry, task, part), side=side)
    style.draw_legend(figure, Box(_LEFT + (columns - 1) * pitch, top, side, side), LETTERS)
    lowest: Any = figure.axes[columns * (rows - 1)]
    lowest.annotate(plane.note, (0, 0), (0, -9), size=13, va="top", **note)
    names = [entry.label for entry in entries]
    room = min(620, room_for_names(names, bands, 15))
    costs = new_axes(figure, Box(_LEFT, bottom + 50, _WIDTH - _LEFT - room, _COSTS), LETTERS)
    draw_costs(costs, names, bands, chance_of(task, Y))
    return figure


def _boxes(columns: int, pitch: int, top: int, side: int) -> Iterator[Box]:
    """Yields the places of the boundaries, row after row."""
    row = 0
    while True:
        for column in range(columns):
            yield Box(_LEFT + column * pitch, top + row * (top + side), side, side)
        row += 1


def _write_above(axes: Axes, label: str, size: float, *, color: str, words: str, side: float) -> None:
    """Writes a label, and below it the score in words, above axes that are so many pixels wide."""
    text: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "parse_math": False}
    axes.annotate(label, (0, 1), (0, 34), color=color, size=size, weight="bold", linespacing=1.1, **text)
    words, size = fitted(words, "Sans", (16, 8), side)
    axes.annotate(words, (0, 1), (0, 11), color=GREY, size=size, **text)


def _score(entry: Entry, task: str, part: str) -> str:
    """Returns the score in words: 'median train accuracy 99.3 %'."""
    if not isfinite(entry.score):
        return "diverged"
    name, value = ("R²", f"{entry.score:.3f}")
    if task != "regression":
        name, value = "accuracy", f"{100 * entry.score:.1f} %"
    of_several = "median" if band_of(entry.cost).runs > 1 else ""
    return " ".join(word for word in (of_several, part, name, value) if word).replace("-", "−")
