"""A copy of an SQLite database, made while others may use it, and moved into place whole."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from initlab.errors import TrackingError
from initlab.signals import check
from initlab.tracking.integrity import database_file
from initlab.tracking.locks import exclusive, lock_of
from initlab.tracking.store import readable_errors

PAGES_AT_ONCE = 10_000


def back_up(uri: str) -> Path:
    """Returns the path of a new copy of the SQLite database at uri (absolute), which stands beside it.

    Raises TrackingError, and leaves none, where it cannot be written or is not whole.
    """
    database = database_file(uri)
    copy = database.with_name(f"{database.name}.backup-{time.strftime('%Y-%m-%d_%H-%M-%S')}")
    unfinished = copy.with_name(f"{copy.name}.part")
    try:
        with readable_errors(f"{copy}: cannot be written"), exclusive(lock_of(database)):
            for left in database.parent.glob(f"{database.name}.backup-*.part"):
                left.unlink()  # by a process that was ended while it made one
            _copy(database, unfinished)
            unfinished.rename(copy)
    finally:
        unfinished.unlink(missing_ok=True)
    return copy


def _copy(database: Path, to: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(to)) as copy:
        source.backup(copy, pages=PAGES_AT_ONCE, progress=lambda *left: check())
        [(said,), *_] = copy.execute("PRAGMA integrity_check").fetchall()
    if said != "ok":
        raise TrackingError(f"{database}: no whole copy can be made of it: {said.splitlines()[0]}")
