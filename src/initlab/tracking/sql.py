"""MLflow's database in SQLite or PostgreSQL: are its tables the known ones, transactions, inserts."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import mlflow
import sqlalchemy as sa
from mlflow.store.tracking.dbmodels.models import SqlRun
from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite

from initlab.signals import alive
from initlab.tracking.locks import exclusive, lock_of

Row = Mapping[str, Any]

ROWS_AT_ONCE = 10_000
ROWS_TO_LOOK_AT = 1_000_000  # of an index: all, but for large databases, where it takes a second

# Foreign keys are as MLflow has them, which waits for a lock for 20 s. Pages that are changed stay in the
# cache, because when it overflows SQLite locks every reader out, such as the UI, until the end.
PRAGMAS = ("foreign_keys = ON", "busy_timeout = 10000", "cache_size = -65536")

TABLES: Mapping[str, Table] = SqlRun.metadata.tables
"""MLflow's tables by their names."""

KNOWN = {
    "runs": "run_uuid! name source_type source_name entry_point_name user_id status start_time end_time"
    " deleted_time source_version lifecycle_stage artifact_uri experiment_id",
    "tags": "key! value run_uuid!",
    "params": "key! value! run_uuid!",
    "metrics": "key! value! timestamp step is_nan run_uuid!",
    "latest_metrics": "key! value! timestamp step is_nan run_uuid!",
    "datasets": "dataset_uuid! experiment_id! name! digest! dataset_source_type! dataset_source!"
    " dataset_schema dataset_profile",
    "inputs": "input_uuid! source_type! source_id! destination_type! destination_id! step",
    "input_tags": "input_uuid! name! value!",
}
"""The columns of the tables that are written; '!' marks those that a row must name."""

_logger = logging.getLogger(__name__)


def can_be_filled(engine: Engine) -> bool:
    """Returns whether Initlab can write into the tables of the database by itself.

    It can in SQLite and, through psycopg, in PostgreSQL, unless the tables differ from those it knows;
    that is said once.
    """
    dialect = engine.dialect
    return (dialect.name == "sqlite" or dialect.driver == "psycopg") and _tables_are_known()


@lru_cache
def _tables_are_known() -> bool:
    for name, columns in KNOWN.items():
        if name not in TABLES or {_described(column) for column in TABLES[name].c} != set(columns.split()):
            _logger.warning(
                "MLflow %s: its table %s is not the one Initlab knows, so runs are written through "
                "MLflow's client: nothing is lost, but a sweep takes longer",
                mlflow.__version__,
                name,
            )
            return False
    return True


def _described(column: "sa.Column[Any]") -> str:
    optional = column.nullable or column.default or column.server_default
    return column.name if optional else f"{column.name}!"


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Opens a connection whose work is committed at the end, or undone when the block raises.

    Processes that write to one SQLite database do so one after the other.
    """
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    # A connection of its own: its large cache goes when it is closed, and MLflow's keep their settings.
    own = _unpooled(engine.url)
    with exclusive(lock_of(Path(engine.url.database or ""))), own.connect() as connection:
        for pragma in PRAGMAS:
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        # A transaction that reads first and writes later fails at once when another writes meanwhile.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        connection.commit()


@lru_cache  # an engine keeps the statements that it has compiled
def _unpooled(url: sa.URL) -> Engine:
    return sa.create_engine(url, poolclass=sa.NullPool)


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Inserts rows, which all name the same columns in the same order."""
    if rows:
        insert_tuples(connection, table, list(rows[0]), (tuple(row.values()) for row in rows))


def insert_tuples(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Inserts any number of rows, of which only a few are held in memory."""
    into = f"{table.name} ({', '.join(columns)})"
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for number, row in enumerate(rows):
                if number % ROWS_AT_ONCE == 0:
                    alive()
                copy.write_row(row)
        return
    # Straight to the driver's executemany, which is as fast as the database itself.
    statement = f"INSERT INTO {into} VALUES ({', '.join('?' * len(columns))})"
    remaining = iter(rows)
    while some := list(islice(remaining, ROWS_AT_ONCE)):
        connection.exec_driver_sql(statement, some)
        alive()


def insert_missing(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Inserts the rows whose key the table does not hold yet."""
    if rows:
        connection.execute(_insert_into(table, connection).on_conflict_do_nothing(), rows)


def insert_or_replace(
    connection: Connection, table: Table, rows: Sequence[Row], if_greater: Sequence[str] = ()
) -> None:
    """Inserts the rows or puts them in the place of those with the same key.

    With ``if_greater``, only a row whose values in these columns are greater than the other's replaces it.
    """
    if not rows:
        return
    into = _insert_into(table, connection)
    keys = [column.name for column in table.primary_key]
    replaced = {column.name: into.excluded[column.name] for column in table.c if column.name not in keys}
    ours, theirs = (sa.tuple_(*(of[name] for name in if_greater)) for of in (into.excluded, table.c))
    where = ours > theirs if if_greater else None
    connection.execute(into.on_conflict_do_update(index_elements=keys, set_=replaced, where=where), rows)


def _insert_into(table: Table, connection: Connection) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def count_metrics(engine: Engine) -> None:
    """Has SQLite count how the rows of metrics are spread, which it goes by to choose an index.

    Until then it takes the index by the metric's name, and so MLflow's UI reads the costs of all runs for the
    curve of each.
    """
    with transaction(engine) as connection:
        connection.exec_driver_sql(f"PRAGMA analysis_limit = {ROWS_TO_LOOK_AT}")
        connection.exec_driver_sql("ANALYZE metrics")
