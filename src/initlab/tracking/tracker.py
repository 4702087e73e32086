"""The one interface to tracking: runs that begin and end with a block, their metrics and their files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from initlab.errors import StoreAwayError, TrackingError
from initlab.signals import Stopped, asked, check
from initlab.tracking.address import absolute_uri, address_of, page_of
from initlab.tracking.artifacts import write_files
from initlab.tracking.away import is_away
from initlab.tracking.delivery import deliver
from initlab.tracking.description import Description, check_names, completed, fitting_tags
from initlab.tracking.engine import engine_of
from initlab.tracking.link import Say, link_to, to_stderr
from initlab.tracking.opening import Store, opened
from initlab.tracking.places import local_folder
from initlab.tracking.record import Record
from initlab.tracking.spool import keep, remove, shown, spool_of
from initlab.tracking.store import answer, readable_errors
from initlab.tracking.writer import ENDED_BECAUSE, NOTHING, Ending, Series, Writer, now, start_times

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import RunData


class Tracker:
    """Runs in one experiment of one MLflow store. Every method raises TrackingError when the store fails.

    What a method writes for several runs goes into an SQL database as one transaction: as a whole, or not
    at all. A store that does not answer stops no run: what it has not taken is tried again, and what it has
    not taken at the end is kept in ``mlruns/spool`` below ``folder``. ``say`` is told so in a line. Of a
    server's ``database``, if it is told, rows are written into that.
    """

    def __init__(
        self, uri: str, experiment: str, folder: Path, say: Say = to_stderr, database: str | None = None
    ) -> None:
        self.uri = absolute_uri(uri, folder)
        self.folder = folder
        self.experiment = experiment
        self._say, self._database = say, database
        self._shown = shown(self.uri, folder)
        self._link = link_to(self.uri)
        self._runs: dict[str, Run] = {}
        self._ask(f"tracking.uri={self.uri}: cannot be opened", self._open, [])

    def _open(self, runs: Sequence["Run"]) -> None:
        _ = self._store

    @cached_property
    def _store(self) -> Store:
        return opened(self.uri, self.experiment, self.folder, self._database)

    @property
    def client(self) -> "MlflowClient":
        """MLflow's client of the store; raises StoreAwayError where that does not answer."""
        return self._store.client

    @property
    def experiment_id(self) -> str:
        """The id of the experiment; raises StoreAwayError where the store does not answer."""
        return self._store.experiment_id

    @property
    def _writer(self) -> Writer:
        return self._store.writer

    def reach(self) -> None:
        """Waits some seconds for a store that does not answer; raises StoreAwayError if it stays away."""
        self._link.patiently(lambda: answer(self.uri), self._say)

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
        ours = [self._runs.get(one.run_id) for one in finite]
        runs = list(dict.fromkeys(run for run in ours if run))

        def write(runs: Sequence[Run]) -> None:
            self._deliver([run for run in runs if run.behind])
            wanted = [one for one, run in zip(finite, ours, strict=True) if run is None or run in runs]
            if wanted:
                self._writer.log(wanted)

        written = self._ask(f"metrics cannot be written to {self._shown}", write, runs)
        if not written and None in ours:
            raise StoreAwayError("metrics cannot be written: the store does not answer")
        for one, run in zip(finite, ours, strict=True):
            if run:
                run.record.series.append(one)

    def end_if_running(self, run_ids: Sequence[str], because: str) -> list[str]:
        """Ends as FAILED those of the runs that are still RUNNING, because the process that began them is
        gone, and returns the ids of the FINISHED ones.
        """
        with readable_errors("runs cannot be ended"):
            there = [run_id for run_id in run_ids if run_id not in self._writer.missing(run_ids)]
            statuses = {run_id: self.client.get_run(run_id).info.status for run_id in there}
            running = [run_id for run_id, status in statuses.items() if status == "RUNNING"]
            if running:
                said = {ENDED_BECAUSE: because}
                self._writer.close([Ending(run_id, "FAILED", tags=said) for run_id in running])
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
        return self.page_address("/".join(filter(None, [run_id, "artifacts", name])))

    def _start(self, descriptions: Sequence[Description]) -> list["Run"]:
        """Returns new RUNNING runs. When one cannot be made, none is left RUNNING."""
        with readable_errors("runs cannot be started"):
            about = [completed(description, self.folder) for description in descriptions]
        times = start_times(len(about))
        runs = [Run(self, Record(*one)) for one in zip(about, times, strict=True)]
        self._remember(runs)

        def start(runs: Sequence[Run]) -> None:
            records = [run.record for run in runs]
            for run, (run_id, place) in zip(
                runs, self._writer.start(self.experiment_id, records), strict=True
            ):
                run.record.run_id, run.place, run.behind = run_id, place, False
            self._remember(runs)

        try:
            self._ask(f"runs cannot be started in {self._shown}", start, runs)
        except BaseException:
            self._forget(runs)
            raise
        return runs

    def _write(self, run: "Run", files: Mapping[str, bytes]) -> None:
        """Writes files of a run, or leaves them in its record where the store cannot take them now."""
        place = run.place

        def write(runs: Sequence[Run]) -> None:
            if runs:
                write_files(self.client, run.run_id, str(place), files)

        if place is not None and local_folder(place) is not None:
            write([] if run.deleted else [run])
        elif place is None or not self._ask(f"{place}: cannot be written", write, [run]):
            run.record.files.update(files)
            run.behind = True

    def _remember(self, runs: Sequence["Run"]) -> None:
        self._runs.update((run_id, run) for run in runs for run_id in (run.run_id, run.record.key))

    def _forget(self, runs: Sequence["Run"]) -> None:
        self._runs = {run_id: run for run_id, run in self._runs.items() if run not in runs}

    def _ask(self, problem: str, call: Callable[[Sequence["Run"]], None], runs: Sequence["Run"]) -> bool:
        """Makes a call for runs, unless the store is away, and returns whether it was made; where it was not,
        the store is behind what the runs' records hold.
        """
        if not self._link.resting and not self._may_hang_now:
            try:
                self._skipping_deleted(problem, call, runs)
            except StoreAwayError:
                self._link.lost(self._say)
            else:
                self._link.found(self._say)
                return True
        for run in runs:
            run.behind = True
        return False

    def _skipping_deleted(
        self, problem: str, call: Callable[[Sequence["Run"]], None], runs: Sequence["Run"]
    ) -> None:
        """Makes a call for the runs that were not deleted meanwhile, which are looked for where it fails."""
        there = [run for run in runs if not run.deleted]
        with readable_errors(problem):
            try:
                call(there)
            except Exception as error:
                if is_away(error) or not self._find_deleted(there):
                    raise
                call([run for run in there if not run.deleted])

    def _find_deleted(self, runs: Sequence["Run"]) -> bool:
        """Marks those of the runs that somebody has deleted from the store; returns if there are such."""
        known = [run for run in runs if run.place is not None]
        missing = self._writer.missing([run.run_id for run in known]) if known else ()
        for run in known:
            run.deleted = run.run_id in missing
        return bool(missing)

    def _deliver(self, runs: Sequence["Run"]) -> None:
        """Brings what the records of runs hold into the store."""
        if not runs:
            return
        places = deliver(self._store, [run.record for run in runs])
        for run, place in zip(runs, places, strict=True):
            run.place, run.behind = place, False
            run.record.files.clear()
        self._remember(runs)

    def _kill(self, runs: Sequence["Run"], stopped: Stopped) -> None:
        killed = sum(run.ending is None for run in runs)
        try:
            self._end_each(runs, "KILLED")
            waiting = sum(run.waits and run.ending is None for run in runs)
            stopped.killed += killed - waiting
            stopped.unmarked += waiting
        except TrackingError:  # the closing words say so, and the next command on the store marks them
            stopped.unmarked += killed

    def _end_each(self, runs: Sequence["Run"], status: str) -> None:
        """Ends the runs; what a store that is away does not take is kept for it."""
        try:
            self._end(runs, [run.ending or Ending(run.run_id, status) for run in runs])
        except Exception:  # such as a name that MLflow refuses: that must leave no run RUNNING
            if not self._link.away:
                self._end(runs, [Ending(run.run_id, "FAILED") for run in runs])
            raise
        finally:
            self._forget(runs)

    def _end(self, runs: Sequence["Run"], endings: Sequence[Ending]) -> None:
        with readable_errors("runs cannot be ended"):
            for ending in endings:
                check_names(ending.metrics)
            tags = [fitting_tags(ending.tags) for ending in endings]
        time = now()
        for run, ending, its in zip(runs, endings, tags, strict=True):
            run.record.ending = ending._replace(tags=its, time=time)

        def close() -> None:
            self._skipping_deleted(f"runs cannot be ended in {self._shown}", self._close, runs)

        held = self._may_hang_now
        if held:  # what is kept first is not lost should this process be ended while it waits for an answer
            self._keep(runs)
        try:
            self._link.patiently(close, self._say)
        except StoreAwayError:
            if not held:
                self._keep([run for run in runs if not run.deleted])
            return
        for run in runs if held else ():
            remove(spool_of(self.folder) / run.record.key)
            run.waits = False

    @property
    def _may_hang_now(self) -> bool:
        """Whether this process is asked to stop and its store is a server, which may take too long."""
        return asked() is not None and not self.uri.startswith("sqlite")

    def _keep(self, runs: Sequence["Run"]) -> None:
        keep([run.record for run in runs], self.uri, self.experiment, self.folder)
        for run in runs:
            run.waits = True

    def _close(self, runs: Sequence["Run"]) -> None:
        behind = [run for run in runs if run.behind]
        self._deliver(behind)
        rest = [run for run in runs if run not in behind]
        for run in rest:
            run.behind = True  # until the store has said that it took the ending: it is delivered else
        self._writer.close([one for run in rest for one in run.record.endings])
        for run in rest:
            run.behind = False


@dataclass(eq=False)
class Run:
    """A RUNNING run of a Tracker, to be written to inside the block that it lives in.

    ``place`` is the URI below which its files are, None as long as no store has said so. When the block has
    been left, ``waits`` says whether the run lies in the spool, and ``deleted`` whether somebody has deleted
    it meanwhile.
    """

    _tracker: Tracker
    record: Record
    place: str | None = None
    behind: bool = True  # whether the store may lack some of what the record holds
    deleted: bool = False
    waits: bool = False
    ending: Ending | None = None  # how it ends when the block is left, if that has been said

    @property
    def run_id(self) -> str:
        """Its id, which a server that did not answer from the start may yet give it."""
        return self.record.id

    def write(self, files: Mapping[str, bytes]) -> None:
        """Writes files by their path within the run."""
        self._tracker._write(self, files)

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
