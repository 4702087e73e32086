"""Boundaries and cost curves of several runs in one figure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from initlab.activations import Array
from initlab.plots.cost_axes import cost_range, label_costs, mark_chance
from initlab.plots.cost_curve import finite_start, thin
from initlab.plots.crossing import crossing_line, crossing_of
from initlab.plots.heat import draw_color_bar, heat_of, logits_of
from initlab.plots.palette import CURVE_COLORS, GREY
from initlab.plots.plane import Window, class_marks
from initlab.plots.sheet import Box, new_axes, new_figure


class Entry(NamedTuple):
    """A run to compare: P(class 1) (k²,) at a Boundary's points, or None, its accuracy and its cost (n,)."""

    label: str
    probabilities: Array | None
    accuracy: float
    cost: Array


def comparison(X: Array, Y: Array, entries: Sequence[Entry]) -> Figure:
    """Returns a figure, 1500 pixels wide, of the entries' boundaries in a row above all their cost curves."""
    pitch = min(450, 1350 // len(entries))
    box = Box(84, 86, pitch - 28, pitch - 28)
    figure = new_figure(1500, box.top + box.height + 470)
    unit = Window.around(X).unit(X)
    for number, entry in enumerate(entries):
        box = box._replace(left=84 + number * pitch)
        axes = new_axes(figure, box)
        marks = class_marks(unit, Y, transform=axes.transAxes, ms=min(9, pitch / 40), mew=0.9)
        _draw_panel(axes, entry, marks, _curve_color(number))
    draw_color_bar(figure, box, size=16)
    costs = new_axes(figure, Box(84, box.top + box.height + 50, 1210, 350), size=16)
    _draw_costs(costs, entries)
    return figure


def _draw_panel(axes: Axes, entry: Entry, marks: Sequence[Line2D], color: str) -> None:
    """Draws an entry's boundary and training points under its label and accuracy."""
    side = round(axes.bbox.width)
    logits = logits_of(entry.probabilities)
    heat = heat_of(logits, side).view(np.uint8).reshape(side, side, 4)
    axes.imshow(heat, extent=(0, 1, 0, 1), interpolation="nearest")
    line = crossing_line(axes.transAxes, width=2)
    line.set_path(crossing_of(logits))
    for artist in (line, *marks):
        axes.add_artist(artist)
    axes.set(xticks=[], yticks=[])
    accuracy = f"accuracy {100 * entry.accuracy:.1f} %"
    style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "parse_math": False}
    axes.annotate(entry.label, (0, 1), (0, 34), color=color, size=min(21, side / 8), weight="bold", **style)
    axes.annotate(accuracy, (0, 1), (0, 11), color=GREY, size=min(16, side / 8), **style)


def _draw_costs(axes: Axes, entries: Sequence[Entry]) -> None:
    """Draws all cost curves, each named beside its end in its colour."""
    costs = [finite_start(entry.cost) for entry in entries]
    label_costs(axes, max(map(len, costs)), *cost_range(np.concatenate(costs)))
    mark_chance(axes, below=False)
    for number, cost in enumerate(costs):
        axes.plot(*thin(cost, round(axes.bbox.width)), color=_curve_color(number), lw=2)
    ends = [cost[-1] if len(cost) else 1.0 for cost in costs]
    _name_curves(axes, [entry.label for entry in entries], ends)


def _name_curves(axes: Axes, labels: Sequence[str], ends: Sequence[float]) -> None:
    """Writes each curve's label and last cost to the right of the axes, as near its end as there is room."""
    to_axes = axes.transData + axes.transAxes.inverted()
    ideal = to_axes.transform([(0, end) for end in ends])[:, 1]
    heights = _spread(ideal, gap=0.07)
    heights += max(0.0, 0.02 - heights.min())  # not down among the axis's own labels
    style: dict[str, Any] = {"va": "center", "size": 15, "weight": "bold", "parse_math": False}
    for number, (label, end, height) in enumerate(zip(labels, ends, heights, strict=True)):
        text, color = f"{label}  {end:.3g}", _curve_color(number)
        axes.text(1.01, height, text, color=color, transform=axes.transAxes, **style)


def _spread(heights: Array, gap: float) -> Array:
    """Returns heights (n,) moved apart where needed, so that none is nearer to another than gap."""
    order = np.argsort(heights)
    steps = gap * np.arange(len(heights))
    slack = heights[order] - steps
    up, down = np.maximum.accumulate(slack), np.minimum.accumulate(slack[::-1])[::-1]
    spread = np.empty_like(heights)
    spread[order] = (up + down) / 2 + steps  # halfway between moving all up and moving all down
    return spread


def _curve_color(number: int) -> str:
    return CURVE_COLORS[number % len(CURVE_COLORS)]
