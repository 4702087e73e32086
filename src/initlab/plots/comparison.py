"""Boundaries and cost curves of several runs in one figure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initlab.plots.answers import Look, look_of, shown
from initlab.plots.cost_axes import Chance, cost_range, label_costs, mark_chance
from initlab.plots.cost_curve import finite_start, thin
from initlab.plots.crossing import crossing_line
from initlab.plots.labelling import spread_apart
from initlab.plots.marks import MOST_POINTS
from initlab.plots.palette import CURVE_COLORS, GREY
from initlab.plots.plane import Plane, Window
from initlab.plots.sheet import Box, new_axes, new_figure
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
    look, plane = look_of(task, Y, classes), Plane.of(X)
    pitch = min(450, (1438 - look.legend_width(LETTERS)) // len(entries))
    box = Box(84, 86, pitch - 28, pitch - 28)
    figure = new_figure(1500, box.top + box.height + 470)
    coordinates = plane.coordinates(X)
    unit = Window.around(coordinates).unit(coordinates)
    for number, entry in enumerate(entries):
        box = box._replace(left=84 + number * pitch)
        axes = new_axes(figure, box)
        marks = look.marks(unit, MOST_POINTS, transform=axes.transAxes, ms=min(9, pitch / 40), mew=0.9)
        _draw_panel(axes, entry, look, marks, _curve_color(number))
    look.draw_legend(figure, box, LETTERS)
    style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top"}
    figure.axes[0].annotate(plane.note, (0, 0), (0, -9), color=GREY, size=13, **style)
    costs = new_axes(figure, Box(84, box.top + box.height + 50, 1210, 350), LETTERS)
    _draw_costs(costs, entries, look.chance)
    return figure


def _draw_panel(axes: Axes, entry: Entry, look: Look, marks: Sequence[Artist], color: str) -> None:
    """Draws an entry's boundary and training points under its label and score."""
    side = round(axes.bbox.width)
    heat, lines = shown(look, entry.answers, side)
    pixels = heat.view(np.uint8).reshape(side, side, 4)
    axes.imshow(pixels, extent=(0, 1, 0, 1), interpolation="nearest")
    line = crossing_line(axes.transAxes, width=2)
    line.set_path(lines)
    for artist in (line, *marks):
        axes.add_artist(artist)
    axes.set(xticks=[], yticks=[])
    style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "parse_math": False}
    axes.annotate(entry.label, (0, 1), (0, 34), color=color, size=min(21, side / 8), weight="bold", **style)
    score = look.score(entry.score)
    axes.annotate(score, (0, 1), (0, 11), color=GREY, size=min(16, side / 8), **style)


def _draw_costs(axes: Axes, entries: Sequence[Entry], chance: Chance) -> None:
    """Draws all cost curves, each named beside its end in its colour."""
    costs = [finite_start(entry.cost) for entry in entries]
    label_costs(axes, max(map(len, costs)), *cost_range(np.concatenate(costs), chance.cost))
    mark_chance(axes, chance, below=False)
    for number, cost in enumerate(costs):
        axes.plot(*thin(cost, round(axes.bbox.width)), color=_curve_color(number), lw=2)
    ends = [cost[-1] if len(cost) else 1.0 for cost in costs]
    _name_curves(axes, [entry.label for entry in entries], ends)


def _name_curves(axes: Axes, labels: Sequence[str], ends: Sequence[float]) -> None:
    """Writes each curve's label and last cost to the right of the axes, as near its end as there is room."""
    to_axes = axes.transData + axes.transAxes.inverted()
    ideal = to_axes.transform([(0, end) for end in ends])[:, 1]
    heights = spread_apart(ideal, gap=0.07)
    heights += max(0.0, 0.02 - heights.min())  # not down among the axis's own labels
    style: dict[str, Any] = {"va": "center", "size": 15, "weight": "bold", "parse_math": False}
    for number, (label, end, height) in enumerate(zip(labels, ends, heights, strict=True)):
        text, color = f"{label}  {end:.3g}", _curve_color(number)
        axes.text(1.01, height, text, color=color, transform=axes.transAxes, **style)


def _curve_color(number: int) -> str:
    return CURVE_COLORS[number % len(CURVE_COLORS)]
