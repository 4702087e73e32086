"""A user's own table: a row is an example, one column is the target, and every other column is a feature."""

from collections.abc import Iterable
from datetime import date, time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from initlab.config.rules import Name, Rule, Seed, Share
from initlab.datasets.dataset import Dataset, Indices, Names, classified, regressed
from initlab.datasets.reading import read
from initlab.types import Array

if TYPE_CHECKING:
    import pandas as pd

DATES = (date, time, timedelta)  # pandas' own are among them
MEASURED = ("number", "true or false")  # kinds of columns that may be features
MOST_CLASSES = 20  # whole numbers with more different values are taken for a measure
FEWEST_ROWS = 4  # two to train on and two to test, or two of each of two classes
MOST_TEXTS = 100  # more different ones are taken for names of the rows
MOST_NAMES = 20  # in a message

TableTask = Annotated[
    str | None,
    Rule("null, classification or regression", lambda v: v in (None, "classification", "regression")),
]


def table(*, path: Name, target: Name, test_share: Share, task: TableTask, seed: Seed) -> Dataset:
    """Returns the examples of a CSV or Parquet file, ``test_share`` of them, drawn by ``seed``, as test part.

    The column ``target`` is what to predict: text, true/false or at most 20 different whole numbers are
    classes, numbered in sorted order; other numbers are a regression, standardised as the features are.
    ``task`` decides otherwise, and has to where there are more than 100 different texts. All other columns
    are features and must hold numbers or true/false.
    """
    frame = read(path)
    _check_shape(frame, path, target)
    X, column = _features(frame.drop(columns=target), path), _column(frame[target], target)
    features, source = tuple(frame.columns.drop(target)), Path(path).name
    if task == "classification" or (task is None and _names_classes(column, target)):
        labels, classes = _classes(column, target)
        return classified(X, labels, test_share, seed, source=source, classes=classes, features=features)
    return regressed(X, _numbers(column, target), test_share, seed, source=source, features=features)


def _check_shape(frame: "pd.DataFrame", path: str, target: str) -> None:
    rows, columns = len(frame), list(frame.columns)
    if target not in columns:
        close = get_close_matches(target.casefold(), [name.casefold() for name in columns], n=1)
        meant = [name for name in columns if name.casefold() in close][:1]
        guess = f"did you mean {meant[0]}? It" if meant else "it"
        raise ValueError(
            f"target={target}: is not a column of {Path(path).name}; {guess} has {_listed(columns)}"
        )
    if len(columns) == 1:
        raise ValueError(f"path={path}: has no column but the target; features are needed")
    if rows < FEWEST_ROWS:
        count = "no rows" if rows == 0 else f"too few rows to split, {rows}"
        raise ValueError(f"path={path}: has {count}; at least {FEWEST_ROWS} are needed")


def _features(frame: "pd.DataFrame", path: str) -> Array:
    """Returns the feature columns as rows (n_x, m)."""
    missing = frame.isna().sum()
    if missing.any():
        raise ValueError(
            f"path={path}: values are missing in {_counted(missing)}; drop those rows or fill them in before"
        )
    others = {name: kind for name in frame if (kind := _kind(frame[name])) not in MEASURED}
    if others:
        examples = _listed(
            f"{name} ({kind} such as {_example(frame[name])})" for name, kind in others.items()
        )
        raise ValueError(f"path={path}: features must be numbers: encode or leave out {examples}")
    X: Array = frame.to_numpy(np.float64).T
    infinite = (~np.isfinite(frame.astype(np.float64))).sum()
    if infinite.any():
        raise ValueError(
            f"path={path}: values are infinite in {_counted(infinite)}; drop those rows or bound them before"
        )
    return X


def _column(column: "pd.Series", target: str) -> "pd.Series":
    """Returns the target's column, whole, with categories as the values they stand for."""
    if hasattr(column, "cat"):
        column = column.astype(column.cat.categories.dtype)
    kind = _kind(column)
    if kind == "date":
        raise ValueError(
            f"target={target}: holds dates such as {_example(column)}, neither numbers nor classes; "
            "name another column, or make numbers of them"
        )
    wrong = {"missing (empty, NA, None)": column.isna()}
    if kind in MEASURED:
        wrong["infinite"] = np.isinf(column)
    for word, rows in wrong.items():
        if rows.any():
            raise ValueError(
                f"target={target}: {rows.sum()} of {len(column)} values are {word}; drop those rows"
            )
    return column


def _kind(column: "pd.Series") -> str:
    """Returns what a column holds: number, true or false, date, text, or its values' type."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype, is_string_dtype

    if is_numeric_dtype(column):
        return "true or false" if is_bool_dtype(column) else "number"
    if isinstance(column.iloc[0], DATES):
        return "date"
    return "text" if is_string_dtype(column) else type(column.iloc[0]).__name__


def _example(column: "pd.Series") -> str:
    return repr(str(column.iloc[0]))


def _names_classes(column: "pd.Series", target: str) -> bool:
    """Returns whether a column holds classes; raises ValueError for so many texts that they name the rows."""
    if _kind(column) == "number":
        return bool((column % 1 == 0).all() and column.nunique() <= MOST_CLASSES)
    different, rows = column.astype(str).nunique(), len(column)
    if different > MOST_TEXTS or different > max(rows / 2, MOST_CLASSES):
        raise ValueError(
            f"target={target}: holds {different} different texts in {rows} rows, such as {_example(column)}: "
            "an identifier, it seems, not classes; name another column, or choose task=classification"
        )
    return True


def _classes(column: "pd.Series", target: str) -> tuple[Indices, Names]:
    """Returns each row's class, numbered from 0 in sorted order, and the classes' names."""
    measured = _kind(column) == "number"
    values = column.to_numpy() if measured else np.array([str(value) for value in column])
    found, labels, counts = np.unique(values, return_inverse=True, return_counts=True)
    names = [_written(value) for value in found.tolist()]
    if len(names) == 1:
        raise ValueError(f"target={target}: has one class only, {names[0]}; there is nothing to tell apart")
    lone = [name for name, count in zip(names, counts, strict=True) if count == 1]
    if lone:
        way = "; or choose task=regression" if measured else ""
        raise ValueError(
            f"target={target}: each class needs 2 rows, one to train and one to test; only 1 is of class "
            f"{_listed(lone)}{way}"
        )
    return labels, tuple(names)


def _numbers(column: "pd.Series", target: str) -> Array:
    if _kind(column) not in MEASURED:
        raise ValueError(
            f"target={target}: holds text such as {_example(column)}; a regression needs numbers "
            "(task=classification takes text)"
        )
    values: Array = column.to_numpy(np.float64)
    if np.ptp(values) == 0:
        raise ValueError(f"target={target}: is constant, {_written(values[0])}; there is nothing to learn")
    return values


def _written(value: Any) -> str:
    """Returns a class's name: 1.0 is 1, as it would be in a column of whole numbers."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _counted(counts: "pd.Series") -> str:
    return _listed(f"{name} ({count})" for name, count in counts.items() if count)


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    rest = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")
