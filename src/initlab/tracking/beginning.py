"""What a command does with a store before it uses it."""

from functools import lru_cache
from pathlib import Path

from initlab.tracking.address import absolute_uri, sqlite_file
from initlab.tracking.delivery import deliver_first
from initlab.tracking.link import to_stderr
from initlab.tracking.places import FOLDER, moved_from


def begin_with(uri: str | None, folder: Path) -> None:
    """Says in two lines whether the store was moved, and delivers what waits for it; it never fails. None
    stands for no store.
    """
    if uri is not None:
        _say_if_moved(absolute_uri(uri, folder))
    deliver_first(uri, folder)


@lru_cache  # once in a command
def _say_if_moved(uri: str) -> None:
    database, before = sqlite_file(uri), moved_from(uri)
    if database is not None and before is not None:
        to_stderr(f"Files are in {database.parent / FOLDER}, not in {before}.")
        to_stderr("The project was moved; `initlab doctor fix=true` has its database say so.")
