"""The plane that is shown: where it lies among the inputs, its window, the window's mesh and its axes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from initlab.types import Array

RESOLUTION = 100  # mesh points along each side of a boundary
GOLDEN = (5**0.5 - 1) / 2  # its multiples modulo 1 fill the interval evenly, however many they are


class Quantity(NamedTuple):
    """What an input or a target is called, and its units: it is mean + std times the number that stands for
    it, which for a standardised one says what it was before.
    """

    name: str
    mean: float = 0.0
    std: float = 1.0


class Plane:
    """The plane on which inputs X (n_x, m) are shown: that of their principal components if n_x > 2.

    The inputs at coordinates (2, m) are origin (n_x, 1) + basis (n_x, 2) @ coordinates. A ``target`` (m,)
    stands upwards over a lone input. ``axes`` are the quantities along the two axes, ``names`` their names,
    and ``note`` says what the plane is. Its window is the smallest square round the points with a margin, or
    the smallest rectangle where the target has one of its sides: ``corner`` (2, 1) is its lower left and
    ``sides`` (2, 1) are its sides. ``points`` (2, m) is where X is in it, in fractions of the sides.
    """

    def __init__(self, X: Array, quantities: Sequence[Quantity] = (), target: Array | None = None) -> None:
        names = [Quantity(name) for name in (("x₁", "x₂") if len(X) > 1 else ("x", "y"))]
        self.axes = (*quantities, *names[len(quantities) :])[:2]
        self.note, self._spread = "", 0.0
        self.origin: Array = np.zeros((len(X), 1))
        self.basis: Array = np.eye(len(X), 2)
        if len(X) == 1 and target is None:
            self.axes = self.axes[0], Quantity("")
            only = self.axes[0].name
            self.note = f"the only input is {only}; points are spread upwards so that they can be seen"
            self._spread = float(np.ptp(X))
        elif len(X) > 2:
            self.origin, self.basis, shares = _principal_components(X)
            first, second = (f"principal component ({100 * share:.0f} % of the variance)" for share in shares)
            self.axes = Quantity(f"1st {first}"), Quantity(f"2nd {second}")
            self.note = (
                "the network on the plane of the first two principal components; points are projected onto it"
            )
        coordinates = self.coordinates(X)
        if target is not None:
            coordinates[1] = target
        low, high = coordinates.min(axis=1, keepdims=True), coordinates.max(axis=1, keepdims=True)
        extent = high - low if target is not None else np.full((2, 1), np.max(high - low))
        self.sides: Array = 1.16 * np.where(extent > 0, extent, 1.0)
        self.corner: Array = (low + high - self.sides) / 2
        self.points: Array = (coordinates - self.corner) / self.sides

    @property
    def names(self) -> tuple[str, ...]:
        """The words on the two axes."""
        return tuple(axis.name for axis in self.axes)

    @property
    def limits(self) -> Array:
        """The ends (2, 2) of the window's axes, each in its own units."""
        mean, std = np.array([axis[1:] for axis in self.axes]).T[..., np.newaxis]
        ends: Array = mean + std * np.hstack([self.corner, self.corner + self.sides])
        return ends

    def coordinates(self, X: Array) -> Array:
        """Returns the coordinates (2, m) of inputs X (n_x, m), spread over the second axis if n_x is 1."""
        coordinates: Array = self.basis.T @ (X - self.origin)
        coordinates[1] += self._spread * ((GOLDEN * np.arange(X.shape[1])) % 1 - 0.5)
        return coordinates

    def mesh(self) -> Array:
        """Returns the inputs (n_x, k²) of a mesh of the window, row by row from its top left."""
        x, y = self.corner + np.linspace((0, 0), self.sides[:, 0], RESOLUTION, axis=1)
        mesh: Array = self.origin + self.basis @ np.stack(np.meshgrid(x, y[::-1])).reshape(2, -1)
        return mesh


def _principal_components(X: Array) -> tuple[Array, Array, Array]:
    """Returns the mean of X (n_x, m), its two directions of most variance (n_x, 2), and their shares of the
    variance (Pearson 1901).

    Each direction's largest loading is positive, so that the picture does not depend on the solver.
    """
    mean = X.mean(axis=1, keepdims=True)
    missing = max(0, 2 - X.shape[1])  # a lone example has no second direction, and zeros add no variance
    directions, sizes, _ = np.linalg.svd(np.pad(X - mean, [(0, 0), (0, missing)]), full_matrices=False)
    basis = directions[:, :2]
    largest = np.take_along_axis(basis, np.abs(basis).argmax(axis=0, keepdims=True), axis=0)
    shares = sizes[:2] ** 2 / (np.sum(sizes**2) or 1.0)
    return mean, basis * np.sign(largest), shares
