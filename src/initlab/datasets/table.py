"""A user's own table: a row is an example, one column or several are the target, and every other column is a
feature, unless it is said which are.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from initlab.config.rules import Name, Rule, Seed, Share, ShareOrZero, list_of, one_of
from initlab.datasets.columns import (
    MEASURED,
    MOST_TEXTS,
    counted,
    example_of,
    guess_of,
    kind_of,
    listed,
    without_categories,
)
from initlab.datasets.dataset import (
    Dataset,
    Indices,
    Names,
    assembled,
    encoded,
    scale_of,
    split,
    standardised_target,
    task_of,
)
from initlab.datasets.features import features_of
from initlab.datasets.preparation import Preparation
from initlab.datasets.reading import Separator, read
from initlab.types import Array

if TYPE_CHECKING:
    import pandas as pd

MOST_CLASSES = 20  # whole numbers with more different values are taken for a measure
FEWEST_ROWS = 4  # two to train on and two to test, or two of each of two classes

TableTask = Annotated[
    str | None,
    Rule("null, classification or regression", lambda v: v in (None, "classification", "regression")),
]
Columns = Annotated[
    Sequence[str],
    list_of("column names such as [id] (a number in quotes)", lambda v: isinstance(v, str) and v != ""),
]


def _are_names(value: Any) -> bool:
    names = value if isinstance(value, list | tuple) else [value]
    return (
        bool(names)
        and len(set(map(str, names))) == len(names)
        and all(isinstance(n, str) and n for n in names)
    )


Targets = Annotated[
    str | Sequence[str],
    Rule("a non-empty text, or a list of different ones such as [x, y] (a number in quotes)", _are_names),
]
Inputs = Annotated[
    Sequence[str] | None,
    Rule(
        "null or a list of different column names such as [x, y] (a number in quotes)",
        lambda value: value is None or (isinstance(value, list | tuple) and _are_names(value)),
    ),
]


def table(
    *,
    path: Name,
    target: Targets,
    inputs: Inputs = None,
    separator: Separator = None,
    drop: Columns = (),
    missing: Annotated[str, one_of("error", "drop", "median")] = "error",
    test_share: Share,
    validation_share: ShareOrZero = 0.0,
    task: TableTask,
    seed: Seed,
) -> Dataset:
    """Returns the examples of a CSV or Parquet file, ``test_share`` of them, drawn by ``seed``, as test part.

    The column ``target`` is what to predict: text, true/false or at most 20 different whole numbers are
    classes, numbered in sorted order; other numbers are a regression, standardised as the features are.
    ``task`` decides otherwise, and has to where there are more than 100 different texts. Several targets are
    a regression on all of them at once, whose cost is the sum of theirs; pictures show the first.

    All other columns but those to ``drop`` are features, or else ``inputs``: these may be targets too, as
    where a network is to give back what it was given. Numbers are standardised; a text column becomes one
    feature of 0 and 1 for each value that the training part has. A text column with more than 100 different
    values, or more than half as many as rows, is refused, as dates are. ``missing`` values are an error, or
    ``drop`` leaves out their rows, or ``median`` fills them: by the training part's median or, in columns of
    text or true/false, its most frequent value; rows without a target are left out then too.

    ``separator`` is that of a CSV file, as it is or as comma, semicolon, tab or pipe; null finds out which.
    """
    targets = (target,) if isinstance(target, str) else tuple(target)
    frame = _chosen(read(path, separator), path, targets, drop, inputs)
    named = [name for name in frame if name not in targets] if inputs is None else list(inputs)
    whole = _whole_rows(frame, path, targets, missing)
    columns = {name: _column(whole[name], name) for name in targets}
    classifies = _classifies(columns, task)
    labels, classes = _classes(*columns.values(), *columns) if classifies else (_one_group(whole), ())
    values = {} if classifies else {name: _numbers(column, name) for name, column in columns.items()}
    parts = split(labels, test_share, seed, validation_share)
    features = features_of(whole[named], parts.train, path)
    preparation = Preparation(
        Path(path).name,
        targets[0],
        targets=targets if len(targets) > 1 else (),
        classes=classes,
        features=features.names,
        columns=features.columns,
        dropped=tuple(drop),
        incomplete_rows=len(frame) - len(whole),
        filled=features.filled,
        categories=features.categories,
        unknown=features.unknown,
        scales={**features.scales, **{name: scale_of(row, parts.train) for name, row in values.items()}},
    )
    return assembled(
        features.X,
        encoded(labels, len(classes))
        if classifies
        else standardised_target(np.array([*values.values()]), parts.train, seed),
        parts,
        source=Path(path).name,
        task=task_of(len(classes)) if classifies else "regression",
        classes=classes,
        features=features.names,
        preparation=preparation,
    )


def _classifies(columns: "Mapping[str, pd.Series]", task: str | None) -> bool:
    """Returns whether the targets' columns hold classes; raises ValueError where several are to do so."""
    if len(columns) == 1:
        return task == "classification" or (task is None and _names_classes(*columns.values(), *columns))
    if task == "classification":
        names = listed(columns)
        raise ValueError(f"task=classification: needs one target, and there are {names}; choose one, or null")
    return False


def _one_group(frame: "pd.DataFrame") -> Indices:
    return np.zeros(len(frame), np.intp)


def _chosen(
    frame: "pd.DataFrame", path: str, targets: Names, drop: Sequence[str], inputs: Sequence[str] | None
) -> "pd.DataFrame":
    """Returns the targets' columns and those that are to be features."""
    columns = list(frame.columns)
    for key, names in (("target", targets), ("drop", drop), ("inputs", inputs or ())):
        for name in names:
            if name not in columns:
                raise ValueError(
                    f"{key}={name}: is not a column of {Path(path).name}; {guess_of(name, columns)} has "
                    f"{listed(columns)}"
                )
    for name in targets:
        if name in drop:
            raise ValueError(f"drop={name}: is the target; name another column as target, or keep it")
    for name in inputs or ():
        if name in drop:
            raise ValueError(f"drop={name}: is one of inputs; leave it out there, or keep it")
    if inputs is None and len(columns) == len(targets) + len(set(drop)):
        raise ValueError(f"path={path}: has no column but the target; features are needed")
    kept = {*targets, *inputs} if inputs is not None else {*columns} - {*drop}
    return frame[[name for name in columns if name in kept]]


def _whole_rows(frame: "pd.DataFrame", path: str, targets: Names, missing: str) -> "pd.DataFrame":
    """Returns the rows that can be used: all, or those without missing values, or those with all targets."""
    gaps = frame.drop(columns=list(targets)).isna().sum()
    if missing == "error" and gaps.any():
        raise ValueError(
            f"path={path}: values are missing in {counted(gaps)}; choose dataset.missing=drop to leave those "
            "rows out or dataset.missing=median to fill them in"
        )
    whole = (
        frame if missing == "error" else frame.dropna(subset=list(targets) if missing == "median" else None)
    )
    rows = len(whole)
    if rows < FEWEST_ROWS:
        count = "no rows" if rows == 0 else f"too few rows to split, {rows}"
        kept = "" if rows == len(frame) else f" where nothing is missing, of {len(frame)}"
        raise ValueError(f"path={path}: has {count}{kept}; at least {FEWEST_ROWS} are needed")
    return whole.reset_index(drop=True)


def _column(column: "pd.Series", target: str) -> "pd.Series":
    """Returns the target's column, whole, with categories as the values they stand for."""
    column = without_categories(column)
    kind = kind_of(column)
    if kind == "date":
        raise ValueError(
            f"target={target}: holds dates such as {example_of(column)}, neither numbers nor classes; "
            "name another column, or make numbers of them"
        )
    wrong = [("missing (empty, NA, None)", column.isna(), "dataset.missing=drop leaves their rows out")]
    if kind in MEASURED:
        wrong.append(("infinite", np.isinf(column), "drop those rows"))
    for word, rows, way in wrong:
        if rows.any():
            raise ValueError(f"target={target}: {rows.sum()} of {len(column)} values are {word}; {way}")
    return column


def _names_classes(column: "pd.Series", target: str) -> bool:
    """Returns whether a column holds classes; raises ValueError for so many texts that they name the rows."""
    if kind_of(column) == "number":
        return bool((column % 1 == 0).all() and column.nunique() <= MOST_CLASSES)
    different, rows = column.astype(str).nunique(), len(column)
    if different > MOST_TEXTS or different > max(rows / 2, MOST_CLASSES):
        raise ValueError(
            f"target={target}: holds {different} different texts in {rows} rows, such as "
            f"{example_of(column)}: an identifier, it seems, not classes; name another column, or choose "
            "task=classification"
        )
    return True


def _classes(column: "pd.Series", target: str) -> tuple[Indices, Names]:
    """Returns each row's class, numbered from 0 in sorted order, and the classes' names."""
    measured = kind_of(column) == "number"
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
            f"{listed(lone)}{way}"
        )
    return labels, tuple(names)


def _numbers(column: "pd.Series", target: str) -> Array:
    if kind_of(column) not in MEASURED:
        raise ValueError(
            f"target={target}: holds text such as {example_of(column)}; a regression needs numbers "
            "(task=classification takes text)"
        )
    values: Array = column.to_numpy(np.float64)
    if np.ptp(values) == 0:
        raise ValueError(f"target={target}: is constant, {_written(values[0])}; there is nothing to learn")
    return values


def _written(value: Any) -> str:
    """Returns a class's name: 1.0 is 1, as it would be in a column of whole numbers."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
