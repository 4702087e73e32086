"""The data: functions that return a Dataset, columns are examples.

The training part is drawn with ``seed`` and the test part with ``seed + 1``: with a fixed seed every run
sees the same data. scikit-learn is imported when a dataset is made, because importing it takes longer
than ``--help`` may.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from initlab.activations import Array
from initlab.checks import Count, NonNegative, Seed


@dataclass(frozen=True, eq=False)  # arrays do not compare to one truth: a dataset equals itself
class Dataset:
    """Training and test examples, X (n_x, m) and labels Y (1, m) of 0 and 1 in float64, and their source."""

    X_train: Array
    Y_train: Array
    X_test: Array
    Y_test: Array
    source: str


def circles(*, n_train: Count, n_test: Count, noise: NonNegative, seed: Seed) -> Dataset:
    """Returns two circles, the inner at 0.8 of the outer's radius, with Gaussian noise of std ``noise``."""
    from sklearn.datasets import make_circles

    return _draw(make_circles, n_train, n_test, seed, noise=noise)


def moons(*, n_train: Count, n_test: Count, noise: NonNegative, seed: Seed) -> Dataset:
    """Returns two interleaving half circles with Gaussian noise of std ``noise``."""
    from sklearn.datasets import make_moons

    return _draw(make_moons, n_train, n_test, seed, noise=noise)


def blobs(*, n_train: Count, n_test: Count, noise: NonNegative, seed: Seed) -> Dataset:
    """Returns two Gaussian clouds of std ``noise`` round (−1, −1) and (1, 1)."""
    from sklearn.datasets import make_blobs

    centers = np.array([[-1.0, -1.0], [1.0, 1.0]])
    return _draw(make_blobs, n_train, n_test, seed, centers=centers, cluster_std=noise)


def _draw(make: Callable[..., Any], n_train: int, n_test: int, seed: int, **options: Any) -> Dataset:
    def columns(n_samples: int, random_state: int) -> tuple[Array, Array]:
        X, y = make(n_samples=n_samples, random_state=random_state, **options)
        return np.ascontiguousarray(X.T), y[np.newaxis].astype(np.float64)

    test_seed = (seed + 1) % 2**32
    source = f"sklearn.datasets.{make.__name__}"
    return Dataset(*columns(n_train, seed), *columns(n_test, test_seed), source)
