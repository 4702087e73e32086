"""The style of a regression: the predicted value in the colours of one scale."""

from collections.abc import Sequence
from math import ceil, pi
from typing import Any, ClassVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import CircleCollection
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from matplotlib.ticker import MaxNLocator

from initlab.plots.plane import RESOLUTION, Quantity
from initlab.plots.raster import LEVELS, NOWHERE, Pixels, blends, cut, dejavu, enlarged, packed, palette_of
from initlab.plots.style import GREY, INK, SCALE, UNKNOWN, Box, color_bar
from initlab.types import Array

STANDARDISED = Quantity("value (standardised)")
_LEVEL_COLORS = packed(SCALE(np.linspace(0, 1, LEVELS))[:, :3])  # from the lowest target to the highest
_PALETTE = palette_of(
    SCALE(np.linspace(0, 1, 160))[:, :3],
    blends(SCALE(np.linspace(0, 1, 12))[:, :3], ["white"], 6),  # the rims of points
    blends([INK, GREY, UNKNOWN], ["white"], 7),  # text
)


class Regression:
    """How predicted values (n_y, k²) look over targets Y (n_y, m), of several the first, on the scale of its
    range.

    ``target`` says what they are called and in which units the scale is.
    """

    line_on_top: ClassVar[bool] = False

    def __init__(self, Y: Array, classes: Sequence[str] = (), target: Quantity = STANDARDISED) -> None:
        self.palette = _PALETTE
        self._targets = Y[0]
        self._low, high = float(Y[0].min()), float(Y[0].max())
        self._range = high - self._low or 1.0
        self._target = target

    def show(self, answers: Array, side: int) -> tuple[Pixels, Outline]:
        """Returns the colours of values, those beyond the targets' range in its ends', and no line."""
        levels = (LEVELS - 1) * self._share(np.atleast_2d(answers)[0]).reshape(RESOLUTION, RESOLUTION)
        return _LEVEL_COLORS.take(enlarged(levels, side)), NOWHERE

    def markers(self, unit: Array, most: int, transform: Any, ms: float, mew: float) -> list[Artist]:
        """Returns round markers in the colours of the points' targets."""
        every = ceil(unit.shape[1] / most)
        style = {"facecolors": SCALE(self._share(self._targets[::every])), "edgecolors": "white"}
        places: dict[str, Any] = {"offsets": unit[:, ::every].T, "offset_transform": transform}
        return [CircleCollection([pi / 4 * ms**2], linewidths=mew, **style, **places)]

    def legend_width(self, size: float) -> int:
        """Returns the pixels that the colour bar takes."""
        return 88

    def draw_legend(self, figure: Figure, beside: Box, size: float) -> None:
        """Draws the scale to the right of a box, pointed at its ends, which stand for all beyond them too."""
        name, mean, std = self._target
        ends = mean + std * self._low, mean + std * (self._low + self._range)
        axes = color_bar(figure, beside, size, SCALE, LEVELS, ends)
        tip = 12 / (beside.height - 40)
        for base, end, color in ((0, -tip, SCALE(0.0)), (1, 1 + tip, SCALE(1.0))):
            axes.fill([0, 1, 0.5], [base, base, end], color=color, transform=axes.transAxes, clip_on=False)
        axes.spines[:].set_visible(False)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter("{x:.6g}")
        axes.set_ylabel(f"predicted {cut(name, dejavu('Sans', size), 250)}", parse_math=False)
        axes.set_ylim(ends)

    def _share(self, values: Array) -> Array:
        """Returns where values lie in the targets' range, from 0 to 1."""
        share: Array = np.clip((values.astype(np.float64) - self._low) / self._range, 0, 1)
        return share
