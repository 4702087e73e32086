"""The look of a regression: the predicted value in the colours of one scale."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from initlab.plots.cost_axes import Chance
from initlab.plots.crossing import NOWHERE
from initlab.plots.heat import LEVELS, Shown, enlarged, packed
from initlab.plots.marks import value_marks
from initlab.plots.palette import GREY, INK, SCALE, UNKNOWN, blends, palette_of
from initlab.plots.plane import RESOLUTION
from initlab.plots.sheet import Box, Packed, new_axes
from initlab.types import Array


class Values:
    """How predicted values (k²,) look over targets Y (1, m), on the scale of the targets' range."""

    def __init__(self, Y: Array, classes: Sequence[str] = ()) -> None:
        self.palette = _palette()
        self.chance = Chance(0.5, "the mean: 0.5")
        self._targets = Y[0]
        self._low, high = float(Y.min()), float(Y.max())
        self._range = high - self._low or 1.0

    def show(self, answers: Array, side: int) -> Shown:
        """Returns the colours of values, those beyond the targets' range in its ends', and no line."""
        levels = (LEVELS - 1) * self._share(answers).reshape(RESOLUTION, RESOLUTION)
        return Shown(_level_colors().take(enlarged(levels, side)), NOWHERE)

    def marks(self, unit: Array, most: int, **style: Any) -> list[Artist]:
        """Returns the markers of points in the colours of their targets."""
        return value_marks(unit, SCALE(self._share(self._targets))[:, :3], most=most, **style)

    def legend_width(self, size: float) -> int:
        """Returns the pixels that the colour bar takes."""
        return 88

    def draw_legend(self, figure: Figure, beside: Box, size: float) -> None:
        """Draws the scale to the right of a box, pointed at its ends, which stand for all beyond them too."""
        left = beside.left + beside.width + 16
        axes = new_axes(figure, Box(left, beside.top + 20, 12, beside.height - 40), size)
        extent = (0, 1, self._low, self._low + self._range)
        axes.imshow(np.linspace(1, 0, LEVELS)[:, None], cmap=SCALE, extent=extent, aspect="auto")
        tip = 12 / (beside.height - 40)
        for base, end, color in ((0, -tip, SCALE(0.0)), (1, 1 + tip, SCALE(1.0))):
            axes.fill([0, 1, 0.5], [base, base, end], color=color, transform=axes.transAxes, clip_on=False)
        axes.spines[:].set_visible(False)
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}".replace("-", "−")))
        axes.set(xticks=[], ylabel="predicted value (standardised)", ylim=extent[2:])

    def score(self, value: float) -> str:
        """Returns the share of the variance explained."""
        return f"R² {value:.3f}".replace("-", "−")

    def _share(self, values: Array) -> Array:
        """Returns where values lie in the targets' range, from 0 to 1."""
        share: Array = np.clip((values.astype(np.float64) - self._low) / self._range, 0, 1)
        return share


@lru_cache(maxsize=1)
def _palette() -> Image.Image:
    """Returns the scale and its blends with the white rims of points, and those of text with white."""
    rims = blends(SCALE(np.linspace(0, 1, 12))[:, :3], ["white"], 6)
    return palette_of(SCALE(np.linspace(0, 1, 160))[:, :3], rims, blends([INK, GREY, UNKNOWN], ["white"], 7))


@lru_cache(maxsize=1)
def _level_colors() -> Packed:
    """Returns the colour of each level from the lowest target to the highest."""
    return packed(SCALE(np.linspace(0, 1, LEVELS))[:, :3])
