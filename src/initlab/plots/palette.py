"""The colours of every picture."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from PIL import Image

from initlab.types import Array

# Okabe and Ito's palette (2008), which colour-blind people can tell apart: blue and orange mean the
# classes, the rest are for curves. Probabilities get light tints of both, so that points stand out.
CLASS_COLORS = ("#0072b2", "#d55e00")
CLASS_MARKERS = ("o", "^")
TINTS = LinearSegmentedColormap.from_list("P(class 1)", ["#96c7e8", "#ffffff", "#fcc887"], N=255)
CURVE_COLORS = ("#7a7a7a", "#cc79a7", "#009e73", "#222222", "#b3a100", "#56b4e9")
INK, GREY, FRAME, GRID, UNKNOWN = "#222222", "#666666", "#b4b4b4", "#ebebeb", "#ececec"

# Six colours of theirs and the four that are farthest from them and from each other, in full and as
# tints, under simulated protanopia, deuteranopia and tritanopia (Machado, Oliveira & Fernandes 2009).
# Their number and that of the markers have no common divisor, so 70 classes look different.
MANY_COLORS = (
    *CLASS_COLORS,
    *("#009e73", "#cc79a7", "#e69f00", "#56b4e9"),
    *("#5500bb", "#990000", "#bbbb77", "#770055"),
)
MANY_MARKERS = ("o", "^", "s", "D", "v", "P", "X")
SCALE = colormaps["viridis"]


def palette_of(*colors: Array) -> Image.Image:
    """Returns an image whose palette holds the colours (n, 3), 256 at most in all."""
    table = np.rint(255 * np.concatenate(colors))
    # Pillow looks colours up in steps of four, so white stays white only without near neighbours.
    table = table[(table.min(axis=1) < 245) | (table.min(axis=1) == 255)]
    image = Image.new("P", (1, 1))
    image.putpalette(table.astype(np.uint8).tobytes())
    return image


def blends(inks: Iterable[Any], papers: Iterable[Any], steps: int) -> Array:
    """Returns the colours (n, 3) between each ink and each paper, in so many steps, ends included."""
    shares = np.linspace(0, 1, steps)
    pairs = [(to_rgb(ink), to_rgb(paper)) for ink in inks for paper in papers]
    return np.concatenate([np.outer(1 - shares, paper) + np.outer(shares, ink) for ink, paper in pairs])
