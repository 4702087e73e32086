"""Writing through MLflow's client: call by call for each run, for several runs at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from initlab.tracking.description import Description
from initlab.tracking.writer import Ending, Series, now, start_times

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric

CALLS_IN_FLIGHT = 8
METRICS_A_CALL = 1000  # MLflow's limit for one request

T = TypeVar("T")
R = TypeVar("R")


class ClientWriter:
    """A Writer that makes the calls of one run in order and those of several runs at once.

    The calls of one run are never made at once: two that bring the first values of a metric can meet in
    the server's database, where MLflow may give one of them up.
    """

    def __init__(self, client: "MlflowClient") -> None:
        self._client = client
        # Calls to a database, which MLflow writes from this process, gain nothing from being at once.
        self._at_once = 1 if hasattr(client._tracking_client.store, "engine") else CALLS_IN_FLIGHT

    def start(self, experiment_id: str, runs: Sequence[Description]) -> list[tuple[str, str]]:
        """Makes RUNNING runs and returns them in order. When one cannot be made, the others end FAILED."""
        made: list[str] = []

        def start(run_and_time: tuple[Description, int]) -> tuple[str, str]:
            return self._start(experiment_id, *run_and_time, made)

        try:
            return in_flight(start, zip(runs, start_times(len(runs)), strict=True), self._at_once)
        except BaseException:
            self.close([Ending(run_id, "FAILED") for run_id in made])
            raise

    def log(self, series: Sequence[Series]) -> None:
        """Writes series."""
        by_run: dict[str, list[Series]] = {}
        for one in series:
            by_run.setdefault(one.run_id, []).append(one)
        in_flight(self._log, by_run.values(), self._at_once)

    def close(self, endings: Sequence[Ending]) -> None:
        """Ends the runs now."""
        in_flight(self._close, endings, self._at_once)

    def _start(self, experiment_id: str, run: Description, time: int, made: list[str]) -> tuple[str, str]:
        from mlflow.entities import Param

        info = self._client.create_run(experiment_id, time, dict(run.tags), run.name).info
        made.append(info.run_id)
        self._client.log_batch(info.run_id, params=[Param(*pair) for pair in run.parameters.items()])
        if run.data is not None:
            self._log_dataset(info.run_id, run.data.entity)
        return info.run_id, info.artifact_uri

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

        tags = [RunTag(*pair) for pair in ending.tags.items()]
        metrics = list(_metrics(ending.series(now())))
        if tags or metrics:
            self._client.log_batch(ending.run_id, metrics=metrics, tags=tags)
        self._client.set_terminated(ending.run_id, ending.status)


def in_flight(call: Callable[[T], R], items: Iterable[T], at_once: int = CALLS_IN_FLIGHT) -> list[R]:
    """Returns each item's answer, in order. Every call is made; then the first error is raised."""
    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(call, item) for item in items]
    return [future.result() for future in futures]


def _metrics(series: Sequence[Series]) -> "Iterator[Metric]":
    from mlflow.entities import Metric

    rows = chain.from_iterable(one.rows() for one in series)
    return (Metric(key, value, time, step) for key, value, time, step, _, _ in rows)
