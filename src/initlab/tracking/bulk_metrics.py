"""Writing metrics in bulk: the one place where rows of numbers reach the tables.

A run of 15 000 iterations leaves some 40 000 rows, and a stack 32 times as many. They go to the driver as
plain tuples, and never all of them are made at once.
"""

from collections.abc import Sequence

from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric
from sqlalchemy import Connection, Table

from initlab.tracking.inserts import insert_or_replace, insert_tuples
from initlab.tracking.writer import COLUMNS, Series

METRICS: Table = SqlMetric.__table__
LATEST: Table = SqlLatestMetric.__table__


def insert_metrics(connection: Connection, series: Sequence[Series]) -> None:
    """Inserts the series into the table of metrics, and their last values into that of the latest."""
    # In the order of the primary key as far as the series go: neighbours share pages of its index.
    ordered = sorted(series, key=lambda one: (one.key, one.run_id))
    insert_tuples(connection, METRICS, COLUMNS, (row for one in ordered for row in one.rows()))
    latest = [dict(zip(COLUMNS, row, strict=True)) for one in ordered for row in one.last().rows()]
    insert_or_replace(connection, LATEST, latest, if_greater=("step", "timestamp", "value"))
