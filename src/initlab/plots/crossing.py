"""The lines where a network's answer changes."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from contourpy import LineType, contour_generator
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from initlab.plots.palette import INK
from initlab.plots.plane import RESOLUTION
from initlab.types import Array

NOWHERE = Outline(np.empty((0, 2)))


def crossings_of(fields: Iterable[Array]) -> Outline:
    """Returns the lines where any field (k, k) crosses 0, in fractions of the sides, if any."""
    steps = np.linspace(0, 1, RESOLUTION)
    found: list[Any] = []
    for field in fields:
        contours = contour_generator(steps, steps[::-1], field, line_type=LineType.ChunkCombinedCode)
        chunks: Any = contours.lines(0)  # of this line type: points and codes, in lists of one
        (points,), (codes,) = chunks
        if points is not None:
            found.append((points, codes))
    if not found:
        return NOWHERE
    all_points, all_codes = zip(*found, strict=True)
    return Outline(np.concatenate(all_points), np.concatenate(all_codes))


def crossing_line(transform: Any, width: float) -> PathPatch:
    """Returns a line for crossings, nowhere until its path is set; transform is from fractions to pixels."""
    return PathPatch(NOWHERE, fill=False, ec=INK, lw=width, transform=transform)
