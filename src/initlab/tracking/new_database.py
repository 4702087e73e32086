"""Making an SQLite database for MLflow: beside its place, and moved there when it is whole.

MLflow's migrations are many steps. One that is interrupted leaves tables that no later start can open.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

PAGE_SIZE = 16384
"""In bytes. A page holds so many rows of metrics; SQLite's own 4 KiB make a store larger and slower."""


def make_if_missing(database: Path) -> None:
    """Makes a database with MLflow's tables, unless there is one; whoever calls it holds the store's lock.

    What makers that were killed have left is removed.
    """
    for left in database.parent.glob(f"{database.name}.new-*"):
        left.unlink(missing_ok=True)
    if database.is_file() and database.stat().st_size:
        return
    new = database.with_name(f"{database.name}.new-{os.getpid()}")
    with closing(sqlite3.connect(new)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute("PRAGMA user_version = 0")  # writes the first page, whose size is all others'
    with _unsynchronized():
        _migrate(f"sqlite:///{new}")
    _move(new, database)


def _migrate(uri: str) -> None:
    from mlflow import MlflowClient

    from initlab.tracking.engine import engine_of

    engine = engine_of(MlflowClient(uri))
    assert engine is not None
    engine.dispose()


@contextmanager
def _unsynchronized() -> Iterator[None]:
    """Lets SQLite not wait for the disk after each step: the file counts only when it is whole."""
    from sqlalchemy import Engine, event

    def hasten(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", hasten)
    try:
        yield
    finally:
        event.remove(Engine, "connect", hasten)


def _move(new: Path, place: Path) -> None:
    with new.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(new, place)
