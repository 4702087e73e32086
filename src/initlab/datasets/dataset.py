"""A dataset: examples for training and for testing, what their labels mean, and how measured ones are split
and scaled by the training part.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from initlab.types import Array

Task: TypeAlias = Literal["binary", "classes", "regression"]
Names: TypeAlias = tuple[str, ...]
Indices: TypeAlias = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, eq=False)  # arrays do not compare to one truth: a dataset equals itself
class Dataset:
    """Training and test examples, X (n_x, m) and Y in float64, their source, and the names where known.

    Y by task: ``binary`` (1, m) of 0 and 1; ``classes`` one-hot (K, m) of K ≥ 3 classes; ``regression``
    (1, m), the target less its mean over the training part, divided by its standard deviation there.
    """

    X_train: Array
    Y_train: Array
    X_test: Array
    Y_test: Array
    source: str
    task: Task = "binary"
    classes: Names = ()
    features: Names = ()


def encoded(labels: "np.ndarray[Any, Any]", classes: int) -> Array:
    """Returns labels 0 … K − 1 as a row (1, m) of 0 and 1 for K = 2, one-hot (K, m) for more."""
    numbers = np.array([[1]]) if classes == 2 else np.arange(classes)[:, np.newaxis]
    Y: Array = (labels == numbers).astype(np.float64)
    return Y


def task_of(classes: int) -> Task:
    """Returns the task of telling so many classes apart."""
    return "binary" if classes == 2 else "classes"


def classified(
    X: Array, labels: Indices, test_share: float, seed: int, *, source: str, classes: Names, features: Names
) -> Dataset:
    """Returns the dataset of columns X (n_x, m) with labels (m,) from 0, each class split by the share."""
    train, test = split(labels, test_share, seed)
    X, Y = standardised(X, train), encoded(labels, len(classes))
    task = task_of(len(classes))
    return Dataset(*_parts(X, Y, train), *_parts(X, Y, test), source, task, classes, features)


def regressed(
    X: Array, target: Array, test_share: float, seed: int, *, source: str, features: Names
) -> Dataset:
    """Returns the dataset of columns X (n_x, m) with a target (m,), standardised as the features are."""
    train, test = split(np.zeros(len(target), np.intp), test_share, seed)
    X, Y = standardised(X, train), standardised(target[np.newaxis], train)
    if not Y[:, train].any():
        raise ValueError(
            f"seed={seed}: leaves a constant target to train on; choose another, or a smaller test_share"
        )
    return Dataset(*_parts(X, Y, train), *_parts(X, Y, test), source, "regression", (), features)


def split(groups: Indices, test_share: float, seed: int) -> tuple[Indices, Indices]:
    """Returns the training and the test examples' indices, shuffled: each group gives the test part its
    share, rounded, and both parts at least one example.
    """
    order = np.random.RandomState(seed).permutation(len(groups))
    held_out = np.zeros(len(groups), bool)
    for group in np.unique(groups):
        members = order[groups[order] == group]
        held_out[members[: min(max(1, round(test_share * len(members))), len(members) - 1)]] = True
    return order[~held_out[order]], order[held_out[order]]


def standardised(rows: Array, train: Indices) -> Array:
    """Returns each row less its mean and divided by its standard deviation, both over the training part.

    A row that is constant there teaches nothing about its scale and becomes 0 in both parts.
    """
    # A power of two changes no digit, and keeps the squares of very large and very small numbers finite.
    rows = np.ldexp(rows, -np.frexp(np.abs(rows[:, train]).max(axis=1, keepdims=True))[1])
    known = rows[:, train]
    constant = np.ptp(known, axis=1, keepdims=True) == 0
    std = np.where(constant, 1, known.std(axis=1, keepdims=True))
    return np.where(constant, 0, (rows - known.mean(axis=1, keepdims=True)) / std)


def _parts(X: Array, Y: Array, examples: Indices) -> tuple[Array, Array]:
    return np.ascontiguousarray(X[:, examples]), np.ascontiguousarray(Y[:, examples])
