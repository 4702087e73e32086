"""Writing into MLflow's own tables: one transaction serves a whole stack.

MLflow's client takes some 30 ms a run besides its numbers, because each of its calls is a transaction, and
passes every row through its object mapper. Here the same rows go as one INSERT for each table.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from mlflow.entities import Dataset
from mlflow.store.tracking.dbmodels.models import (
    SqlDataset,
    SqlExperiment,
    SqlInput,
    SqlInputTag,
    SqlParam,
    SqlRun,
    SqlTag,
)
from mlflow.utils.uri import append_to_uri_path
from sqlalchemy import Connection, Engine, Table

from initlab.errors import TrackingError
from initlab.tracking.bulk_metrics import insert_metrics
from initlab.tracking.inserts import insert, insert_missing, insert_or_replace
from initlab.tracking.transactions import transaction
from initlab.tracking.writer import Ending, NewRun, Series, StartedRun, now, start_times

EXPERIMENTS: Table = SqlExperiment.__table__
RUNS: Table = SqlRun.__table__
TAGS: Table = SqlTag.__table__
PARAMS: Table = SqlParam.__table__
DATASETS: Table = SqlDataset.__table__
INPUTS: Table = SqlInput.__table__
INPUT_TAGS: Table = SqlInputTag.__table__


class BulkWriter:
    """A Writer into an SQL database, with a transaction for each call: it is done as a whole or not at
    all.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start(self, experiment_id: str, runs: Sequence[NewRun]) -> list[StartedRun]:
        """Makes RUNNING runs and returns them in order."""
        experiment = int(experiment_id)
        with transaction(self._engine) as connection:
            root = _artifact_location(connection, experiment)
            ids = [uuid.uuid4().hex for _ in runs]
            started = [StartedRun(run_id, _artifact_uri(root, run_id)) for run_id in ids]
            pairs = list(zip(started, runs, strict=True))
            times = start_times(len(runs))
            rows = [_run_row(*pair, experiment, time) for pair, time in zip(pairs, times, strict=True)]
            insert(connection, RUNS, rows)
            insert(connection, TAGS, _pair_rows((one.run_id, run.tags) for one, run in pairs))
            insert(connection, PARAMS, _pair_rows((one.run_id, run.parameters) for one, run in pairs))
            _insert_inputs(connection, experiment, pairs)
        return started

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
            insert_or_replace(connection, TAGS, tags)
            for status in {ending.status for ending in endings}:
                run_ids = [ending.run_id for ending in endings if ending.status == status]
                _end(connection, run_ids, status, time)


def _artifact_location(connection: Connection, experiment: int) -> str:
    columns = EXPERIMENTS.c.artifact_location, EXPERIMENTS.c.lifecycle_stage
    found = connection.execute(sa.select(*columns).where(EXPERIMENTS.c.experiment_id == experiment)).one()
    if found.lifecycle_stage != "active":
        raise TrackingError(f"experiment {experiment}: was deleted meanwhile")
    return str(found.artifact_location)


def _artifact_uri(root: str, run_id: str) -> str:
    # MLflow leaves the function untyped.
    return str(append_to_uri_path(root, run_id, "artifacts"))  # type: ignore[no-untyped-call]


def _run_row(started: StartedRun, run: NewRun, experiment: int, time: int) -> dict[str, Any]:
    return {
        "run_uuid": started.run_id,
        "name": run.name,
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "user_id": run.tags.get("mlflow.user", "unknown"),
        "status": "RUNNING",
        "start_time": time,
        "end_time": None,
        "deleted_time": None,
        "source_version": "",
        "lifecycle_stage": "active",
        "artifact_uri": started.artifact_uri,
        "experiment_id": experiment,
    }


def _pair_rows(pairs_of_runs: Iterable[tuple[str, Mapping[str, str]]]) -> list[dict[str, str]]:
    return [
        {"key": key, "value": value, "run_uuid": run_id}
        for run_id, pairs in pairs_of_runs
        for key, value in pairs.items()
    ]


def _insert_inputs(
    connection: Connection, experiment: int, pairs: Sequence[tuple[StartedRun, NewRun]]
) -> None:
    given = [(started, run.dataset) for started, run in pairs if run.dataset is not None]
    if not given:
        return
    dataset_ids = _dataset_ids(connection, experiment, [one.dataset for _, one in given])
    inputs, tags = [], []
    for (started, one), dataset_id in zip(given, dataset_ids, strict=True):
        input_id = uuid.uuid4().hex
        inputs.append(
            {
                "input_uuid": input_id,
                "source_type": "DATASET",
                "source_id": dataset_id,
                "destination_type": "RUN",
                "destination_id": started.run_id,
            }
        )
        tags += [{"input_uuid": input_id, "name": tag.key, "value": tag.value} for tag in one.tags]
    insert(connection, INPUTS, inputs)
    insert(connection, INPUT_TAGS, tags)


def _dataset_ids(connection: Connection, experiment: int, datasets: Sequence[Dataset]) -> list[str]:
    """Returns the id of each dataset in the experiment, which has one row for each name and digest."""
    distinct = {(one.name, one.digest): one for one in datasets}
    # In one order everywhere, so that two processes with the same datasets never wait for each other.
    rows = [_dataset_row(experiment, distinct[key]) for key in sorted(distinct)]
    insert_missing(connection, DATASETS, rows)
    columns = DATASETS.c.name, DATASETS.c.digest, DATASETS.c.dataset_uuid
    ours = (DATASETS.c.experiment_id == experiment) & sa.tuple_(*columns[:2]).in_(list(distinct))
    found = {(name, digest): id_ for name, digest, id_ in connection.execute(sa.select(*columns).where(ours))}
    return [found[one.name, one.digest] for one in datasets]


def _dataset_row(experiment: int, dataset: Dataset) -> dict[str, Any]:
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


def _end(connection: Connection, run_ids: Sequence[str], status: str, time: int) -> None:
    ended = sa.update(RUNS).where(RUNS.c.run_uuid.in_(run_ids)).values(status=status, end_time=time)
    if connection.execute(ended).rowcount != len(run_ids):
        raise TrackingError("a run to be ended is no longer in the database")
