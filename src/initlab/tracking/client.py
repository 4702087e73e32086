"""Writing through MLflow's client: call by call for each run, for several runs at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from initlab.errors import TrackingError
from initlab.tracking.away import is_away
from initlab.tracking.engine import engine_of, file_behind
from initlab.tracking.places import place_now
from initlab.tracking.record import Record
from initlab.tracking.writer import ENDED_BECAUSE, Ending, Series, now

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric, RunInfo
    from mlflow.entities import Run as Stored

CALLS_IN_FLIGHT = 8
METRICS_A_CALL = 1000  # MLflow's limit for one request
KEY = "spool"  # the tag by which a run is found again whose making was not confirmed

T = TypeVar("T")
R = TypeVar("R")


class ClientWriter:
    """A Writer that makes the calls of one run in order and those of several runs at once.

    The calls of one run are never made at once: two that bring the first values of a metric can meet in
    the server's database, where MLflow may give one of them up.
    """

    def __init__(self, client: "MlflowClient") -> None:
        self._client = client
        self._database = file_behind(engine_of(client))
        # Calls to a database, which MLflow writes from this process, gain nothing from being at once.
        self._at_once = 1 if hasattr(client._tracking_client.store, "engine") else CALLS_IN_FLIGHT

    def start(self, experiment_id: str, records: Sequence[Record]) -> list[tuple[str, str]]:
        """Makes RUNNING runs and returns them in order. When one cannot be made, the others end FAILED; when
        the store went away they are left, to be found again.
        """
        made: list[str] = []

        def start(record: Record) -> tuple[str, str]:
            info = self._create(experiment_id, record)
            made.append(info.run_id)
            self._describe(info.run_id, record)
            return info.run_id, place_now(info.artifact_uri, self._database)

        try:
            return in_flight(start, records, self._at_once)
        except BaseException as error:
            if not is_away(error):
                self.close([Ending(run_id, "FAILED") for run_id in made])
            raise

    def log(self, series: Sequence[Series]) -> None:
        """Writes series."""
        by_run: dict[str, list[Series]] = {}
        for one in series:
            by_run.setdefault(one.run_id, []).append(one)
        in_flight(self._log, by_run.values(), self._at_once)

    def close(self, endings: Sequence[Ending]) -> None:
        """Ends the runs."""
        in_flight(self._close, endings, self._at_once)

    def locate(self, experiment_id: str, records: Sequence[Record]) -> list[tuple[str, str]]:
        """Returns the id and the place of the files of each run, which is made if it is not there."""

        def locate(record: Record) -> tuple[str, str]:
            found = self._found(experiment_id, record)
            info = found.info if found else self._create(experiment_id, record)
            return info.run_id, place_now(info.artifact_uri, self._database)

        return in_flight(locate, records, self._at_once)

    def deliver(self, experiment_id: str, records: Sequence[Record]) -> None:
        """Writes located runs as they are recorded: MLflow keeps one of metrics that are quite the same."""
        in_flight(self._deliver, records, self._at_once)

    def missing(self, run_ids: Sequence[str]) -> set[str]:
        """Returns those of the runs that were deleted."""
        stored = in_flight(self._stored, run_ids, self._at_once)
        there = (one is not None and one.info.lifecycle_stage == "active" for one in stored)
        return {run_id for run_id, is_there in zip(run_ids, there, strict=True) if not is_there}

    def _create(self, experiment_id: str, record: Record) -> "RunInfo":
        tags = {**record.description.tags, KEY: record.key}
        return self._client.create_run(experiment_id, record.started, tags, record.description.name).info

    def _describe(self, run_id: str, record: Record, with_data: bool = True) -> None:
        from mlflow.entities import Param

        parameters, data = record.description.parameters, record.description.data
        self._client.log_batch(run_id, params=[Param(*pair) for pair in parameters.items()])
        if data is not None and with_data:
            self._log_dataset(run_id, data.entity)

    def _found(self, experiment_id: str, record: Record) -> "Stored | None":
        if record.run_id is not None and (stored := self._stored(record.run_id)) is not None:
            return stored
        found: list[Stored] = self._client.search_runs([experiment_id], f"tags.{KEY} = '{record.key}'")
        return found[0] if found else None

    def _stored(self, run_id: str) -> "Stored | None":
        """Returns a run, None if the store has none of that id."""
        from mlflow import MlflowException

        try:
            return self._client.get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None

    def _deliver(self, record: Record) -> None:
        stored = self._stored(record.id)
        if stored is None:
            raise TrackingError(f"run {record.id}: is no longer there")
        has_data = stored.inputs is not None and len(stored.inputs.dataset_inputs) > 0
        self._describe(record.id, record, with_data=not has_data)
        self._log(record.merged())
        for ending in record.endings:
            if ENDED_BECAUSE in stored.data.tags:  # by somebody who took its process for dead
                self._client.delete_tag(record.id, ENDED_BECAUSE)
            self._close(ending)

    def _log_dataset(self, run_id: str, dataset: "DatasetInput") -> None:
        from mlflow import MlflowException

        try:
            self._client.log_inputs(run_id, datasets=[dataset])
        except MlflowException:
            # When two runs bring the same new dataset at the same moment, MLflow refuses one of them;
            # asked again, it finds the dataset there.
            self._client.log_inputs(run_id, datasets=[dataset])

    def _log(self, series: Sequence[Series]) -> None:
        metrics = _metrics(series)
        while some := list(islice(metrics, METRICS_A_CALL)):
            self._client.log_batch(series[0].run_id, metrics=some)

    def _close(self, ending: Ending) -> None:
        from mlflow.entities import RunTag

        time = ending.time or now()
        tags = [RunTag(*pair) for pair in ending.tags.items()]
        metrics = list(_metrics(ending.series(time)))
        if tags or metrics:
            self._client.log_batch(ending.run_id, metrics=metrics, tags=tags)
        self._client.set_terminated(ending.run_id, ending.status, time)


def in_flight(call: Callable[[T], R], items: Iterable[T], at_once: int = CALLS_IN_FLIGHT) -> list[R]:
    """Returns each item's answer, in order. Every call is made; then the first error is raised.

    Only when the store has gone away, those that would follow are not made: each would wait for its answer.
    """
    gone: list[Exception] = []

    def unless_gone(item: T) -> R:
        if gone:
            raise gone[0]
        try:
            return call(item)
        except Exception as error:
            # Raised again by another thread it would have another context, and what led to it were lost.
            error.__cause__ = error.__cause__ or error.__context__
            if is_away(error):
                gone.append(error)
            raise

    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(unless_gone, item) for item in items]
    return [future.result() for future in futures]


def _metrics(series: Sequence[Series]) -> "Iterator[Metric]":
    from mlflow.entities import Metric

    rows = chain.from_iterable(one.rows() for one in series)
    return (Metric(key, value, time, step) for key, value, time, step, _, _ in rows)
