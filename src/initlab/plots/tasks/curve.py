"""The style of a regression on one input: the predicted value as a curve through the training points."""

from math import ceil
from typing import Any, ClassVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path as Outline

from initlab.plots.plane import RESOLUTION, Plane
from initlab.plots.raster import NOWHERE, Pixels, blends, dejavu, packed, palette_of
from initlab.plots.style import CLASS_COLORS, GREY, INK, UNKNOWN, Box, new_axes
from initlab.types import Array

POINTS, CURVE = "training examples", "the network"
POINT_COLOR = CLASS_COLORS[0]
_WHITE = packed([(1, 1, 1)])[0]
_PALETTE = palette_of(
    blends([POINT_COLOR, INK, GREY, UNKNOWN], ["white"], 16), blends([INK], [POINT_COLOR], 9)
)


class Curve:
    """How predicted values (k²,) over a lone input look in the window of a plane that has the target."""

    line_on_top: ClassVar[bool] = True

    def __init__(self, plane: Plane) -> None:
        self.palette = _PALETTE
        self._bottom, self._height = float(plane.corner[1, 0]), float(plane.sides[1, 0])

    def show(self, answers: Array, side: int) -> tuple[Pixels, Outline]:
        """Returns white, and the curve as far as it is in the window."""
        white = np.full((side, side), _WHITE)
        values = np.atleast_2d(answers)[0].reshape(RESOLUTION, RESOLUTION)[0].astype(np.float64)
        at, heights = _cut((values - self._bottom) / self._height)
        inside = (heights >= 0) & (heights <= 1)
        if not inside.any():
            return white, NOWHERE
        goes_on = inside & np.concatenate([[False], inside[:-1]])
        codes = np.where(goes_on, Outline.LINETO, Outline.MOVETO)[inside]
        return white, Outline(np.stack([at, heights], axis=1)[inside], codes)

    def markers(self, unit: Array, most: int, **style: Any) -> list[Artist]:
        """Returns the markers of the points, all alike: their height says their target."""
        every = ceil(unit.shape[1] / most)
        style |= {"ls": "", "marker": "o", "mfc": POINT_COLOR, "mec": "white", "label": POINTS}
        x, y = unit[:, ::every]
        return [Line2D(x, y, **style)]

    def legend_width(self, size: float) -> int:
        """Returns the pixels that the words for the points and the curve take."""
        return ceil(54 + max(dejavu("Sans", size).getlength(words) for words in (POINTS, CURVE)))

    def draw_legend(self, figure: Figure, beside: Box, size: float) -> None:
        """Draws a point and a piece of curve, with words for them, to the right of a box."""
        width, pitch = self.legend_width(size) - 16, 1.8 * size
        box = Box(beside.left + beside.width + 16, beside.top, width, ceil(2 * pitch))
        axes = new_axes(figure, box, size)
        axes.set(xlim=(0, box.width), ylim=(box.height, 0))
        axes.set_axis_off()
        axes.plot(10, pitch / 2, "o", c=POINT_COLOR, ms=0.7 * size, mec="white", mew=0.8)
        axes.plot([1, 19], [1.5 * pitch] * 2, c=INK, lw=2)
        for row, words in enumerate((POINTS, CURVE)):
            axes.text(28, (row + 0.5) * pitch, words, size=size, color=GREY, va="center_baseline")


def _cut(heights: Array) -> tuple[Array, Array]:
    """Returns the vertices, from left to right, of a curve with heights (k,) in fractions of the window's
    sides, with one more wherever it enters or leaves the window.
    """
    at = np.linspace(0, 1, len(heights))
    more_at, more_heights = [at], [heights]
    for edge in (0.0, 1.0):
        before = np.flatnonzero((heights[:-1] < edge) != (heights[1:] < edge))
        with np.errstate(over="ignore"):  # values may be huge: then it leaves the window at once
            share = (edge - heights[before]) / (heights[before + 1] - heights[before])
        more_at.append(at[before] + share * at[1])
        more_heights.append(np.full(len(before), edge))
    order = np.argsort(np.concatenate(more_at), kind="stable")
    return np.concatenate(more_at)[order], np.concatenate(more_heights)[order]
