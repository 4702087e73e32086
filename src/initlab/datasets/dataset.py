"""A dataset: examples for training, for testing and perhaps for validation, what their labels mean, and how
measured ones are split, and scaled by the training part.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from initlab.datasets.agreement import check_count, check_parts, check_scales
from initlab.datasets.preparation import Preparation, Scale
from initlab.streams import SPLIT, lessons_stream
from initlab.types import Array

Task: TypeAlias = Literal["binary", "classes", "regression"]
Names: TypeAlias = tuple[str, ...]
Indices: TypeAlias = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, eq=False)  # arrays do not compare to one truth: a dataset equals itself
class Dataset:
    """Training and test examples, X (n_x, m) and Y in float64, their source, and the names where known.

    Examples to validate by, from which a setting such as the learning rate may be chosen, are there if asked
    for; ``preparation`` says of a table how its columns became features. Of other data ``scales`` and
    ``target_scales`` have by what each feature and each target was standardised; empty where none was.

    Y by task: ``binary`` (1, m) of 0 and 1; ``classes`` one-hot (K, m) of K ≥ 3 classes; ``regression``
    (n_y, m), each target less its mean over the training part, divided by its standard deviation there.

    Raises ValueError, in one line, for arrays, names or scales that do not agree.
    """

    X_train: Array
    Y_train: Array
    X_test: Array
    Y_test: Array
    source: str
    task: Task = "binary"
    classes: Names = ()
    features: Names = ()
    X_validation: Array | None = None
    Y_validation: Array | None = None
    preparation: Preparation | None = None
    scales: tuple[Scale, ...] = ()
    target_scales: tuple[Scale, ...] = ()

    def __post_init__(self) -> None:
        check_parts(self._parts, self.task)
        n_x, n_y = self.X_train.shape[0], self.Y_train.shape[0]
        check_count("features", self.features, n_x, "row of X_train")
        check_scales("scales", self.scales, n_x, "row of X_train")
        check_scales("target_scales", self.target_scales, n_y, "row of Y_train")
        if self.task != "regression":
            check_count("classes", self.classes, max(2, n_y), "class")

    @property
    def _parts(self) -> dict[str, tuple[Array, Array]]:
        parts = {"train": (self.X_train, self.Y_train), "test": (self.X_test, self.Y_test)}
        if self.X_validation is None and self.Y_validation is None:
            return parts
        if self.X_validation is None or self.Y_validation is None:
            raise ValueError("X_validation, Y_validation: one of them is None; give both, or none")
        return {**parts, "validation": (self.X_validation, self.Y_validation)}


def encoded(labels: "np.ndarray[Any, Any]", classes: int) -> Array:
    """Returns labels 0 … K − 1 as a row (1, m) of 0 and 1 for K = 2, one-hot (K, m) for more."""
    numbers = np.array([[1]]) if classes == 2 else np.arange(classes)[:, np.newaxis]
    Y: Array = (labels == numbers).astype(np.float64)
    return Y


def task_of(classes: int) -> Task:
    """Returns the task of telling so many classes apart."""
    return "binary" if classes == 2 else "classes"


class Parts(NamedTuple):
    """The examples of each part, by their indices; without a validation part its array is empty."""

    train: Indices
    validation: Indices
    test: Indices


def assembled(
    X: Array,
    Y: Array,
    parts: Parts,
    *,
    source: str,
    task: Task,
    classes: Names = (),
    features: Names = (),
    preparation: Preparation | None = None,
    scales: tuple[Scale, ...] = (),
    target_scales: tuple[Scale, ...] = (),
) -> Dataset:
    """Returns the dataset of columns X (n_x, m), Y (n_y, m), divided into parts."""
    train, test = _taken(X, Y, parts.train), _taken(X, Y, parts.test)
    X_validation, Y_validation = _taken(X, Y, parts.validation) if len(parts.validation) else (None, None)
    return Dataset(
        *train,
        *test,
        source=source,
        task=task,
        classes=classes,
        features=features,
        X_validation=X_validation,
        Y_validation=Y_validation,
        preparation=preparation,
        scales=scales,
        target_scales=target_scales,
    )


def standardised_target(target: Array, train: Indices, seed: int) -> Array:
    """Returns a regression's target (m,) as a row (1, m), or several (n_y, m), standardised by the training
    part.

    Raises ValueError where one is constant there.
    """
    Y = standardised(np.atleast_2d(target), train)
    if not Y[:, train].any(axis=1).all():
        raise ValueError(
            f"seed={seed}: leaves a constant target to train on; choose another, or a smaller test_share"
        )
    return Y


def split(groups: Indices, test_share: float, seed: int, validation_share: float = 0.0) -> Parts:
    """Returns the parts of examples in groups (m,), shuffled: each group gives the test part its share,
    rounded, and then the validation part, if there is one. Every part has at least one example of each group.

    The test part is the same with and without a validation part. Raises ValueError where the shares leave a
    group nothing to train on or to validate by.
    """
    if test_share + validation_share >= 1:
        raise ValueError(
            f"validation_share={validation_share}: leaves no training part beside test_share={test_share}: "
            "together they must be less than 1"
        )
    order = lessons_stream(seed, SPLIT).permutation(len(groups))
    part_of = np.zeros(len(groups), np.intp)  # 0 to train, 1 to validate, 2 to test
    for group in np.unique(groups):
        members = order[groups[order] == group]
        m = len(members)
        tested = min(max(1, round(test_share * m)), m - 1)
        validated = min(max(1, round(validation_share * m)), m - 1 - tested) if validation_share else 0
        if validation_share and not validated:
            raise ValueError(
                f"validation_share={validation_share}: {m} examples of a kind are too few for training, "
                f"validation and test; leave it at 0, or have more of them"
            )
        part_of[members[:tested]] = 2
        part_of[members[tested : tested + validated]] = 1
    return Parts(*(order[part_of[order] == number] for number in range(3)))


def standardised(rows: Array, train: Indices) -> Array:
    """Returns each row less its mean and divided by its standard deviation, both over the training part.

    A row that is constant there teaches nothing about its scale and becomes 0 in both parts.
    """
    rows, _ = _scaled(rows, train)
    known = rows[:, train]
    constant = np.ptp(known, axis=1, keepdims=True) == 0
    std = np.where(constant, 1, known.std(axis=1, keepdims=True))
    return np.where(constant, 0, (rows - known.mean(axis=1, keepdims=True)) / std)


def scale_of(row: Array, train: Indices) -> Scale:
    """Returns by what ``standardised`` standardises a row (m,): std 0 where it is constant and becomes 0."""
    rows, exponent = _scaled(row[np.newaxis], train)
    known = rows[0, train]
    std = known.std() if np.ptp(known) else 0.0
    return Scale(*(float(np.ldexp(value, exponent[0, 0])) for value in (known.mean(), std)))


def _scaled(rows: Array, train: Indices) -> tuple[Array, NDArray[np.intc]]:
    """Returns each row divided by a power of two, and that power's exponent (n, 1).

    It changes no digit, and keeps the squares of very large and very small numbers finite.
    """
    exponent = np.frexp(np.abs(rows[:, train]).max(axis=1, keepdims=True))[1]
    return np.ldexp(rows, -exponent), exponent


def _taken(X: Array, Y: Array, examples: Indices) -> tuple[Array, Array]:
    return np.ascontiguousarray(X[:, examples]), np.ascontiguousarray(Y[:, examples])
