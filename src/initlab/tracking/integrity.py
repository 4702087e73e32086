"""Is a database whole, and is it MLflow's? Asked of the database itself, before MLflow opens it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from initlab.errors import TrackingError
from initlab.passwords import revealed
from initlab.tracking.address import dialect_of, sqlite_file
from initlab.tracking.engine import engine_of
from initlab.tracking.store import open_to_read, readable_errors

MALFORMED = "database disk image is malformed"
OF_RUNS = ("metrics", "latest_metrics", "params", "tags")
"""Tables whose rows are nothing without their run."""


def is_sqlite(uri: str) -> bool:
    """Returns whether a store is an SQLite database."""
    return sqlite_file(uri) is not None


def is_database(uri: str) -> bool:
    """Returns whether a store is a database whose rows Initlab can read: SQLite or PostgreSQL."""
    return dialect_of(uri) in ("sqlite", "postgresql")


def sql_engine(uri: str) -> Engine:
    """Returns what connects MLflow to the database at uri (absolute)."""
    engine = engine_of(open_to_read(uri))
    assert engine is not None
    return engine


def database_file(uri: str) -> Path:
    """Returns the file of the SQLite database at uri (absolute)."""
    file = sqlite_file(uri)
    assert file is not None
    return file


@contextmanager
def connected(uri: str) -> Iterator[Connection]:
    """Opens a connection to the database at uri (absolute), which must be there."""
    if is_sqlite(uri) and not database_file(uri).is_file():
        raise TrackingError(f"tracking.uri={uri}: there is no such database; the first run makes it")
    with (
        readable_errors(f"tracking.uri={uri}: cannot be read"),
        sa.create_engine(revealed(uri), poolclass=sa.NullPool).connect() as connection,
    ):
        yield connection


def damage(uri: str) -> list[str]:
    """Returns what SQLite finds broken in a database, in its own words; nothing where it is whole."""
    with connected(uri) as connection:
        try:
            found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        except sa.exc.DatabaseError as error:
            if MALFORMED in str(error.orig):  # so much that it cannot go on looking
                return [MALFORMED]
            raise
    return [] if found == ["ok"] else [line for words in found for line in words.splitlines()]


def orphans(uri: str) -> dict[str, int]:
    """Returns how many rows of each table of an SQLite database belong to a row that is not there."""
    counts: dict[str, int] = {}
    with connected(uri) as connection:
        for table, *_ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            counts[table] = counts.get(table, 0) + 1
    return counts


def remove_orphans(uri: str, tables: Sequence[str]) -> None:
    """Removes the rows of tables in OF_RUNS whose run is not there."""
    from initlab.tracking.sql import transaction

    with (
        readable_errors(f"tracking.uri={uri}: cannot be written"),
        transaction(sql_engine(uri)) as connection,
    ):
        for table in tables:
            of_no_run = "run_uuid NOT IN (SELECT run_uuid FROM runs)"
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE {of_no_run}")


@dataclass(frozen=True)
class Schema:
    """The version of a database's tables, of those that the installed MLflow makes, and whether MLflow knows
    the database's: if not, a newer MLflow has made it.
    """

    found: str
    expected: str
    known: bool


def schema_of(uri: str) -> Schema:
    """Returns what is known of a database's tables; raises TrackingError where they are not MLflow's."""
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config

    with connected(uri) as connection:
        if not {"alembic_version", "experiments", "runs"} <= set(sa.inspect(connection).get_table_names()):
            raise TrackingError(f"tracking.uri={uri}: is a database, but not one of MLflow's")
        found = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
    # MLflow leaves the function untyped.
    script = ScriptDirectory.from_config(_get_alembic_config(uri))  # type: ignore[no-untyped-call]
    versions = {revision.revision for revision in script.walk_revisions()}
    return Schema(found, str(script.get_current_head()), found in versions)


def tables_of_others(uri: str) -> list[str]:
    """Returns the names of the tables that are not MLflow's."""
    from initlab.tracking.sql import TABLES

    with connected(uri) as connection:
        found = set(sa.inspect(connection).get_table_names())
    return sorted(found - set(TABLES) - {"alembic_version"})
