"""The one interface to tracking: runs that begin and end with a block, their metrics and their files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from initlab.errors import TrackingError
from initlab.signals import Stopped, check
from initlab.tracking.artifacts import write_files
from initlab.tracking.client import ClientWriter
from initlab.tracking.description import Description, check_names, completed, fitting_tags
from initlab.tracking.engine import engine_of
from initlab.tracking.store import absolute_uri, address_of, open_store, page_of, readable_errors
from initlab.tracking.writer import NOTHING, Ending, Series, Writer, now

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import RunData


class Tracker:
    """Runs in one experiment of one MLflow store. Every method raises TrackingError when the store fails.

    What a method writes for several runs goes into an SQL database as one transaction: as a whole, or not
    at all.
    """

    def __init__(self, uri: str, experiment: str, folder: Path) -> None:
        self.uri = absolute_uri(uri, folder)
        self.folder = folder
        self.client, self.experiment_id = open_store(self.uri, experiment, folder)
        self._writer = writer_into(self.client)

    @contextmanager
    def runs(self, descriptions: Sequence[Description]) -> Iterator[list["Run"]]:
        """Gives a RUNNING run for each description, in order, and ends them all when the block is left.

        A run ends as ``Run.finish`` or ``Run.fail`` has said. One of which neither was said ends FINISHED;
        when an exception leaves the block FAILED, or KILLED if that is a KeyboardInterrupt; how many are so
        marked is then added to a Stopped.
        """
        check()
        runs = self._start(descriptions)
        try:
            yield runs
        except Stopped as stopped:
            self._kill(runs, stopped)
            raise
        except BaseException as error:
            self._end_each(runs, "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            raise
        self._end_each(runs, "FINISHED")

    def log(self, series: Sequence[Series]) -> None:
        """Writes metrics of any number of runs. NaN and infinity are left out: MLflow would store the one as
        0 and the other as 1.8e308.
        """
        finite = [one for one in (one.finite() for one in series) if len(one.values)]
        with readable_errors("metrics cannot be written"):
            check_names(one.key for one in finite)
            if finite:
                self._writer.log(finite)

    def end_if_running(self, run_ids: Sequence[str], because: str) -> list[str]:
        """Ends as FAILED those of the runs that are still RUNNING, because the process that began them is
        gone, and returns the ids of the FINISHED ones.
        """
        with readable_errors("runs cannot be ended"):
            statuses = {run_id: self.client.get_run(run_id).info.status for run_id in run_ids}
        running = [run_id for run_id, status in statuses.items() if status == "RUNNING"]
        self._end([Ending(run_id, "FAILED", tags={"ended_because": because}) for run_id in running])
        return [run_id for run_id, status in statuses.items() if status == "FINISHED"]

    def address(self, sweep: str | None = None) -> str:
        """Returns the address of the charts in the MLflow UI."""
        return address_of(self.uri, self.experiment_id, sweep)

    def read(self, run_ids: Sequence[str]) -> list["RunData"]:
        """Returns the metrics, parameters and tags of at most 1000 runs, in any order."""
        wanted = ", ".join(f"'{run_id}'" for run_id in run_ids)
        with readable_errors(f"runs cannot be read from {self.uri}"):
            found = self.client.search_runs([self.experiment_id], f"attributes.run_id IN ({wanted})")
        return [run.data for run in found]

    def speed_up_charts(self) -> None:
        """Has an SQLite database find the curves of a run without looking through those of all runs."""
        engine = engine_of(self.client)
        if engine is not None and engine.dialect.name == "sqlite":
            from initlab.tracking.sql import count_metrics

            with readable_errors("the database's statistics cannot be written"):
                count_metrics(engine)

    def page_address(self, run_id: str) -> str:
        """Returns the address of a run's page in the MLflow UI."""
        return page_of(self.address(), run_id)

    def file_address(self, run_id: str, name: str = "") -> str:
        """Returns the address of one run's files in the MLflow UI, or of the one that is named."""
        path = "/".join(filter(None, [self.address().split("?")[0], run_id, "artifacts", name]))
        return f"{path}?workflowType=machine_learning"  # without it MLflow opens its pages for chats

    def _start(self, descriptions: Sequence[Description]) -> list["Run"]:
        """Returns new RUNNING runs. When one cannot be made, none is left RUNNING."""
        with readable_errors("runs cannot be started"):
            runs = [completed(description, self.folder) for description in descriptions]
            started = self._writer.start(self.experiment_id, runs)
        return [Run(self, *one) for one in started]

    def _kill(self, runs: Sequence["Run"], stopped: Stopped) -> None:
        killed = sum(run.ending is None for run in runs)
        try:
            self._end_each(runs, "KILLED")
            stopped.killed += killed
        except TrackingError:  # the closing words say so, and the next command on the store marks them
            stopped.unmarked += killed

    def _end_each(self, runs: Sequence["Run"], status: str) -> None:
        try:
            self._end([run.ending or Ending(run.run_id, status) for run in runs])
        except Exception:  # such as a name that MLflow refuses: that must leave no run RUNNING
            self._end([Ending(run.run_id, "FAILED") for run in runs])
            raise

    def _end(self, endings: Sequence[Ending]) -> None:
        with readable_errors("runs cannot be ended"):
            for ending in endings:
                check_names(ending.metrics)
            if endings:
                self._writer.close([one._replace(tags=fitting_tags(one.tags)) for one in endings])


@dataclass(eq=False)
class Run:
    """A RUNNING run of a Tracker, to be written to inside the block that it lives in."""

    _tracker: Tracker
    run_id: str
    place: str  # the URI below which its files are
    ending: Ending | None = None  # how it ends when the block is left, if that has been said

    def write(self, files: Mapping[str, bytes]) -> None:
        """Writes files by their path within the run."""
        write_files(self._tracker.client, self.run_id, self.place, files)

    def log(
        self, metrics: Mapping[str, ArrayLike], steps: ArrayLike, timestamps: ArrayLike | None = None
    ) -> None:
        """Writes metrics: each has a value, or values (n,), at a step, or at steps (n,) in rising order.

        ``timestamps`` are in ms since 1970; without them it is the time of the call.
        """
        at = np.atleast_1d(np.asarray(steps, np.int64))
        times = np.broadcast_to(np.asarray(now() if timestamps is None else timestamps, np.int64), at.shape)
        values = {key: np.atleast_1d(np.asarray(given, np.float64)) for key, given in metrics.items()}
        for key, given in values.items():
            if given.shape != at.shape:
                raise ValueError(
                    f"{key}: has {given.size} values for {at.size} steps; must have one for each"
                )
        self._tracker.log([Series(self.run_id, key, given, at, times) for key, given in values.items()])

    def finish(self, metrics: Mapping[str, float] = NOTHING, tags: Mapping[str, str] = NOTHING) -> None:
        """Says that the run ends FINISHED, with the numbers that it has once and its last tags."""
        self.ending = Ending(self.run_id, "FINISHED", metrics, tags)

    def fail(self, metrics: Mapping[str, float] = NOTHING, tags: Mapping[str, str] = NOTHING) -> None:
        """Says that the run ends FAILED, with the numbers that it has once and its last tags."""
        self.ending = Ending(self.run_id, "FAILED", metrics, tags)


def writer_into(client: "MlflowClient") -> Writer:
    """Returns the fastest way to write into the client's store."""
    engine = engine_of(client)
    if engine is None:
        return ClientWriter(client)
    from initlab.tracking.bulk import BulkWriter
    from initlab.tracking.sql import can_be_filled

    return BulkWriter(engine) if can_be_filled(engine) else ClientWriter(client)
