"""The plane of the training points: the square that is shown, its mesh and the points' markers."""

from math import ceil
from typing import Any, NamedTuple

import numpy as np
from matplotlib.lines import Line2D

from initlab.activations import Array
from initlab.plots.palette import CLASS_COLORS, CLASS_MARKERS

RESOLUTION = 100  # mesh points along each side of a boundary
MOST_POINTS = 1000  # more training points would hide the picture


class Window(NamedTuple):
    """A square of the plane: the coordinates of its lower left corner and its side."""

    x: float
    y: float
    side: float

    @classmethod
    def around(cls, X: Array) -> "Window":
        """Returns the smallest square round points X (2, m), with a margin."""
        low, high = X.min(axis=1), X.max(axis=1)
        side = 1.16 * (float(np.max(high - low)) or 1.0)
        x, y = (low + high - side) / 2
        return cls(float(x), float(y), side)

    def mesh(self) -> Array:
        """Returns the points (2, k²) of a mesh from edge to edge, row by row from the top left."""
        steps = np.linspace(0, self.side, RESOLUTION)
        return np.stack(np.meshgrid(self.x + steps, self.y + steps[::-1])).reshape(2, -1)

    def unit(self, X: Array) -> Array:
        """Returns points X (2, m) as fractions of the sides."""
        return (X - [[self.x], [self.y]]) / self.side


def class_marks(unit: Array, Y: Array, most: int = MOST_POINTS, **style: Any) -> list[Line2D]:
    """Returns the markers of class 0 and of class 1 at points (2, m), or at ``most`` of them."""
    every = ceil(unit.shape[1] / most)
    points, labels = unit[:, ::every], Y[0, ::every] > 0.5
    looks = zip(CLASS_COLORS, CLASS_MARKERS, (~labels, labels), strict=True)
    return [
        Line2D(*points[:, members], ls="", marker=marker, mfc=color, mec="white", **style)
        for color, marker, members in looks
    ]
