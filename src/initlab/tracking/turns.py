"""Taking turns: the processes of one machine that write to the same thing, one after the other."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """Waits for this process's turn at the lock file ``path``, which is made if it is missing.

    A process that dies gives its turn back.
    """
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
    """Returns the lock file at which those that open or write an SQLite database take turns."""
    return database.with_name(f"{database.name}.lock")
