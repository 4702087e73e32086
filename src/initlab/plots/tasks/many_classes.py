"""The style of many classes: the winning class's tint, paler where its probability is lower."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import cycle
from math import ceil
from typing import Any, ClassVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from PIL import Image

from initlab.plots import raster
from initlab.plots.style import GREY, INK, MANY_COLORS, MANY_MARKERS, UNKNOWN, Box, class_markers, new_axes
from initlab.types import Array

_FULL = 0.55 + 0.45 * to_rgba_array(MANY_COLORS)[:, :3]  # the tints of P = 1
_WIDEST, _PITCH = 220, 1.8  # of a legend, in pixels, and from line to line, in sizes of its letters


class ManyClasses:
    """How probabilities of K classes (K, k²) look over one-hot labels Y (K, m)."""

    line_on_top: ClassVar[bool] = False

    def __init__(self, Y: Array, classes: Sequence[str] = ()) -> None:
        self.palette = _palette(min(len(Y), len(_FULL)))
        self._labels = Y.argmax(axis=0)
        self._names = [str(name) for name in classes or range(len(Y))]
        self._looks = list(zip(self._names, cycle(MANY_COLORS), cycle(MANY_MARKERS), strict=False))

    def show(self, answers: Array, side: int) -> tuple[raster.Pixels, Outline]:
        """Returns the winning classes' tints, white where P = 1/K, and the lines where another class wins."""
        # Without differences of rounding, or the classes of a network that answers the same to everything
        # would win by turns.
        logits: Array = np.round(raster.logits_of(answers), 9)
        winners = [int(number) for number in np.unique(logits.argmax(axis=0))]
        return _heat(logits, winners, side), raster.contours_of(_leads(logits, winners))

    def markers(self, unit: Array, most: int, **style: Any) -> list[Artist]:
        """Returns the markers of each class, of half as many points, as more classes hide each other more."""
        return class_markers(unit, self._labels, self._looks, most // 2, **style)

    def legend_width(self, size: float) -> int:
        """Returns the pixels that the classes' names take, beside their markers."""
        longest = max(raster.dejavu("Sans", size).getlength(name) for name in self._names)
        return min(_WIDEST, max(ceil(28 + 7 * size), ceil(48 + longest)))

    def draw_legend(self, figure: Figure, beside: Box, size: float) -> None:
        """Draws each class's marker and name, from the top down to the right of a box."""
        left, width = beside.left + beside.width + 16, self.legend_width(size) - 16
        axes = new_axes(figure, Box(left, beside.top, width, beside.height), size)
        axes.set(xlim=(0, width), ylim=(beside.height, 0))
        axes.set_axis_off()
        pitch = min(_PITCH * size, beside.height / (len(self._names) + 1))
        letters = min(size, 0.9 * pitch)
        style: dict[str, Any] = {"size": letters, "color": GREY, "va": "center_baseline", "parse_math": False}
        for number, (name, color, marker) in enumerate(self._looks):
            height = (number + 0.5) * pitch
            axes.plot(8, height, marker, c=color, ms=0.7 * letters, mec="white", mew=0.8, clip_on=False)
            axes.text(20, height, raster.cut(name, raster.dejavu("Sans", letters), width - 24), **style)
        end = (len(self._names) + 0.7) * pitch
        axes.text(0, end, "paler: less sure", **style | {"size": 0.85 * letters})


def _heat(logits: Array, winners: Sequence[int], side: int) -> raster.Pixels:
    """Returns the colours (side, side) of the class with the largest logit at each pixel."""
    best = np.zeros((side, side), np.uint8)
    row = np.full((side, side), winners[0] % len(_FULL), np.uint8)
    for number in winners:
        levels = raster.logit_levels(logits[number], side)
        np.copyto(row, number % len(_FULL), where=levels > best)
        np.maximum(best, levels, out=best)
    return _level_colors(len(logits))[row, best]


def _leads(logits: Array, winners: Sequence[int]) -> Iterator[Array]:
    """Yields by how much each winner is ahead of the best other class, negative where it is behind.

    The last winner's border is that of the others.
    """
    second, first = np.partition(logits, (-2, -1), axis=0)[-2:]
    for number in winners[:-1]:
        own = logits[number]
        yield own - np.where(own == first, second, first)


@lru_cache(maxsize=4)
def _palette(count: int) -> Image.Image:
    """Returns the tints of the first classes, as many as fit, and the blends of points, lines and text."""
    tints = raster.blends(_FULL[:count], ["white"], 160 // count)
    rims, lines = raster.blends(MANY_COLORS[:count], ["white"], 5), raster.blends([INK], _FULL[:count], 4)
    return raster.palette_of(tints, rims, lines, raster.blends([INK, GREY, UNKNOWN], ["white"], 5))


@lru_cache(maxsize=4)
def _level_colors(count: int) -> raster.Pixels:
    """Returns the colours (10, LEVELS) of each class's levels of logits, of so many classes."""
    share = np.clip((raster.LEVEL_PROBABILITIES - 1 / count) / (1 - 1 / count), 0, 1)[:, np.newaxis]
    return np.stack([raster.packed(1 - share * (1 - full)) for full in _FULL])
