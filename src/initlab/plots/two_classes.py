"""The look of two classes: P(class 1) in tints of blue and orange."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from PIL import Image

from initlab.plots.cost_axes import chance_of_classes
from initlab.plots.crossing import crossings_of
from initlab.plots.heat import Shown, level_probabilities, logit_levels, logits_of, packed
from initlab.plots.marks import class_marks
from initlab.plots.palette import CLASS_COLORS, CLASS_MARKERS, GREY, INK, TINTS, UNKNOWN, blends, palette_of
from initlab.plots.plane import RESOLUTION
from initlab.plots.sheet import Box, Packed, new_axes
from initlab.types import Array


class TwoClasses:
    """How P(class 1) (k²,) looks over labels Y (1, m) of 0 and 1."""

    def __init__(self, Y: Array, classes: Sequence[str] = ()) -> None:
        self.palette = two_class_palette()
        ones = Y.mean()
        self.chance = chance_of_classes(np.array([1 - ones, ones]))
        self._labels = Y[0] > 0.5
        self._name = classes[1] if classes else "class 1"

    def show(self, answers: Array, side: int) -> Shown:
        """Returns the tints of probabilities (k²,) and the lines where they are 0.5."""
        logits = logits_of(answers).reshape(RESOLUTION, RESOLUTION)
        lines = crossings_of([logits])
        return Shown(_level_colors().take(logit_levels(logits, side)), lines)

    def marks(self, unit: Array, most: int, **style: Any) -> list[Artist]:
        """Returns the markers of class 0 and of class 1."""
        return class_marks(unit, self._labels, CLASS_COLORS, CLASS_MARKERS, most, **style)

    def legend_width(self, size: float) -> int:
        """Returns the pixels that the colour bar takes."""
        return 88

    def draw_legend(self, figure: Figure, beside: Box, size: float) -> None:
        """Draws the colours of P(class 1) to the right of a box, and each class's marker at its end."""
        left = beside.left + beside.width + 16
        axes = new_axes(figure, Box(left, beside.top + 20, 12, beside.height - 40), size)
        axes.imshow(np.linspace(1, 0, 256)[:, None], cmap=TINTS, extent=(0, 1, 0, 1), aspect="auto")
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
        axes.set(xticks=[], yticks=[0, 0.5, 1])
        axes.set_ylabel(f"P({self._name})", parse_math=False)
        axes.set_yticklabels(["0", "0.5", "1"])
        height = beside.height - 40
        for end, color, marker in zip((-11, height + 11), CLASS_COLORS, CLASS_MARKERS, strict=True):
            axes.plot(0.5, end / height, marker, c=color, ms=9, mec="white", clip_on=False)
        axes.set(xlim=(0, 1), ylim=(0, 1))

    def score(self, value: float) -> str:
        """Returns the share of right answers."""
        return f"accuracy {100 * value:.1f} %"


@lru_cache(maxsize=1)
def two_class_palette() -> Image.Image:
    """Returns the tints and each ink's blends with white and with the tints."""
    papers = (UNKNOWN, *TINTS([0.0, 0.5, 1.0])[:, :3])
    return palette_of(TINTS(np.linspace(0, 1, 101))[:, :3], blends((*CLASS_COLORS, INK, GREY), papers, 9))


@lru_cache(maxsize=1)
def _level_colors() -> Packed:
    """Returns the colour of each level of logits."""
    return packed(TINTS(level_probabilities())[:, :3])
