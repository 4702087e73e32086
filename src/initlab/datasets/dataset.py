"""A dataset: examples for training and for testing, and what their labels mean."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from initlab.types import Array

Task: TypeAlias = Literal["binary", "classes", "regression"]


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
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


def encoded(labels: "np.ndarray[Any, Any]", classes: int) -> Array:
    """Returns labels 0 … K − 1 as a row (1, m) of 0 and 1 for K = 2, one-hot (K, m) for more."""
    numbers = np.array([[1]]) if classes == 2 else np.arange(classes)[:, np.newaxis]
    Y: Array = (labels == numbers).astype(np.float64)
    return Y


def task_of(classes: int) -> Task:
    """Returns the task of telling so many classes apart."""
    return "binary" if classes == 2 else "classes"
