"""Reads a CSV or Parquet file into a pandas frame whose columns have names, no two of them equal."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from initlab.errors import first_line

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet", ".pq")


def read(path: str) -> "pd.DataFrame":
    """Returns the rows of a file; raises ValueError, in one line, for one that cannot be read.

    A relative path starts at the current folder.
    """
    file = Path(path).expanduser()
    if file.suffix.lower() not in SUFFIXES:
        raise ValueError(f"path={path}: must be a CSV or Parquet file, named {', '.join(SUFFIXES)}")
    if not file.is_file():
        raise ValueError(f"path={path}: no such file; relative paths start at {Path.cwd()}")
    try:
        names, frame = _csv(file) if file.suffix.lower() == ".csv" else _parquet(file)
    except UnicodeDecodeError as error:
        raise ValueError(f"path={path}: is not written in UTF-8; save it as UTF-8") from error
    except Exception as error:  # a file can be broken in more ways than its readers have errors for
        raise ValueError(f"path={path}: cannot be read: {first_line(error)}") from error
    _check_names(names, path)
    return frame.set_axis(names, axis=1)


def _csv(file: Path) -> tuple[list[str], "pd.DataFrame"]:
    import pandas as pd

    with file.open(encoding="utf-8-sig", newline="") as text, warnings.catch_warnings():
        # Rows longer than the header: pandas would cut them, or take their first value for a name.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(text, index_col=False, skipinitialspace=True, low_memory=False)
        text.seek(0)
        # pandas renames columns that have no name or one that was there before.
        header = pd.read_csv(
            text, header=None, nrows=1, dtype=str, keep_default_na=False, skipinitialspace=True
        )
    return list(header.iloc[0]), frame


def _parquet(file: Path) -> tuple[list[str], "pd.DataFrame"]:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(file) as parquet:
        frame = parquet.read().to_pandas()
    return [str(name) for name in frame.columns], frame


def _check_names(names: Sequence[str], path: str) -> None:
    for number, name in enumerate(names, start=1):
        if not name.strip():
            raise ValueError(
                f"path={path}: column {number} has no name; name it, or leave it out if it counts the rows"
            )
        if name in names[: number - 1]:
            raise ValueError(f"path={path}: has two columns named {name}; rename one or leave it out")
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise ValueError(f"path={path}: has one column, {names[0]!r}; separate columns by commas")
