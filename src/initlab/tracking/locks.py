"""Locks that processes hold one after the other, and that a dead holder gives back."""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from initlab.passwords import revealed
from initlab.tracking.address import dialect_of, sqlite_file


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds a lock file alone among the processes of this machine; one that dies gives it back."""
    if sys.platform == "win32":
        with FileLock(path):
            yield
        return
    import fcntl

    # The kernel wakes those who wait. A lock that is polled for, as FileLock's and SQLite's are, goes to
    # whoever looks first: of four writers at work without a pause, one waited for 28 s.
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:  # closing the file is not enough where a forked process has inherited it
            fcntl.flock(file, fcntl.LOCK_UN)


def lock_of(database: Path) -> Path:
    """Returns the lock file that those hold who open or write an SQLite database."""
    return database.with_name(f"{database.name}.lock")


@contextmanager
def alone_in(uri: str, what: str) -> Iterator[None]:
    """Lets nobody else do ``what``, a word, in the PostgreSQL database at uri within the block."""
    import sqlalchemy as sa

    number = int.from_bytes(hashlib.sha256(f"initlab {what}".encode()).digest()[:8], signed=True)
    with sa.create_engine(revealed(uri), poolclass=sa.NullPool).connect() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_lock(number)))
        yield


@contextmanager
def alone_while_opening(uri: str) -> Iterator[None]:
    """Lets nobody else open the database at uri (absolute) within the block: two that meet an empty one would
    both make its tables. A server, which made its own, can be opened by any number at once.
    """
    if (database := sqlite_file(uri)) is not None:
        database.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(lock_of(database)):
            yield
    elif dialect_of(uri) == "postgresql":
        with alone_in(uri, "opening"):
            yield
    else:
        yield
