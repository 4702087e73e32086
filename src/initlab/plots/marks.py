"""The markers of training points."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.transforms import IdentityTransform
from numpy.typing import NDArray

from initlab.types import Array

MOST_POINTS = 1000  # more training points would hide the picture


def class_marks(
    unit: Array,
    labels: NDArray[Any],
    colors: Sequence[str],
    markers: Sequence[str],
    most: int = MOST_POINTS,
    **style: Any,
) -> list[Artist]:
    """Returns the markers of points (2, m), or of ``most`` of them, by their labels (m,) of 0, 1, …."""
    every = ceil(unit.shape[1] / most)
    points, labels = unit[:, ::every], labels[::every]
    return [
        Line2D(*points[:, labels == number], ls="", marker=marker, mfc=color, mec="white", **style)
        for number, (color, marker) in enumerate(zip(colors, markers, strict=True))
    ]


def value_marks(
    unit: Array, colors: Array, transform: Any, ms: float, mew: float, most: int = MOST_POINTS
) -> list[Artist]:
    """Returns round markers of points (2, m), or of ``most`` of them, in colours (m, 3)."""
    every = ceil(unit.shape[1] / most)
    dot = MarkerStyle("o")
    marks = PathCollection(
        [dot.get_path().transformed(dot.get_transform())],
        sizes=[ms**2],
        facecolors=np.asarray(colors)[::every],
        edgecolors="white",
        linewidths=mew,
        offsets=unit[:, ::every].T,
        offset_transform=transform,
    )
    marks.set_transform(IdentityTransform())
    return [marks]
