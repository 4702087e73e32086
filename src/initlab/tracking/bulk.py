"""Writing into MLflow's own tables: one transaction serves a whole stack.

MLflow's client takes some 30 ms a run besides its numbers, because each of its calls is a transaction, and
passes every row through its object mapper. Here the same rows go as one INSERT for each table.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from mlflow.utils.uri import append_to_uri_path
from sqlalchemy import Connection, Engine

from initlab.errors import TrackingError
from initlab.tracking.description import Description
from initlab.tracking.sql import TABLES, insert, insert_missing, insert_or_replace, insert_tuples, transaction
from initlab.tracking.writer import COLUMNS, Ending, Series, now, start_times

if TYPE_CHECKING:
    from mlflow.entities import Dataset


class BulkWriter:
    """A Writer into an SQL database, with a transaction for each call: it is done as a whole or not."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start(self, experiment_id: str, runs: Sequence[Description]) -> list[tuple[str, str]]:
        """Makes RUNNING runs and returns the id and the place of the files of each, in order."""
        experiment = int(experiment_id)
        by_id = {uuid.uuid4().hex: run for run in runs}
        with transaction(self._engine) as connection:
            root = _artifact_location(connection, experiment)
            # MLflow leaves the function untyped.
            places = [append_to_uri_path(root, i, "artifacts") for i in by_id]  # type: ignore[no-untyped-call]
            times = start_times(len(runs))
            rows = [_run_row(*of, experiment) for of in zip(by_id, runs, places, times, strict=True)]
            insert(connection, TABLES["runs"], rows)
            insert(connection, TABLES["tags"], _pair_rows((i, run.tags) for i, run in by_id.items()))
            insert(connection, TABLES["params"], _pair_rows((i, run.parameters) for i, run in by_id.items()))
            _insert_inputs(connection, experiment, by_id)
        return list(zip(by_id, places, strict=True))

    def log(self, series: Sequence[Series]) -> None:
        """Writes series."""
        with transaction(self._engine) as connection:
            insert_metrics(connection, series)

    def close(self, endings: Sequence[Ending]) -> None:
        """Ends the runs now."""
        time = now()
        with transaction(self._engine) as connection:
            insert_metrics(connection, [one for ending in endings for one in ending.series(time)])
            tags = _pair_rows((ending.run_id, ending.tags) for ending in endings)
            insert_or_replace(connection, TABLES["tags"], tags)
            for status in {ending.status for ending in endings}:
                run_ids = [ending.run_id for ending in endings if ending.status == status]
                _end(connection, run_ids, status, time)


def _artifact_location(connection: Connection, experiment: int) -> str:
    table = TABLES["experiments"].c
    columns = table.artifact_location, table.lifecycle_stage
    found = connection.execute(sa.select(*columns).where(table.experiment_id == experiment)).one()
    if found.lifecycle_stage != "active":
        raise TrackingError(f"experiment {experiment}: was deleted meanwhile")
    return str(found.artifact_location)


def _run_row(run_id: str, run: Description, place: str, time: int, experiment: int) -> dict[str, Any]:
    return {
        "run_uuid": run_id,
        "name": run.name,
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "user_id": run.tags.get("mlflow.user", "unknown"),
        "status": "RUNNING",
        "start_time": time,
        "source_version": "",
        "lifecycle_stage": "active",
        "artifact_uri": place,
        "experiment_id": experiment,
    }


def _pair_rows(pairs_of_runs: Iterable[tuple[str, Mapping[str, str]]]) -> list[dict[str, str]]:
    return [
        {"key": key, "value": value, "run_uuid": run_id}
        for run_id, pairs in pairs_of_runs
        for key, value in pairs.items()
    ]


def _insert_inputs(connection: Connection, experiment: int, runs: Mapping[str, Description]) -> None:
    entities = {run_id: run.data.entity for run_id, run in runs.items() if run.data is not None}
    if not entities:
        return
    dataset_ids = _dataset_ids(connection, experiment, [one.dataset for one in entities.values()])
    inputs, tags = [], []
    for run_id, one in entities.items():
        row = {"input_uuid": uuid.uuid4().hex, "source_type": "DATASET", "destination_type": "RUN"}
        source = dataset_ids[one.dataset.name, one.dataset.digest]
        inputs.append({**row, "source_id": source, "destination_id": run_id})
        tags += [{"input_uuid": row["input_uuid"], "name": t.key, "value": t.value} for t in one.tags]
    insert(connection, TABLES["inputs"], inputs)
    insert(connection, TABLES["input_tags"], tags)


def _dataset_ids(
    connection: Connection, experiment: int, datasets: Sequence["Dataset"]
) -> dict[tuple[str, str], str]:
    """Returns the ids of datasets in the experiment, which has one row for each name and digest, by these."""
    distinct = {(one.name, one.digest): one for one in datasets}
    # In one order everywhere, so that two processes with the same datasets never wait for each other.
    rows = [_dataset_row(experiment, distinct[key]) for key in sorted(distinct)]
    insert_missing(connection, TABLES["datasets"], rows)
    table = TABLES["datasets"].c
    ours = (table.experiment_id == experiment) & sa.tuple_(table.name, table.digest).in_(list(distinct))
    found = connection.execute(sa.select(table.name, table.digest, table.dataset_uuid).where(ours))
    return {(name, digest): id_ for name, digest, id_ in found}


def _dataset_row(experiment: int, dataset: "Dataset") -> dict[str, Any]:
    return {
        "dataset_uuid": uuid.uuid4().hex,
        "experiment_id": experiment,
        "name": dataset.name,
        "digest": dataset.digest,
        "dataset_source_type": dataset.source_type,
        "dataset_source": dataset.source,
        "dataset_schema": dataset.schema,
        "dataset_profile": dataset.profile,
    }


def insert_metrics(connection: Connection, series: Sequence[Series]) -> None:
    """Inserts the series into the table of metrics, and their last values into that of the latest.

    A run of 15 000 iterations leaves some 40 000 rows, and a stack 32 times as many. They go to the driver
    as plain tuples, and never all of them are made at once.
    """
    # In the order of the primary key as far as the series go: neighbours share pages of its index.
    ordered = sorted(series, key=lambda one: (one.key, one.run_id))
    insert_tuples(connection, TABLES["metrics"], COLUMNS, (row for one in ordered for row in one.rows()))
    latest = [
        dict(zip(COLUMNS, row, strict=True)) for one in ordered for row in one.at(slice(-1, None)).rows()
    ]
    insert_or_replace(connection, TABLES["latest_metrics"], latest, ("step", "timestamp", "value"))


def _end(connection: Connection, run_ids: Sequence[str], status: str, time: int) -> None:
    runs = TABLES["runs"]
    ended = sa.update(runs).where(runs.c.run_uuid.in_(run_ids)).values(status=status, end_time=time)
    if connection.execute(ended).rowcount != len(run_ids):
        raise TrackingError("a run to be ended is no longer in the database")
