"""What a stack of jobs leaves in its MLflow runs: metrics, files, pictures and how each run ends."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Self

import numpy as np
import yaml
from numpy.typing import NDArray

from initlab.config.schema import leaves
from initlab.config.targets import GROUPS
from initlab.datasets import Dataset
from initlab.errors import TrackingError
from initlab.numerals import number
from initlab.runs.arithmetic import arithmetic_tags
from initlab.runs.identity import code_digest, data_digest, identity_of
from initlab.runs.job import Job
from initlab.runs.logged import logged_among, logged_steps
from initlab.runs.model import meaning_of, predictor_of
from initlab.runs.pictures import boundary_png, cost_png, frames
from initlab.runs.summary import Summary, Trained, describe
from initlab.signals import alive
from initlab.threads import one_thread
from initlab.tracking import Data, Description, Run, Series, Tracker, image_files
from initlab.training.history import History
from initlab.training.probe import Probe
from initlab.types import Array

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml's is ten times faster


def description_of(job: Job) -> Description:
    """Returns what is known of a job's run before it starts."""
    # A group has the name of its choice beside the leaves of its section: `params.init = 'he'` finds runs.
    choices = {group: job.tags[group] for group in GROUPS}
    data = data_of(job.dataset, job.tags["dataset"])
    tags = {**job.tags, **_origin(job), **({"resumed_at": str(job.first)} if job.begun else {})}
    return Description(job.name, {**choices, **leaves(job.values)}, tags, data)


def _origin(job: Job) -> dict[str, str]:
    """Returns tags for what a job's numbers follow from: as a whole, and its parts beside the settings."""
    parts = {"code": code_digest(job)[:12], "data": data_digest(job.dataset)[:12]}
    return {"identity": identity_of(job), **parts, **arithmetic_tags(job.settings.train.threads)}


@lru_cache(maxsize=64)
def data_of(dataset: Dataset, name: str) -> Data:
    """Returns the training examples as MLflow shows them; runs that share a dataset share them."""
    return Data(name, dataset.source, dataset.X_train.T, dataset.Y_train.T)


class RunRecorder:
    """Keeps what a stack of jobs leaves in its runs, to be entered inside the block of ``Tracker.runs``.

    However it is left, the metrics that were not yet written are written before the runs end.
    """

    def __init__(self, runs: Sequence[Run], tracker: Tracker, history: History, every: int | str) -> None:
        self._runs, self._tracker, self._history = runs, tracker, history
        self._chosen = _Chosen(history, every)
        self._flushed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.flush()

    def flush(self) -> None:
        """Writes the metrics of the iterations since the last flush, of all runs at once."""
        history = self._history
        if history.length > self._flushed:
            self._tracker.log(_series_since(self._flushed, history, self._runs, self._chosen))
            self._flushed = history.length

    def keep(self, trained: Sequence[Trained], tell: Callable[[int], None]) -> list[Trained | Exception]:
        """Writes what trained runs leave, says how they end, and returns them; tells each that is done.

        Where that fails for one run, it ends FAILED and its error is returned in its place.
        """
        self.flush()
        kept: list[Trained | Exception] = []
        with one_thread():  # the answers on a picture are small: threads would wait for each other
            for run, one in enumerate(trained):
                kept.append(self._keep(run, one))
                alive()
                tell(1)
        return kept

    def _keep(self, index: int, one: Trained) -> Trained | Exception:
        run, summary = self._runs[index], one.summary
        try:
            run.write(_data_files(one))
            of_model = _write_model(run, one) if one.job.settings.tracking.model else {}
            run.write(_pictures(one, self._history, index))
        except Exception as error:
            run.fail(summary.metrics)
            return error
        tags = {"mlflow.note.content": describe(one.job, summary), "mlflow.loggedImages": "True"}
        run.finish(summary.metrics, tags | of_model | summary.diagnosis_tags)
        return one


def ended(
    runs: Sequence[Run], kept: Sequence[Trained | Summary | Exception], tracker: Tracker
) -> list[Trained | Summary | Exception]:
    """Returns kept runs with what the store calls them, once the block of ``Tracker.runs`` has been left;
    an error in the place of one that somebody has deleted meanwhile.
    """
    both = zip(runs, kept, strict=True)
    return [_named(run, one, tracker) if isinstance(one, Trained) else one for run, one in both]


def _named(run: Run, one: Trained, tracker: Tracker) -> Trained | Exception:
    summary = one.summary
    if run.deleted:
        return TrackingError(f"run {run.run_id}: was deleted meanwhile; {_end_of(summary)}")
    summary = replace(summary, store=tracker.uri)
    if not run.waits:
        address = tracker.address(summary.tags.get("sweep"))
        summary = replace(summary, run_id=run.run_id, address=address, place=run.place)
    return replace(one, summary=summary)


def _end_of(summary: Summary) -> str:
    if summary.final_cost is None:
        return f"it diverged at iteration {summary.diverged_at}"
    return f"it had ended at cost {number(summary.final_cost)}"


def _data_files(one: Trained) -> dict[str, bytes]:
    prepared = one.job.dataset.preparation
    return {
        "config.yaml": yaml.dump(
            one.job.values, Dumper=_Dumper, sort_keys=False, allow_unicode=True
        ).encode(),
        "history.npz": _npz(one.history),
        "weights.npz": _npz(one.weights),
        **({"preprocessing.json": prepared.json.encode()} if prepared else {}),
    }


def _write_model(run: Run, one: Trained) -> dict[str, str]:
    """Writes the network as an MLflow model and returns the run's tags that tell of it; one that diverged
    leaves none.
    """
    from initlab.tracking.model import model_files

    if one.summary.diverged_at is not None:
        return {}
    network = predictor_of(one.job.network, meaning_of(one.job.dataset), one.weights)
    files, tags = model_files(network, run.run_id if run.place is not None else None)
    run.write(files)
    return tags


def _pictures(one: Trained, history: History, run: int) -> dict[str, bytes]:
    pictures = {"cost.png": cost_png(one), "boundary.png": boundary_png(one)}
    for frame in frames(one.job, history, run):
        pictures |= image_files("boundary", *frame)
    return pictures


def _npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


class _Chosen:
    """Which iterations are logged: of the cost every ``every``-th, and of what is measured all; with ``log``
    of all metrics those that ``runs.logged`` names.
    """

    def __init__(self, history: History, every: int | str) -> None:
        self._iterations, self._every = len(history.costs), every
        self._of_probe = {
            probe.name: logged_among(np.array(probe.iterations, np.int64), self._iterations)
            for probe, _ in history.measured
            if every == "log"
        }

    def costs(self, since: int, end: int) -> NDArray[np.int64]:
        if isinstance(self._every, int):
            return np.arange(-(-since // self._every) * self._every, end, self._every)
        steps = logged_steps(self._iterations)
        return steps[(steps >= since) & (steps < end)]

    def measured(self, probe: Probe, steps: NDArray[np.int64]) -> NDArray[np.bool_]:
        chosen = self._of_probe.get(probe.name)
        return np.ones(len(steps), bool) if chosen is None else np.isin(steps, chosen)


def _series_since(since: int, history: History, runs: Sequence[Run], chosen: _Chosen) -> list[Series]:
    """Returns the runs' metrics from iteration ``since`` on, at the iterations that are logged."""
    costs = chosen.costs(since, history.length)
    found: dict[str, tuple[NDArray[np.int64], Array]] = {"cost": (costs, history.costs[costs])}
    for probe, measured in history.measured:
        at, tables = measured.tables(since)
        logged = chosen.measured(probe, at)
        found |= {key: (at[logged], values[logged]) for key, values in tables.items()}
    series: list[Series] = []
    for index, run in enumerate(runs):
        end = history.iterations_of(index)
        for key, (steps, values) in found.items():
            n = int(np.searchsorted(steps, end))
            series.append(Series(run.run_id, key, values[:n, index], steps[:n], history.times[steps[:n]]))
    return series
