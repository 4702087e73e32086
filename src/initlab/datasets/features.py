"""The feature columns of a table as rows of numbers, by what their training part holds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from initlab.datasets.columns import (
    MEASURED,
    MOST_TEXTS,
    counted,
    example_of,
    kind_of,
    listed,
    without_categories,
)
from initlab.datasets.dataset import Indices, Names, scale_of, standardised
from initlab.datasets.preparation import Filled, Scale
from initlab.types import Array

if TYPE_CHECKING:
    import pandas as pd

DATE = r"\d{4}-\d\d?-\d\d?([T ].*)?|\d\d?[./]\d\d?[./]\d{2,4}"
DECIMAL_COMMA = r"-?\d+(,\d+)?"


class Features(NamedTuple):
    """The features X (n_x, m), their names, and what was done to make them, as in a Preparation."""

    X: Array
    names: Names
    columns: Mapping[str, str]
    filled: Mapping[str, Filled]
    categories: Mapping[str, Names]
    unknown: Mapping[str, Mapping[str, int]]
    scales: Mapping[str, Scale]


def features_of(frame: "pd.DataFrame", train: Indices, path: str) -> Features:
    """Returns the features of a table's columns, in their order.

    Numbers are standardised. A text column becomes a row of 0 and 1 for each of its categories. Missing
    values are filled by the median of the training part, or by the most frequent text or truth value.
    """
    columns = {str(name): without_categories(frame[name]) for name in frame}
    _check(columns, path)
    values: dict[str, np.ndarray[Any, Any]] = {}
    filled: dict[str, Filled] = {}
    for name, column in columns.items():
        values[name] = _values(column)
        if column.isna().any():
            values[name], by = _filled(values[name], train, kind_of(column), name, path)
            filled[name] = Filled(by, int(column.isna().sum()))
    numbers = {name: one for name, one in values.items() if one.dtype == np.float64}
    rows = _standardised(numbers, train)
    categories: dict[str, Names] = {}
    unknown: dict[str, Mapping[str, int]] = {}
    for name in (name for name in columns if name not in numbers):
        rows[name], categories[name] = _one_hot(values[name], train)
        unseen = values[name][~rows[name].any(axis=0)].tolist()
        unknown |= {name: {text: unseen.count(text) for text in sorted(set(unseen))}} if unseen else {}
    return Features(
        np.concatenate([rows[name] for name in columns]),
        tuple(feature for name in columns for feature in _names(name, categories.get(name))),
        {name: _kind(column) for name, column in columns.items()},
        filled,
        categories,
        unknown,
        {name: scale_of(one, train) for name, one in numbers.items()},
    )


def _standardised(numbers: Mapping[str, Array], train: Indices) -> dict[str, Array]:
    """Returns the rows (1, m) of features made of numbers (m,)."""
    if not numbers:
        return {}
    rows = standardised(np.stack(list(numbers.values())), train)  # one by one, the last bits would be others
    return {name: row[np.newaxis] for name, row in zip(numbers, rows, strict=True)}


def _names(column: str, categories: Names | None) -> Names:
    return (column,) if categories is None else tuple(f"{column}={category}" for category in categories)


def _kind(column: "pd.Series") -> str:
    """Returns a column's kind, with whole numbers told apart, which another table must not have as others."""
    from pandas.api.types import is_integer_dtype

    whole = is_integer_dtype(column.dtype) and not column.isna().any()
    return "whole number" if whole else kind_of(column)


def _values(column: "pd.Series") -> "np.ndarray[Any, Any]":
    """Returns a column's values (m,) as numbers or as texts, NaN where they are missing."""
    kind = kind_of(column)
    if kind == "text":
        texts: np.ndarray[Any, Any] = column.astype(object).where(column.notna(), np.nan).to_numpy(object)
        return texts
    column = column.astype("boolean") if kind == "true or false" else column
    numbers: Array = column.to_numpy(np.float64, na_value=np.nan)
    return numbers


def _filled(
    values: "np.ndarray[Any, Any]", train: Indices, kind: str, name: str, path: str
) -> tuple["np.ndarray[Any, Any]", Any]:
    """Returns the values (m,) without gaps, and what fills them."""
    from pandas import isna
    from sklearn.impute import SimpleImputer

    if isna(values[train]).all():
        raise ValueError(
            f"path={path}: {name} has no value in the training part to fill gaps by; leave it out: "
            f"dataset.drop=[{name}]"
        )
    imputer = SimpleImputer(strategy="median" if kind == "number" else "most_frequent")
    imputer.fit(values[train, np.newaxis])
    return imputer.transform(values[:, np.newaxis])[:, 0], imputer.statistics_.tolist()[0]


def _one_hot(values: "np.ndarray[Any, Any]", train: Indices) -> tuple[Array, Names]:
    """Returns a row of 0 and 1 for each category of the training part, and the categories, sorted."""
    from sklearn.preprocessing import OneHotEncoder

    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encoder.fit(values[train, np.newaxis])
    rows: Array = encoder.transform(values[:, np.newaxis]).T
    return rows, tuple(encoder.categories_[0].tolist())


def _check(columns: Mapping[str, "pd.Series"], path: str) -> None:
    kinds = {name: kind_of(column) for name, column in columns.items()}
    for name, column in columns.items():
        if kinds[name] == "text":
            _check_categories(name, column.dropna(), path)
    others = {name: kind for name, kind in kinds.items() if kind not in (*MEASURED, "text")}
    if others:
        examples = listed(
            f"{name} ({kind} such as {example_of(columns[name])})" for name, kind in others.items()
        )
        raise ValueError(
            f"path={path}: features must be numbers, true or false, or text, unlike {examples}; leave out: "
            f"dataset.drop=[{','.join(others)}]"
        )
    infinite = {
        name: int(np.isinf(_values(column)).sum())
        for name, column in columns.items()
        if kinds[name] == "number"
    }
    if any(infinite.values()):
        import pandas as pd

        raise ValueError(
            f"path={path}: values are infinite in {counted(pd.Series(infinite))}; drop those rows or bound "
            "them before"
        )


def _check_categories(name: str, texts: "pd.Series", path: str) -> None:
    """Raises ValueError for texts that are no categories: they name the rows, or stand for numbers."""
    different, rows = texts.nunique(), len(texts)
    if texts.str.fullmatch(DATE).all():
        what = f"holds dates such as {example_of(texts)}; make numbers of them"
    elif texts.str.fullmatch(DECIMAL_COMMA).all():
        what = f"holds numbers with decimal commas such as {example_of(texts)}; write them with points"
    elif (numbers := _are_numbers(texts)).mean() >= 0.5:
        others = texts[~numbers]
        what = (
            f"holds numbers, but in {len(others)} of {rows} rows texts such as {example_of(others)}; mend it"
        )
    elif different > MOST_TEXTS or different > rows / 2:
        what = (
            f"holds {different} different texts in {rows} rows, such as {example_of(texts)}: an identifier, "
            "it seems, not categories; make fewer of them"
        )
    else:
        return
    raise ValueError(f"path={path}: {name} {what}, or leave it out: dataset.drop=[{name}]")


def _are_numbers(texts: "pd.Series") -> "pd.Series":
    import pandas as pd

    return pd.to_numeric(texts, errors="coerce").notna()
