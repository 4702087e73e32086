"""Cost curves: the points of a run's costs that are drawn, and the picture of one run."""

from functools import lru_cache
from math import ceil

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from PIL import Image

from initlab.plots.cost_axes import CHANCE, Chance, cost_range, label_costs, mark_chance
from initlab.plots.lettering import write, write_titles
from initlab.plots.palette import CLASS_COLORS, INK
from initlab.plots.sheet import Box, Sheet, new_axes, new_figure
from initlab.types import Array


class CostCurve:
    """Draws cost curves of runs that were to take ``iterations`` iterations.

    A dashed line marks ``chance``, the cost of answers that ignore the inputs; None draws no line.
    """

    def __init__(
        self, iterations: int, chance: float | None = CHANCE, chance_label: str = "chance: ln 2"
    ) -> None:
        self._iterations = iterations
        self._chance = Chance(chance, chance_label)
        self._box = Box(76, 70, 416, 240)
        # The runs of a sweep share few ranges of cost; the axes of each take two megabytes.
        self._axes = lru_cache(maxsize=32)(self._draw_axes)

    def draw(self, cost: Array, title: str, subtitle: str = "") -> Image.Image:
        """Returns an RGB picture of the cost (n,) after 0, 1, … iterations, up to the first not finite.

        The curve ends in a dot and its last value, or in a cross if the run stopped early.
        """
        cost = finite_start(cost)
        chance = self._chance.cost
        ends_above_chance = chance is not None and bool(np.any(cost[-1:] > chance))
        sheet, line, end = self._axes(*cost_range(cost, chance), ends_above_chance)
        line.set_data(*thin(cost, self._box.width))
        complete = len(cost) > self._iterations
        end.set(marker="o" if complete else "X", color=INK if complete else CLASS_COLORS[1])
        end.set_data([len(cost) - 1], cost[-1:])
        image = sheet.draw([line, end])
        write_titles(image, title, subtitle, self._box)
        _write_value(image, end)
        return image

    def _draw_axes(self, low: float, high: float, ends_above_chance: bool) -> tuple[Sheet, Line2D, Line2D]:
        figure = new_figure(564, 362)
        axes = new_axes(figure, self._box)
        label_costs(axes, self._iterations, low, high)
        mark_chance(axes, self._chance, below=ends_above_chance)  # where the curve is not
        sheet = Sheet(figure)
        (line,) = axes.plot([], [], color=INK, lw=1.6)
        (end,) = axes.plot([], [], ms=9, mec="white", mew=0.8, clip_on=False)
        return sheet, line, end


def finite_start(cost: Array) -> Array:
    """Returns the costs before the first that is not finite, within what axes can show."""
    return np.clip(cost[np.logical_and.accumulate(np.isfinite(cost))], 1e-12, 1e200)


def thin(cost: Array, columns: int) -> tuple[NDArray[np.intp], Array]:
    """Returns iterations and costs of a curve that looks the same: the extremes in each column of pixels."""
    width = ceil(len(cost) / columns)
    if width <= 2:
        return np.arange(len(cost)), cost
    starts = np.arange(0, len(cost), width)
    ends = np.minimum(starts + width, len(cost)) - 1
    # From the maximum to the minimum, as costs usually fall.
    extremes = np.maximum.reduceat(cost, starts), np.minimum.reduceat(cost, starts)
    return np.stack([starts, ends], axis=1).ravel(), np.stack(extremes, axis=1).ravel()


def _write_value(image: Image.Image, end: Line2D) -> None:
    """Writes the last cost beside the end of its curve."""
    for point in np.asarray(end.get_xydata()):
        x, y = end.get_transform().transform(point)
        at, width = (x + 9, image.height - y), image.width - x - 12
        write(image, at, f"{point[1]:.3g}", "Sans-Bold", 13.5, anchor="lm", width=width)
