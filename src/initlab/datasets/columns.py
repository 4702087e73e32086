"""What the columns of a table hold, and how messages speak of them."""

from collections.abc import Iterable
from datetime import date, time, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

DATES = (date, time, timedelta)  # pandas' own are among them
MEASURED = ("number", "true or false")  # kinds of columns that can be taken as numbers
MOST_TEXTS = 100  # more different ones are taken for names of the rows
MOST_NAMES = 20  # in a message


def without_categories(column: "pd.Series") -> "pd.Series":
    """Returns a column with pandas' categories as the values they stand for."""
    return column.astype(column.cat.categories.dtype) if hasattr(column, "cat") else column


def kind_of(column: "pd.Series") -> str:
    """Returns what a column holds where nothing is missing: number, true or false, date, text, or its values'
    type. A column with nothing in it is said to hold numbers.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype, is_string_dtype

    values = column.dropna().infer_objects()
    if values.empty:
        return "number"
    if is_numeric_dtype(values):
        return "true or false" if is_bool_dtype(values) else "number"
    if isinstance(values.iloc[0], DATES):
        return "date"
    return "text" if is_string_dtype(values) else type(values.iloc[0]).__name__


def example_of(column: "pd.Series") -> str:
    """Returns the first value that a column has, in quotes."""
    return repr(str(column.dropna().iloc[0]))


def listed(names: Iterable[str], most: int = MOST_NAMES) -> str:
    """Returns names, separated by commas, and how many more there are."""
    names = list(names)
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def counted(counts: "pd.Series") -> str:
    """Returns the names of those that are not 0, and how many each."""
    return listed(f"{name} ({count})" for name, count in counts.items() if count)


def guess_of(name: str, names: Iterable[str]) -> str:
    """Returns a question that names the closest of names, if one is close, and the start of a sentence."""
    names = list(names)
    close = get_close_matches(name.casefold(), [one.casefold() for one in names], n=1)
    meant = [one for one in names if one.casefold() in close][:1]
    return f"did you mean {meant[0]}? It" if meant else "it"
