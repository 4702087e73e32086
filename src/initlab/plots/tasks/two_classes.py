"""The style of two classes: P(class 1) in tints of blue and orange."""

from collections.abc import Sequence
from math import ceil
from typing import Any, ClassVar

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline

from initlab.plots import raster
from initlab.plots.style import CLASS_COLORS, CLASS_MARKERS, GREY, TINTS, Box, class_markers, color_bar
from initlab.types import Array

_WIDEST = 220  # of a legend, in pixels
_LEVEL_COLORS = raster.packed(TINTS(raster.LEVEL_PROBABILITIES)[:, :3])


class TwoClasses:
    """How P(class 1) (k²,) looks over labels Y (1, m) of 0 and 1."""

    line_on_top: ClassVar[bool] = False

    def __init__(self, Y: Array, classes: Sequence[str] = ()) -> None:
        self.palette = raster.STANDARD_PALETTE
        self._labels = Y[0] > 0.5
        self._given = bool(classes)
        self._names = [str(name) for name in classes or ("class 0", "class 1")]

    def show(self, answers: Array, side: int) -> tuple[raster.Pixels, Outline]:
        """Returns the tints of probabilities (k²,) and the lines where they are 0.5."""
        [logits] = raster.logits_of(answers)
        return _LEVEL_COLORS.take(raster.logit_levels(logits, side)), raster.contours_of([logits])

    def markers(self, unit: Array, most: int, **style: Any) -> list[Artist]:
        """Returns the markers of class 0 and of class 1."""
        looks = zip(self._names, CLASS_COLORS, CLASS_MARKERS, strict=True)
        return class_markers(unit, self._labels, looks, most, **style)

    def legend_width(self, size: float) -> int:
        """Returns the pixels that the colour bar takes, with the classes' names if they have any."""
        if not self._given:
            return 88
        longest = max(raster.dejavu("Sans", size).getlength(name) for name in self._names)
        return max(88, min(_WIDEST, ceil(46 + longest)))

    def draw_legend(self, figure: Figure, beside: Box, size: float) -> None:
        """Draws the colours of P(class 1) to the right of a box, and each class's marker at its end."""
        axes = color_bar(figure, beside, size, TINTS, steps=256, ends=(0, 1))
        axes.set_ylabel(
            f"P({raster.cut(self._names[1], raster.dejavu('Sans', size), 200)})", parse_math=False
        )
        axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
        margin = (1.3 * size if self._given else 11) / (beside.height - 40)  # names need room beside 0 and 1
        for end, color, marker in zip((-margin, 1 + margin), CLASS_COLORS, CLASS_MARKERS, strict=True):
            axes.plot(0.5, end, marker, c=color, ms=9, mec="white", clip_on=False)
        if self._given:
            self._write_names(axes, size, margin)
        axes.set(xlim=(0, 1), ylim=(0, 1))

    def _write_names(self, axes: Axes, size: float, margin: float) -> None:
        """Writes the classes' names beside the markers at the ends of the colour bar."""
        style: dict[str, Any] = {"size": size, "color": GREY, "va": "center_baseline", "parse_math": False}
        for end, name in zip((-margin, 1 + margin), self._names, strict=True):
            shown = raster.cut(name, raster.dejavu("Sans", size), self.legend_width(size) - 42)
            axes.annotate(
                shown, (0.5, end), (14, 0), textcoords="offset points", annotation_clip=False, **style
            )
