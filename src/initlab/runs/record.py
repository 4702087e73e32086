"""The MLflow runs of a stack: RUNNING when it is entered, and each ended exactly once when it is left."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import numpy as np
import yaml
from numpy.typing import NDArray

from initlab.config.schema import leaves
from initlab.runs.job import Job
from initlab.runs.pictures import boundary_png, cost_png, frames
from initlab.runs.summary import Trained, describe
from initlab.signals import held
from initlab.tracking import Description, Ending, Series, Tracker, image_files
from initlab.training.history import History
from initlab.types import Array

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml's is ten times faster


class RunRecorder:
    """Keeps what a stack of jobs leaves behind. A run that is not finished inside ends FAILED, or KILLED
    on a signal.
    """

    def __init__(self, tracker: Tracker, jobs: Sequence[Job], history: History, every: int) -> None:
        self._tracker, self._jobs, self._history, self._every = tracker, jobs, history, every
        self._flushed = 0
        self._run_ids: list[str] = []
        self._unfinished: set[str] = set()

    def __enter__(self) -> Self:
        try:
            with held():
                self._run_ids = self._tracker.start([_description(job) for job in self._jobs])
                self._unfinished = set(self._run_ids)
        except BaseException as error:  # such as a signal that came while the runs were started
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with held():
            if not self._unfinished:
                return
            status = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
            try:
                self.flush()
            finally:
                self._tracker.end(sorted(self._unfinished), status)

    @property
    def run_ids(self) -> Sequence[str]:
        """The ids of the runs, in the order of the jobs."""
        return self._run_ids

    def flush(self) -> None:
        """Writes the metrics of the iterations since the last flush, of all runs at once."""
        history = self._history
        series = _series_since(self._flushed, history, self._run_ids, self._every)
        with held():
            self._tracker.log(series)
            self._flushed = history.length

    def keep(self, trained: Sequence[Trained], tell: Callable[[int], None]) -> list[Trained | Exception]:
        """Writes what trained runs leave, ends them and returns them with their ids; tells each that is done.

        Where that fails for one run, it ends FAILED and its error is returned in its place.
        """
        self.flush()
        kept: list[Trained | Exception] = []
        endings: list[Ending] = []
        try:
            for run, one in enumerate(trained):
                left, ending = self._keep(run, one)
                kept.append(left)
                endings.append(ending)
                tell(1)
        finally:  # when a signal comes in between, what is kept by then is FINISHED
            self._close(endings)
        return kept

    def _keep(self, run: int, one: Trained) -> tuple[Trained | Exception, Ending]:
        run_id, summary = self._run_ids[run], one.summary
        try:
            self._tracker.write(run_id, _data_files(one))
            self._tracker.write(run_id, _pictures(one, self._history, run))
        except Exception as error:
            return error, Ending(run_id, "FAILED", summary.metrics)
        tags = {"mlflow.note.content": describe(one.job, summary), "mlflow.loggedImages": "True"}
        address = self._tracker.address(summary.tags.get("sweep"))
        summary = replace(summary, run_id=run_id, address=address, store=self._tracker.uri)
        finished = replace(one, summary=summary)
        return finished, Ending(run_id, "FINISHED", summary.metrics, tags | summary.diagnosis_tags)

    def _close(self, endings: Sequence[Ending]) -> None:
        with held():
            self._tracker.close(endings)
            self._unfinished.difference_update(ending.run_id for ending in endings)


def _description(job: Job) -> Description:
    return Description(job.name, leaves(job.values), job.tags, job.dataset, job.tags["dataset"])


def _data_files(one: Trained) -> dict[str, bytes]:
    return {
        "config.yaml": yaml.dump(
            one.job.values, Dumper=_Dumper, sort_keys=False, allow_unicode=True
        ).encode(),
        "history.npz": _npz(one.history),
        "weights.npz": _npz(one.weights),
    }


def _pictures(one: Trained, history: History, run: int) -> dict[str, bytes]:
    pictures = {"cost.png": cost_png(one), "boundary.png": boundary_png(one)}
    for frame in frames(one.job, history, run):
        pictures |= image_files("boundary", *frame)
    return pictures


def _npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _series_since(since: int, history: History, run_ids: Sequence[str], every: int) -> list[Series]:
    """Returns the runs' metrics from iteration ``since`` on: the cost at every ``every``-th iteration and
    what was measured.
    """
    costs = np.arange(-(-since // every) * every, history.length, every)
    found: dict[str, tuple[NDArray[np.int64], Array]] = {"cost": (costs, history.costs[costs])}
    for _, measured in history.measured:
        at, tables = measured.tables(since)
        found |= {key: (at, values) for key, values in tables.items()}
    series: list[Series] = []
    for run, run_id in enumerate(run_ids):
        end = history.iterations_of(run)
        for key, (steps, values) in found.items():
            n = int(np.searchsorted(steps, end))
            series.append(Series(run_id, key, values[:n, run], steps[:n], history.times[steps[:n]]))
    return series
