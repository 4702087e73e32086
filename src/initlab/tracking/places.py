"""Where files are: the database of a project that was moved or copied names the places where they were.

Beside an SQLite database Initlab keeps files in the folder ``artifacts``. Their places are absolute in the
database, and so name a folder elsewhere when it and that folder have come here together.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlparse

from initlab.tracking.address import sqlite_file

FOLDER = "artifacts"


def local_folder(place: str) -> Path | None:
    """Returns the folder that the URI of a place of files names, None where it is not on this machine."""
    parts = urlparse(place)
    return Path(unquote(parts.path)) if parts.scheme in ("file", "") else None


def beside(place: str, database: Path) -> Path | None:
    """Returns the folder beside an SQLite database that stands for a place elsewhere, whether it is there or
    not; None where the place is no such one.
    """
    folder, own = local_folder(place), database.parent
    if folder is None or folder.is_relative_to(own):
        return None
    parts = folder.parts
    for at in range(len(parts) - 2, 0, -1):  # from the last one
        if parts[at : at + 2] == (own.name, FOLDER):
            return own.joinpath(*parts[at + 1 :])
    return None


def place_now(place: str, database: Path | None) -> str:
    """Returns the URI of the place where files are that a store says are at ``place``.

    It is beside its SQLite database, if it has one, where they are there, or are not where the store says.
    """
    folder = beside(place, database) if database else None
    if folder is None or not (folder.exists() or not _is_there(place)):
        return place
    return folder.as_uri()


def _is_there(place: str) -> bool:
    folder = local_folder(place)
    return folder is not None and folder.exists()


@lru_cache
def moved_from(uri: str) -> Path | None:
    """Returns the folder where the store at uri (absolute) says that new files are kept, if they are kept
    beside it instead; None if it is as the store says, or is not known.
    """
    database = sqlite_file(uri)
    if database is None or not database.is_file():
        return None
    for place in _places_of_experiments(database):
        if place_now(place, database) != place:
            return local_folder(place)
    return None


def _places_of_experiments(database: Path) -> Iterator[str]:
    """Yields them without MLflow, which takes seconds to be imported; none of what is no database of its."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            for (place,) in connection.execute("SELECT artifact_location FROM experiments"):
                yield str(place)
    except sqlite3.Error:  # whoever opens the store says what is wrong with it
        return
