"""How large a database is, what takes its room, and giving back what it does not use."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from initlab.tracking.integrity import connected, database_file, is_sqlite
from initlab.tracking.locks import exclusive, lock_of
from initlab.tracking.store import readable_errors

PAGE_BYTES = 16384  # fewer and fuller pages than SQLite's own 4096
LARGE = 64_000_000  # bytes; in a smaller database most pages are those of tables with a few rows


@dataclass(frozen=True)
class DatabaseSize:
    """The bytes of a database, those of them that are not used, those of its rows of metrics with their
    indexes, and how many rows each run has of each metric, by the run's id and the metric's name.
    """

    total: int
    unused: int
    of_metrics: int
    rows: Mapping[tuple[str, str], int]

    @property
    def per_row(self) -> float:
        """The bytes that a row of metrics takes."""
        return self.of_metrics / max(1, sum(self.rows.values()))


def size_of(uri: str) -> DatabaseSize:
    """Returns the size of the database at uri (absolute)."""
    with connected(uri) as connection:
        sizes = _of_sqlite(connection) if is_sqlite(uri) else _of_postgresql(connection)
        counted = "SELECT run_uuid, key, count(*) FROM metrics GROUP BY run_uuid, key"
        rows = {(run_id, key): n for run_id, key, n in connection.exec_driver_sql(counted)}
    return DatabaseSize(*sizes, rows)


def _of_sqlite(connection: Connection) -> tuple[int, int, int]:
    def pragma(name: str) -> int:
        return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    page, pages, free = pragma("page_size"), pragma("page_count"), pragma("freelist_count")
    names = "SELECT name FROM sqlite_master WHERE tbl_name = 'metrics'"
    try:
        used = connection.exec_driver_sql(f"SELECT sum(pgsize) FROM dbstat WHERE name IN ({names})").scalar()
    except sa.exc.OperationalError:  # this SQLite was built without dbstat; in such a store metrics are most
        used = page * (pages - free)
    return page * pages, page * free, int(used or 0)


def _of_postgresql(connection: Connection) -> tuple[int, int, int]:
    sizes = "SELECT pg_database_size(current_database()), 0, pg_total_relation_size('metrics')"
    total, unused, of_metrics = connection.exec_driver_sql(sizes).one()
    return int(total), int(unused), int(of_metrics)


def compact(uri: str) -> None:
    """Writes an SQLite database anew without what it does not use, a large one in pages of ``PAGE_BYTES``.

    SQLite does so in place and as one transaction: whoever has the database open, such as MLflow's UI, goes
    on with it, and where it is interrupted nothing has happened.
    """
    with (
        readable_errors(f"tracking.uri={uri}: cannot be made smaller"),
        exclusive(lock_of(database_file(uri))),
        connected(uri) as connection,
    ):
        own = connection.execution_options(isolation_level="AUTOCOMMIT")
        if database_file(uri).stat().st_size >= LARGE:
            own.exec_driver_sql(f"PRAGMA page_size = {PAGE_BYTES}")
        own.exec_driver_sql("VACUUM")
