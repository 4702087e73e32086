"""INSERT for many rows, as SQLite and PostgreSQL have it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, Any]

ROWS_AT_ONCE = 10_000


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Inserts rows, which all name the same columns in the same order."""
    if rows:
        insert_tuples(connection, table, list(rows[0]), (tuple(row.values()) for row in rows))


def insert_tuples(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Inserts any number of rows, of which only a few are held in memory."""
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {table.name} ({', '.join(columns)}) FROM STDIN", rows)
        return
    # Straight to the driver's executemany, which is as fast as the database itself.
    statement = sa.insert(table).values(dict.fromkeys(columns)).compile(dialect=connection.dialect)
    remaining = iter(rows)
    while some := list(islice(remaining, ROWS_AT_ONCE)):
        connection.exec_driver_sql(str(statement), some)


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
    where = _values(into.excluded, if_greater) > _values(table.c, if_greater) if if_greater else None
    connection.execute(into.on_conflict_do_update(index_elements=keys, set_=replaced, where=where), rows)


def _copy(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _insert_into(table: Table, connection: Connection) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _values(columns: Any, names: Sequence[str]) -> sa.Tuple:
    return sa.tuple_(*(columns[name] for name in names))
