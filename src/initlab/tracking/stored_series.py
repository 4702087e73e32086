"""The metrics of a run as a database holds them: read, written anew, thinned; and the table of latest values,
brought in line with them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import Connection

from initlab.tracking.bulk import insert_metrics
from initlab.tracking.integrity import connected, sql_engine
from initlab.tracking.sql import TABLES, can_be_filled, insert_or_replace, transaction
from initlab.tracking.store import readable_errors
from initlab.tracking.writer import COLUMNS, Series
from initlab.types import Array

METRICS, LATEST, TAGS = TABLES["metrics"], TABLES["latest_metrics"], TABLES["tags"]
THINNED = "thinned"  # the tag of a run whose series were thinned; its value says by which rule


class Rows(NamedTuple):
    """The rows of one metric of one run in rising order of their steps: steps (n,), values (n,), NaN where
    MLflow has kept one, and timestamps (n,) in ms since 1970.
    """

    steps: NDArray[np.int64]
    values: Array
    timestamps: NDArray[np.int64]

    def at(self, where: slice) -> "Rows":
        """Returns a part of them."""
        return Rows(self.steps[where], self.values[where], self.timestamps[where])


def writable(uri: str) -> bool:
    """Returns whether Initlab can write into the tables of the database at uri (absolute) by itself."""
    return can_be_filled(sql_engine(uri))


def rows_of_runs(uri: str, run_ids: Sequence[str]) -> Iterator[dict[str, Rows]]:
    """Yields the metrics of each run by their names."""
    columns = "key, step, value, timestamp, is_nan"
    with connected(uri) as connection:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        wanted = f"SELECT {columns} FROM metrics WHERE run_uuid = {mark} ORDER BY key, step"
        # Straight from the driver, which is three times as fast.
        cursor = connection.connection.cursor()
        for run_id in run_ids:
            cursor.execute(wanted, (run_id,))
            yield _by_key(cursor.fetchall())


def _by_key(rows: Sequence[Sequence[Any]]) -> dict[str, Rows]:
    if not rows:
        return {}
    keys, steps, values, timestamps, is_nan = zip(*rows, strict=True)
    numbers = np.where(is_nan, np.nan, np.array(values, np.float64))
    whole = Rows(np.array(steps, np.int64), numbers, np.array(timestamps, np.int64))
    counts = Counter(keys)  # in the order of the keys, each of whose rows stand together
    ends = accumulate(counts.values())
    return {key: whole.at(slice(end - counts[key], end)) for key, end in zip(counts, ends, strict=True)}


def write_anew(uri: str, run_id: str, series: Sequence[Series]) -> None:
    """Puts series, which are all of one run and not empty, in the place of what the run has of them."""
    keys = [one.key for one in series]
    with _writing(uri) as connection:
        for table in (METRICS, LATEST):
            ours = (table.c.run_uuid == run_id) & table.c.key.in_(keys)
            connection.execute(sa.delete(table).where(ours))
        insert_metrics(connection, series)


def thin(uri: str, run_id: str, kept: Mapping[str, NDArray[np.int64]], rule: str) -> int:
    """Removes the rows of the named metrics of a run whose steps are not among those kept (k,), says so by a
    tag, and returns how many they were.
    """
    removed = 0
    with _writing(uri) as connection:
        for key, steps in kept.items():
            ours = (METRICS.c.run_uuid == run_id) & (METRICS.c.key == key)
            gone = sa.delete(METRICS).where(ours, METRICS.c.step.not_in(steps.tolist()))
            removed += connection.execute(gone).rowcount
        insert_or_replace(connection, TAGS, [{"key": THINNED, "value": rule, "run_uuid": run_id}])
    return removed


def wrong_latest(uri: str) -> list[tuple[str, str]]:
    """Returns the run id and the name of each metric whose latest value is not that of its last row."""
    m, l_ = METRICS.c, LATEST.c
    same = (m.run_uuid == l_.run_uuid) & (m.key == l_.key)
    place = (m.step, m.timestamp, m.value), (l_.step, l_.timestamp, l_.value)
    later = sa.exists().where(same, m.step >= l_.step, sa.tuple_(*place[0]) > sa.tuple_(*place[1]))
    there = sa.exists().where(same, *(ours == theirs for ours, theirs in zip(*place, strict=True)))
    wrong = sa.select(l_.run_uuid, l_.key).where(later | ~there)
    missing = sa.except_(sa.select(m.run_uuid, m.key).distinct(), sa.select(l_.run_uuid, l_.key))
    with connected(uri) as connection:
        return [(run_id, key) for of in (wrong, missing) for run_id, key in connection.execute(of)]


def mend_latest(uri: str, wrong: Sequence[tuple[str, str]]) -> None:
    """Makes the latest value of each of the metrics the value of its last row.

    A latest value whose rows are gone, and so is all that is left of them, becomes a row again.
    """
    with _writing(uri) as connection:
        for run_id, key in wrong:
            last, latest = (_last(connection, table, run_id, key) for table in (METRICS, LATEST))
            if last is None or (latest is not None and latest["step"] > last["step"]):
                assert latest is not None
                connection.execute(sa.insert(METRICS).values(latest))
            else:
                insert_or_replace(connection, LATEST, [last])


def _last(connection: Connection, table: sa.Table, run_id: str, key: str) -> dict[str, Any] | None:
    ours = (table.c.run_uuid == run_id) & (table.c.key == key)
    order = [table.c[name].desc() for name in ("step", "timestamp", "value")]
    columns = [table.c[name] for name in COLUMNS]
    found = connection.execute(sa.select(*columns).where(ours).order_by(*order).limit(1)).mappings().first()
    return None if found is None else dict(found)


@contextmanager
def _writing(uri: str) -> Iterator[Connection]:
    with (
        readable_errors(f"tracking.uri={uri}: cannot be written"),
        transaction(sql_engine(uri)) as connection,
    ):
        yield connection
