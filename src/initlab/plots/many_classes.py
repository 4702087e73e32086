"""The look of many classes: the winning class's tint, paler where its probability is lower."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import cycle, islice
from math import ceil
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from initlab.plots.cost_axes import chance_of_classes
from initlab.plots.crossing import crossings_of
from initlab.plots.heat import Shown, level_probabilities, logit_levels, logits_of, packed
from initlab.plots.lettering import cut, dejavu
from initlab.plots.marks import class_marks
from initlab.plots.palette import GREY, INK, MANY_COLORS, MANY_MARKERS, UNKNOWN, blends, palette_of
from initlab.plots.plane import RESOLUTION
from initlab.plots.sheet import Box, Packed, new_axes
from initlab.types import Array

_FULL = 0.55 + 0.45 * np.array([to_rgb(color) for color in MANY_COLORS])  # the tints of P = 1
_WIDEST, _PITCH = 220, 1.8  # of a legend, in pixels, and from line to line, in sizes of its letters


class ManyClasses:
    """How probabilities of K classes (K, k²) look over one-hot labels Y (K, m)."""

    def __init__(self, Y: Array, classes: Sequence[str] = ()) -> None:
        self._labels = Y.argmax(axis=0)
        self._names = [str(name) for name in classes or range(len(Y))]
        self.palette = _palette(min(len(Y), len(_FULL)))
        self.chance = chance_of_classes(Y.mean(axis=1))

    def show(self, answers: Array, side: int) -> Shown:
        """Returns the winning classes' tints, white where P = 1/K, and the lines where another class wins."""
        logits = _logits(answers)
        winners = [int(number) for number in np.unique(logits.argmax(axis=0))]
        return Shown(_heat(logits, winners, side), crossings_of(_leads(logits, winners)))

    def marks(self, unit: Array, most: int, **style: Any) -> list[Artist]:
        """Returns the markers of each class, of half as many points, as more classes hide each other more."""
        return class_marks(unit, self._labels, *self._looks(), most // 2, **style)

    def legend_width(self, size: float) -> int:
        """Returns the pixels that the classes' names take, beside their markers."""
        longest = max(dejavu("Sans", size).getlength(name) for name in self._names)
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
        for number, (name, color, marker) in enumerate(zip(self._names, *self._looks(), strict=True)):
            height = (number + 0.5) * pitch
            axes.plot(8, height, marker, c=color, ms=0.7 * letters, mec="white", mew=0.8, clip_on=False)
            axes.text(20, height, cut(name, dejavu("Sans", letters), width - 24), **style)
        axes.text(
            0, (len(self._names) + 0.7) * pitch, "paler: less sure", **{**style, "size": 0.85 * letters}
        )

    def score(self, value: float) -> str:
        """Returns the share of right answers."""
        return f"accuracy {100 * value:.1f} %"

    def _looks(self) -> tuple[list[str], list[str]]:
        count = len(self._names)
        return list(islice(cycle(MANY_COLORS), count)), list(islice(cycle(MANY_MARKERS), count))


def _logits(probabilities: Array) -> Array:
    """Returns the logits (K, k, k) of each class against all others.

    What differs by no more than rounding is made equal, or the classes of a network that answers the same
    to everything would win by turns.
    """
    logits: Array = np.round(logits_of(probabilities), 9)
    return logits.reshape(-1, RESOLUTION, RESOLUTION)


def _heat(logits: Array, winners: Sequence[int], side: int) -> Packed:
    """Returns the colours (side, side) of the class with the largest logit at each pixel."""
    best = np.zeros((side, side), np.uint8)
    row = np.full((side, side), winners[0] % len(_FULL), np.uint8)
    for number in winners:
        levels = logit_levels(logits[number], side)
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
    tints = blends(_FULL[:count], ["white"], 160 // count)
    rims, lines = blends(MANY_COLORS[:count], ["white"], 5), blends([INK], _FULL[:count], 4)
    return palette_of(tints, rims, lines, blends([INK, GREY, UNKNOWN], ["white"], 5))


@lru_cache(maxsize=4)
def _level_colors(count: int) -> Packed:
    """Returns the colours (10, LEVELS) of each class's levels of logits, of so many classes."""
    share = np.clip((level_probabilities() - 1 / count) / (1 - 1 / count), 0, 1)[:, np.newaxis]
    return np.stack([packed(1 - share * (1 - full)) for full in _FULL])
