"""Reads a CSV or Parquet file into a pandas frame whose columns have names, no two of them equal."""

import csv
import warnings
from collections.abc import Sequence
from itertools import islice
from os.path import expanduser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from initlab.config.rules import Rule
from initlab.errors import first_line

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet", ".pq")
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
ROWS_TO_LOOK_AT = 20

Separator = Annotated[
    str | None,
    Rule(
        f"null or {', '.join(SEPARATORS)}",
        lambda v: v is None or v in SEPARATORS or v in SEPARATORS.values(),
    ),
]


def read(path: str, separator: str | None = None) -> "pd.DataFrame":
    """Returns the rows of a file; raises ValueError, in one line, for one that cannot be read.

    A relative path starts at the current folder. A CSV file without a given separator is separated by the one
    of , ; tab | that divides its first rows best.
    """
    file = Path(expanduser(path))
    if file.suffix.lower() not in SUFFIXES:
        raise ValueError(f"path={path}: must be a CSV or Parquet file, named {', '.join(SUFFIXES)}")
    if not file.is_file():
        wrong = "is no file" if file.exists() else "no such file"
        raise ValueError(f"path={path}: {wrong}; relative paths start at {Path.cwd()}")
    try:
        names, frame = _csv(file, separator) if file.suffix.lower() == ".csv" else _parquet(file)
    except UnicodeDecodeError as error:
        raise ValueError(f"path={path}: is not written in UTF-8; save it as UTF-8") from error
    except Exception as error:  # a file can be broken in more ways than its readers have errors for
        raise ValueError(f"path={path}: cannot be read: {first_line(error)}") from error
    _check_names(names, path, separator)
    return frame.set_axis(names, axis=1)


def _csv(file: Path, separator: str | None) -> tuple[list[str], "pd.DataFrame"]:
    import pandas as pd

    sep = _separator_of(file) if separator is None else SEPARATORS.get(separator, separator)
    with file.open(encoding="utf-8-sig", newline="") as text, warnings.catch_warnings():
        # Rows longer than the header: pandas would cut them, or take their first value for a name.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(text, sep=sep, index_col=False, skipinitialspace=True, low_memory=False)
        text.seek(0)
        # pandas renames columns that have no name or one that was there before.
        header = pd.read_csv(
            text, sep=sep, header=None, nrows=1, dtype=str, keep_default_na=False, skipinitialspace=True
        )
    return list(header.iloc[0]), frame


def _separator_of(file: Path) -> str:
    """Returns the separator that divides most of the first rows into as many cells as the header, at least
    two; of several the one that makes more; a comma where there is none.
    """
    with file.open(encoding="utf-8-sig", newline="") as text:
        lines = [line for line in islice(text, ROWS_TO_LOOK_AT) if line.strip()]
    if any("\0" in line for line in lines):
        raise ValueError("it holds zero bytes, so it is no text")

    def divided(separator: str) -> tuple[bool, int, int]:
        rows = list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
        cells = len(rows[0]) if rows else 0
        return cells > 1, sum(len(row) == cells for row in rows), cells

    return max(SEPARATORS.values(), key=divided)


def _parquet(file: Path) -> tuple[list[str], "pd.DataFrame"]:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(file) as parquet:
        frame = parquet.read().to_pandas()
    return [str(name) for name in frame.columns], frame


def _check_names(names: Sequence[str], path: str, separator: str | None) -> None:
    for number, name in enumerate(names, start=1):
        if not name.strip():
            raise ValueError(
                f"path={path}: column {number} has no name; name it, or leave it out if it counts the rows"
            )
        if name in names[: number - 1]:
            raise ValueError(f"path={path}: has two columns named {name}; rename one or leave it out")
    if separator and len(names) == 1 and any(mark in names[0] for mark in SEPARATORS.values()):
        raise ValueError(
            f"separator={separator}: makes one column of {path}, {names[0]!r}; null finds the separator"
        )
