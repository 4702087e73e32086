"""What must agree in a dataset: its parts with each other, and what is said of rows with how many there are.

Initlab's own datasets agree by how they are made; a user's may not, and NumPy would say so in its own words.
"""

from collections.abc import Callable, Mapping
from math import inf, isfinite
from numbers import Real
from typing import Any

import numpy as np

from initlab.numerals import counted

ROWS_OF_TARGETS: Mapping[str, tuple[str, Callable[[int], bool]]] = {
    "binary": ("1 row, of 0 and 1", lambda rows: rows == 1),
    "classes": ("a row for each of at least 3 classes", lambda rows: rows > 2),
    "regression": ("a row for each target", lambda rows: rows > 0),
}


def check_parts(parts: Mapping[str, tuple[Any, Any]], task: str) -> None:
    """Raises ValueError, in one line, unless each part's X (n_x, m) and Y (n_y, m) are arrays of the same
    examples, with the same rows in all parts, and as many of Y as the task has.
    """
    if task not in ROWS_OF_TARGETS:
        raise ValueError(f"task={task}: must be one of {', '.join(ROWS_OF_TARGETS)}")
    for part, (X, Y) in parts.items():
        for letter, array, first in zip("XY", (X, Y), parts["train"], strict=True):
            _check_matrix(f"{letter}_{part}", array)
            if len(array) != len(first):
                has, right = counted(len(array), "row"), f"{len(first)}, as {letter}_train has"
                raise ValueError(f"{letter}_{part}: has {has}; it must have {right}")
        if X.shape[1] != Y.shape[1]:
            has = counted(Y.shape[1], "column")
            right = f"{X.shape[1]:,}, one for each example, as X_{part} has"
            raise ValueError(f"Y_{part}: has {has}; it must have {right}")
    rows, (allowed, accepts) = len(parts["train"][1]), ROWS_OF_TARGETS[task]
    if not accepts(rows):
        raise ValueError(f"Y_train: has {counted(rows, 'row')}; task={task} has {allowed}")


def _check_matrix(name: str, array: Any) -> None:
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name}: is a {type(array).__name__}; it must be a NumPy array")
    if array.ndim != 2:
        raise ValueError(f"{name}: has the shape {array.shape}; it must have rows, and a column per example")


def check_count(name: str, given: Any, count: int, of: str) -> None:
    """Raises ValueError, in one line, unless a tuple has an item for each of so many, or is empty."""
    if not isinstance(given, tuple | list):
        raise ValueError(f"{name}: is a {type(given).__name__}; it must be a tuple")
    if given and len(given) != count:
        raise ValueError(
            f"{name}: has {counted(len(given), 'item')}; it must have {count}, one for each {of}, or none"
        )


def check_scales(name: str, given: Any, rows: int, of: str) -> None:
    """Raises ValueError, in one line, unless each row has a mean and a standard deviation, or none has."""
    check_count(name, given, rows, of)
    for scale in given:
        if not _is_scale(scale):
            right = "a mean and a standard deviation, such as (0.0, 1.0)"
            raise ValueError(f"{name}: has {scale!r}; each must be {right}")


def _is_scale(scale: Any) -> bool:
    if not isinstance(scale, tuple | list) or len(scale) != 2:
        return False
    if not all(isinstance(number, Real) for number in scale):
        return False
    mean, std = map(float, scale)
    return isfinite(mean) and 0 <= std < inf
