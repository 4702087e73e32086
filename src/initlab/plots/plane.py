"""The plane that is shown: where it lies among the inputs, its square window and the window's mesh."""

import numpy as np

from initlab.types import Array

RESOLUTION = 100  # mesh points along each side of a boundary
GOLDEN = (5**0.5 - 1) / 2  # its multiples modulo 1 fill the interval evenly, however many they are


class Plane:
    """The plane on which inputs X (n_x, m) are shown: that of their principal components if n_x > 2.

    The inputs at coordinates (2, m) are origin (n_x, 1) + basis (n_x, 2) @ coordinates. ``names`` are the
    words on its axes and ``note`` says what it is. Its window is the smallest square round X with a margin:
    ``corner`` (2, 1) is its lower left and ``side`` its side. ``points`` (2, m) is where X is in the window,
    in fractions of the side.
    """

    def __init__(self, X: Array) -> None:
        self.names, self.note, self._spread = ("x₁", "x₂"), "", 0.0
        self.origin: Array = np.zeros((len(X), 1))
        self.basis: Array = np.eye(len(X), 2)
        if len(X) == 1:
            self.names = "x", ""
            self.note = "the only input is x; points are spread upwards so that they can be seen"
            self._spread = float(np.ptp(X))
        elif len(X) > 2:
            self.origin, self.basis, shares = _principal_components(X)
            first, second = (f"principal component ({100 * share:.0f} % of the variance)" for share in shares)
            self.names = f"1st {first}", f"2nd {second}"
            self.note = (
                "the network on the plane of the first two principal components; points are projected onto it"
            )
        coordinates = self.coordinates(X)
        low, high = coordinates.min(axis=1, keepdims=True), coordinates.max(axis=1, keepdims=True)
        self.side = 1.16 * (float(np.max(high - low)) or 1.0)
        self.corner: Array = (low + high - self.side) / 2
        self.points: Array = (coordinates - self.corner) / self.side

    def coordinates(self, X: Array) -> Array:
        """Returns the coordinates (2, m) of inputs X (n_x, m), spread over the second axis if n_x is 1."""
        coordinates: Array = self.basis.T @ (X - self.origin)
        coordinates[1] += self._spread * ((GOLDEN * np.arange(X.shape[1])) % 1 - 0.5)
        return coordinates

    def mesh(self) -> Array:
        """Returns the inputs (n_x, k²) of a mesh of the window, row by row from its top left."""
        x, y = self.corner + np.linspace(0, self.side, RESOLUTION)
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
