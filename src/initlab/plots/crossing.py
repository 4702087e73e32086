"""The line where P(class 1) crosses one half."""

from typing import Any

import numpy as np
from contourpy import LineType, contour_generator
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from initlab.activations import Array
from initlab.plots.palette import INK
from initlab.plots.plane import RESOLUTION

_NOWHERE = Outline(np.empty((0, 2)))


def crossing_of(logits: Array | None) -> Outline:
    """Returns the lines where P(class 1) = 0.5, in fractions of the sides: empty if there are none."""
    if logits is None:
        return _NOWHERE
    steps = np.linspace(0, 1, RESOLUTION)
    contours = contour_generator(steps, steps[::-1], logits, line_type=LineType.ChunkCombinedCode)
    chunks: Any = contours.lines(0)  # of this line type: points and codes, in lists of one
    (points,), (codes,) = chunks
    return _NOWHERE if points is None else Outline(points, codes)


def crossing_line(transform: Any, width: float) -> PathPatch:
    """Returns a line for crossings, nowhere until its path is set; transform is from fractions to pixels."""
    return PathPatch(_NOWHERE, fill=False, ec=INK, lw=width, transform=transform)
