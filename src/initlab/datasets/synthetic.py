"""Synthetic problems in the plane.

``seed`` draws the training part, the test part and, if any, ``n_validation`` examples, each from a stream of
its own (see ``streams``): with a fixed seed every run sees the same data, and no part of one seed is that of
another.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from initlab.config.rules import Classes, Count, NonNegative, Positive, Seed, Size
from initlab.datasets.dataset import Dataset, encoded, task_of
from initlab.memory import refuse_beyond_memory
from initlab.streams import TEST, TRAINING, VALIDATION, lessons_stream, stream
from initlab.types import Array

BYTES_OF_AN_EXAMPLE = 100  # while it is drawn: its coordinates, angle, radius and label, some of them twice

Part: TypeAlias = tuple[Array, "np.ndarray[Any, Any]"]  # X (2, m) and labels (m,) from 0
StreamOf: TypeAlias = Callable[[int, int], np.random.RandomState]  # by seed and purpose


def circles(
    *, n_train: Count, n_test: Count, n_validation: Size = 0, noise: NonNegative, seed: Seed
) -> Dataset:
    """Returns two circles, the inner at 0.8 of the outer's radius, with Gaussian noise of std ``noise``."""

    def two_circles(m: int, rng: np.random.RandomState) -> Part:
        outer, inner = (np.linspace(0, 2 * np.pi, half, endpoint=False) for half in (m // 2, m - m // 2))
        points = np.concatenate([_circle(outer), 0.8 * _circle(inner)], axis=1)
        return _shuffled_and_moved(points, m // 2, noise, rng)

    return _drawn(two_circles, n_train, n_test, n_validation, seed, "sklearn.datasets.make_circles")


def moons(
    *, n_train: Count, n_test: Count, n_validation: Size = 0, noise: NonNegative, seed: Seed
) -> Dataset:
    """Returns two interleaving half circles with Gaussian noise of std ``noise``."""

    def two_moons(m: int, rng: np.random.RandomState) -> Part:
        outer, inner = (np.linspace(0, np.pi, half) for half in (m // 2, m - m // 2))
        points = np.concatenate([_circle(outer), 1 - _circle(inner) - [[0], [0.5]]], axis=1)
        return _shuffled_and_moved(points, m // 2, noise, rng)

    return _drawn(two_moons, n_train, n_test, n_validation, seed, "sklearn.datasets.make_moons")


def blobs(
    *, n_train: Count, n_test: Count, n_validation: Size = 0, noise: NonNegative, seed: Seed
) -> Dataset:
    """Returns two Gaussian clouds of std ``noise`` round (−1, −1) and (1, 1)."""
    centers = np.array([[-1.0, -1.0], [1.0, 1.0]])
    sizes = (n_train, n_test, n_validation)
    return _scikit_learns("make_blobs", *sizes, seed, 2, stream, centers=centers, cluster_std=noise)


def gaussian_quantiles(
    *, n_train: Count, n_test: Count, n_validation: Size = 0, classes: Classes, seed: Seed
) -> Dataset:
    """Returns one standard Gaussian cloud cut into nested rings of equal size, one class each.

    The rings are cut at the quantiles of each part's own radii.
    """
    sizes = (n_train, n_test, n_validation)
    return _scikit_learns("make_gaussian_quantiles", *sizes, seed, classes, stream, n_classes=classes)


def spirals(
    *, n_train: Count, n_test: Count, n_validation: Size = 0, noise: NonNegative, turns: Positive, seed: Seed
) -> Dataset:
    """Returns two interleaved Archimedean arms of radius up to 1, with Gaussian noise of std ``noise``.

    Arm k is r (cos φ, sin φ) with φ = 2π · turns · r + kπ (after Lang & Witbrock 1988, 'Learning to tell two
    spirals apart'); r is the square root of a uniform draw, so that the arms are as dense outside as inside.
    """

    def arms(m: int, rng: np.random.RandomState) -> Part:
        labels = rng.permutation(np.arange(m) % 2)
        radius = np.sqrt(rng.uniform(size=m))
        angle = 2 * np.pi * turns * radius + np.pi * labels
        return radius * np.stack([np.cos(angle), np.sin(angle)]) + noise * rng.standard_normal((2, m)), labels

    return _drawn(arms, n_train, n_test, n_validation, seed, "initlab.datasets.spirals")


def xor(*, n_train: Count, n_test: Count, n_validation: Size = 0, noise: NonNegative, seed: Seed) -> Dataset:
    """Returns points of the square [−1, 1]², class 1 where their signs differ, then moved by Gaussian noise
    of std ``noise``: no single feature tells anything, only the two together.
    """

    def quadrants(m: int, rng: np.random.RandomState) -> Part:
        X = rng.uniform(-1, 1, (2, m))
        return X + noise * rng.standard_normal((2, m)), X[0] * X[1] < 0

    return _drawn(quadrants, n_train, n_test, n_validation, seed, "initlab.datasets.xor", stream_of=stream)


def linear(*, n_train: Count, n_test: Count, n_validation: Size = 0, margin: Positive, seed: Seed) -> Dataset:
    """Returns two halves of a Gaussian cloud, each ``margin`` away from the line x₁ + x₂ = 0 on its side.

    A straight line tells them apart: the problem that needs no hidden unit, and no broken symmetry.
    """

    def sides(m: int, rng: np.random.RandomState) -> Part:
        labels = rng.permutation(np.arange(m) % 2)
        along, distance = rng.standard_normal((2, m))
        across = (2 * labels - 1) * (margin + np.abs(distance))
        return np.stack([across - along, across + along]) / np.sqrt(2), labels

    return _drawn(sides, n_train, n_test, n_validation, seed, "initlab.datasets.linear")


def _circle(angles: Array) -> Array:
    return np.stack([np.cos(angles), np.sin(angles)])


def _shuffled_and_moved(points: Array, first: int, noise: float, rng: np.random.RandomState) -> Part:
    """Returns, to the bit, the examples that scikit-learn's function of the dataset's name returns, without
    the second that its import takes; of the points (2, m) the ``first`` are of class 0.
    """
    order = np.arange(points.shape[1])
    rng.shuffle(order)
    moved = points.T[order] + rng.normal(scale=noise, size=points.T.shape)
    return moved.T, order >= first


def _scikit_learns(
    make: str,
    n_train: int,
    n_test: int,
    n_validation: int,
    seed: int,
    classes: int = 2,
    stream_of: StreamOf = lessons_stream,
    **options: Any,
) -> Dataset:
    import sklearn.datasets

    def columns(m: int, rng: np.random.RandomState) -> Part:
        X, labels = getattr(sklearn.datasets, make)(n_samples=m, random_state=rng, **options)
        return X.T, labels

    source = f"sklearn.datasets.{make}"
    return _drawn(columns, n_train, n_test, n_validation, seed, source, classes, stream_of)


def _drawn(
    draw: Callable[[int, np.random.RandomState], Part],
    n_train: int,
    n_test: int,
    n_validation: int,
    seed: int,
    source: str,
    classes: int = 2,
    stream_of: StreamOf = lessons_stream,
) -> Dataset:
    for name, m in (("n_train", n_train), ("n_test", n_test)):
        if m < classes:
            raise ValueError(f"{name}={m}: must be at least {classes}, one example of each class")
    for name, m in (("n_train", n_train), ("n_test", n_test), ("n_validation", n_validation)):
        refuse_beyond_memory(f"{name}={m}", m * BYTES_OF_AN_EXAMPLE)
    if 0 < n_validation < classes:
        raise ValueError(
            f"n_validation={n_validation}: must be 0 or at least {classes}, one example of each class"
        )

    def part(m: int, rng: np.random.RandomState) -> tuple[Array, Array]:
        X, labels = draw(m, rng)
        return np.ascontiguousarray(X), encoded(labels, classes)

    X, Y = part(n_train, stream_of(seed, TRAINING))
    if not np.ptp(Y, axis=1).any():
        raise ValueError(f"seed={seed}: draws one class only to train on; choose another, or more n_train")
    test = part(n_test, stream_of(seed, TEST))
    validation = part(n_validation, stream(seed, VALIDATION)) if n_validation else (None, None)
    task = task_of(classes)
    return Dataset(X, Y, *test, source, task, X_validation=validation[0], Y_validation=validation[1])
