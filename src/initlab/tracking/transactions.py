"""Transactions that write much: all or nothing, and in turn where a database has one writer at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine

from initlab.tracking.turns import lock_of, turn

# Foreign keys and the wait for a lock are as MLflow has them. Pages that are changed stay in the cache,
# because when it overflows SQLite locks every reader out, such as the UI, until the end.
PRAGMAS = ("foreign_keys = ON", "busy_timeout = 20000", "cache_size = -65536")


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Opens a connection whose work is committed at the end, or undone when the block raises."""
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    # A connection of its own: its large cache goes when it is closed, and MLflow's keep their settings.
    own = create_engine(engine.url, poolclass=NullPool)
    with turn(lock_of(Path(engine.url.database or ""))), own.connect() as connection:
        for pragma in PRAGMAS:
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        # A transaction that reads first and writes later fails at once when another writes meanwhile.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        connection.commit()
