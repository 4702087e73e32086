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
from initlab.tracking.engine import file_behind
from initlab.tracking.places import place_now
from initlab.tracking.record import Record, new_id
from initlab.tracking.sql import TABLES, insert, insert_missing, insert_or_replace, insert_tuples, transaction
from initlab.tracking.writer import COLUMNS, ENDED_BECAUSE, Ending, Series, now

if TYPE_CHECKING:
    from mlflow.entities import Dataset


class BulkWriter:
    """A Writer into an SQL database, with a transaction for each call: it is done as a whole or not."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start(self, experiment_id: str, records: Sequence[Record]) -> list[tuple[str, str]]:
        """Makes RUNNING runs and returns the id and the place of the files of each, in order."""
        with transaction(self._engine) as connection:
            return list(_insert_runs(connection, int(experiment_id), records).items())

    def log(self, series: Sequence[Series]) -> None:
        """Writes series."""
        with transaction(self._engine) as connection:
            insert_metrics(connection, series)

    def close(self, endings: Sequence[Ending]) -> None:
        """Ends the runs."""
        with transaction(self._engine) as connection:
            _close(connection, endings)

    def locate(self, experiment_id: str, records: Sequence[Record]) -> list[tuple[str, str]]:
        """Returns the id and the place of the files of each run, which need not be there yet."""
        keys = [record.key for record in records]
        with transaction(self._engine) as connection:
            places = _places(connection, int(experiment_id), keys) | _places_of_runs(connection, keys)
        return [(key, places[key]) for key in keys]

    def deliver(self, experiment_id: str, records: Sequence[Record]) -> None:
        """Writes located runs as they are recorded, whatever of them is there."""
        keys = [record.key for record in records]
        with transaction(self._engine) as connection:
            there = _places_of_runs(connection, keys)
            new = [record for record in records if record.key not in there]
            _insert_runs(connection, int(experiment_id), new)
            for table in ("latest_metrics", "metrics"):
                connection.execute(sa.delete(TABLES[table]).where(TABLES[table].c.run_uuid.in_(keys)))
            insert_metrics(connection, [one for record in records for one in record.merged()])
            _close(connection, [one for record in records for one in record.endings], as_new=True)

    def missing(self, run_ids: Sequence[str]) -> set[str]:
        """Returns those of the runs that were deleted."""
        runs = TABLES["runs"].c
        active = sa.select(runs.run_uuid).where(runs.run_uuid.in_(run_ids), runs.lifecycle_stage == "active")
        with transaction(self._engine) as connection:
            return set(run_ids) - set(connection.execute(active).scalars())


def _insert_runs(connection: Connection, experiment: int, records: Sequence[Record]) -> dict[str, str]:
    """Inserts RUNNING runs and returns the places of their files by their ids."""
    if not records:
        return {}
    places = _places(connection, experiment, [record.key for record in records])
    insert(connection, TABLES["runs"], [_run_row(one, places[one.key], experiment) for one in records])
    for table, pairs in (("tags", "tags"), ("params", "parameters")):
        rows = _pair_rows((one.key, getattr(one.description, pairs)) for one in records)
        insert(connection, TABLES[table], rows)
    _insert_inputs(connection, experiment, records)
    return places


def _places(connection: Connection, experiment: int, run_ids: Iterable[str]) -> dict[str, str]:
    """Returns where the files of new runs shall be, by the ids of these: in 256 folders, by the last two
    digits, as a file system is slow to list one of many thousands.
    """
    root = place_now(_artifact_location(connection, experiment), file_behind(connection.engine))
    # MLflow leaves the function untyped.
    return {i: append_to_uri_path(root, i[-2:], i, "artifacts") for i in run_ids}  # type: ignore[no-untyped-call]


def _places_of_runs(connection: Connection, run_ids: Sequence[str]) -> dict[str, str]:
    """Returns where the files of those of the runs are that are there, by their ids."""
    runs = TABLES["runs"].c
    found = sa.select(runs.run_uuid, runs.artifact_uri).where(runs.run_uuid.in_(run_ids))
    database = file_behind(connection.engine)
    return {run_id: place_now(place, database) for run_id, place in connection.execute(found)}


def _artifact_location(connection: Connection, experiment: int) -> str:
    table = TABLES["experiments"].c
    columns = table.artifact_location, table.lifecycle_stage
    found = connection.execute(sa.select(*columns).where(table.experiment_id == experiment)).one()
    if found.lifecycle_stage != "active":
        raise TrackingError(f"experiment {experiment}: was deleted meanwhile")
    return str(found.artifact_location)


def _run_row(record: Record, place: str, experiment: int) -> dict[str, Any]:
    return {
        "run_uuid": record.key,
        "name": record.description.name,
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "user_id": record.description.tags.get("mlflow.user", "unknown"),
        "status": "RUNNING",
        "start_time": record.started,
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


def _insert_inputs(connection: Connection, experiment: int, records: Sequence[Record]) -> None:
    entities = {one.key: data.entity for one in records if (data := one.description.data) is not None}
    if not entities:
        return
    dataset_ids = _dataset_ids(connection, experiment, [one.dataset for one in entities.values()])
    inputs, tags = [], []
    for run_id, one in entities.items():
        row = {"input_uuid": new_id(), "source_type": "DATASET", "destination_type": "RUN"}
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


def _close(connection: Connection, endings: Sequence[Ending], as_new: bool = False) -> None:
    """Ends runs; ``as_new`` those that somebody may have ended in place of the process that trained them."""
    time = now()
    insert_metrics(connection, [one for ending in endings for one in ending.series(ending.time or time)])
    tags, run_ids = TABLES["tags"], [ending.run_id for ending in endings]
    insert_or_replace(connection, tags, _pair_rows((ending.run_id, ending.tags) for ending in endings))
    if as_new:
        connection.execute(sa.delete(tags).where(tags.c.run_uuid.in_(run_ids), tags.c.key == ENDED_BECAUSE))
    together: dict[tuple[str, int], list[str]] = {}
    for ending in endings:
        together.setdefault((ending.status, ending.time or time), []).append(ending.run_id)
    for (status, at), ids in together.items():
        _end(connection, ids, status, at)


def _end(connection: Connection, run_ids: Sequence[str], status: str, time: int) -> None:
    runs = TABLES["runs"].c
    there = runs.run_uuid.in_(run_ids) & (runs.lifecycle_stage == "active")
    ended = sa.update(TABLES["runs"]).where(there).values(status=status, end_time=time)
    if connection.execute(ended).rowcount != len(run_ids):
        raise TrackingError("a run to be ended is no longer in the database")
