"""The plane that is shown: where it lies among the inputs, its square window and the window's mesh."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from initlab.types import Array

RESOLUTION = 100  # mesh points along each side of a boundary
GOLDEN = (5**0.5 - 1) / 2  # its multiples modulo 1 fill the interval evenly, however many they are


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


@dataclass(frozen=True)
class Plane:
    """A plane of the inputs, origin (n_x, 1) + basis (n_x, 2) @ coordinates, and the words on its axes.

    ``spread`` moves points along the second axis where it means nothing, so that they can be seen.
    """

    origin: Array
    basis: Array
    names: tuple[str, str]
    note: str = ""
    spread: float = 0.0

    @classmethod
    def of(cls, X: Array) -> "Plane":
        """Returns the plane to show inputs X (n_x, m) on, that of their principal components if n_x > 2."""
        if len(X) > 2:
            return _principal_plane(X)
        origin, basis = np.zeros((len(X), 1)), np.eye(len(X), 2)
        if len(X) == 2:
            return cls(origin, basis, ("x₁", "x₂"))
        note = "the only input is x; points are spread upwards so that they can be seen"
        return cls(origin, basis, ("x", ""), note, spread=float(np.ptp(X)))

    def coordinates(self, X: Array) -> Array:
        """Returns the coordinates (2, m) of inputs X (n_x, m), projected onto the plane."""
        coordinates: Array = self.basis.T @ (X - self.origin)
        coordinates[1] += self.spread * ((GOLDEN * np.arange(X.shape[1])) % 1 - 0.5)
        return coordinates

    def inputs(self, coordinates: Array) -> Array:
        """Returns the inputs (n_x, m) at coordinates (2, m)."""
        inputs: Array = self.origin + self.basis @ coordinates
        return inputs


def _principal_plane(X: Array) -> Plane:
    """Returns the plane through the mean along the directions of most variance (Pearson 1901).

    Each direction's largest loading is positive, so that the picture does not depend on the solver.
    """
    mean = X.mean(axis=1, keepdims=True)
    missing = max(0, 2 - X.shape[1])  # a lone example has no second direction, and zeros add no variance
    directions, sizes, _ = np.linalg.svd(np.pad(X - mean, [(0, 0), (0, missing)]), full_matrices=False)
    basis = directions[:, :2]
    largest = np.take_along_axis(basis, np.abs(basis).argmax(axis=0, keepdims=True), axis=0)
    shares = sizes[:2] ** 2 / (np.sum(sizes**2) or 1.0)
    names = [
        f"{nth} principal component ({100 * share:.0f} % of the variance)"
        for nth, share in zip(("1st", "2nd"), shares, strict=True)
    ]
    note = "the network on the plane of the first two principal components; points are projected onto it"
    return Plane(mean, basis * np.sign(largest), (names[0], names[1]), note)
