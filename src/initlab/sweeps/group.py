"""A job group: some jobs of a sweep that one process composes and trains, as Hydra would one by one."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus, setup_globals

from initlab.config.options import setup_resolvers
from initlab.errors import InitlabError, TakenError, TrackingError
from initlab.runs.outcome import Outcome, failed, write_outcome
from initlab.runs.summary import Summary, Trained
from initlab.sweeps.alike import prepared
from initlab.sweeps.executors.protocol import Report
from initlab.sweeps.job_folder import as_hydra_config, save_hydra_folder
from initlab.sweeps.sweep_job import Prepared, SweepJob
from initlab.sweeps.task import JobFailed
from initlab.sweeps.work import Work


class Returned(JobReturn):
    """What Hydra is told of a job, and its outcome. Hydra's own prints the overrides of one that failed; the
    closing words do that for all jobs that did.
    """

    outcome: Outcome

    @property
    def return_value(self) -> Any:
        """What the job returned; raises what it failed with."""
        if self.status == JobStatus.FAILED:
            raise self._return_value
        return self._return_value

    @return_value.setter
    def return_value(self, value: Any) -> None:
        self._return_value = value


@dataclass(frozen=True)
class JobGroup:
    """Jobs for one process, Hydra's callbacks for them, and the stamp of their outcomes; ``tries`` counts the
    workers that died of it, and ``folder`` is where it works if the command's own folder is not there.
    """

    jobs: Sequence[SweepJob]
    callbacks: Any
    stamp: str | None = None
    tries: int = 0
    folder: Path | None = None

    def run(self, report: Report) -> None:
        """Trains the jobs and reports how each ended; also RunsStarted, and the share of the work done."""
        if self.jobs:
            _train_group(self, report)

    def rest(self, reports: Sequence[Any]) -> "JobGroup":
        """Returns what is left to do when a process is gone that has reported this, after ending the runs
        that it left RUNNING.
        """
        ended = {one.number for one in reports if isinstance(one, JobEnding)}
        for begun in (one for one in reports if isinstance(one, RunsStarted)):
            with suppress(TrackingError):  # of a store that is away
                begun.end("its process is gone, and its job was tried again")
        jobs = [job for job in self.jobs if job.number not in ended]
        return replace(self, jobs=jobs, tries=self.tries + 1)


@dataclass(frozen=True)
class JobEnding:
    """How a job ended; ``elsewhere`` if another process trains it, and whether its outcome was ``left`` in
    its folder where the launching process sees it.
    """

    number: int
    outcome: Outcome
    elsewhere: bool = False
    left: bool = True


@dataclass(frozen=True)
class RunsStarted:
    """Which MLflow runs a job group has opened, by the numbers of their jobs: should its process die,
    somebody else must end them.
    """

    uri: str
    experiment: str
    folder: Path
    run_ids: Mapping[int, str]

    def end(self, because: str) -> dict[int, Summary]:
        """Ends those of the runs that are still RUNNING as FAILED, and returns the summaries of the FINISHED
        ones by the numbers of their jobs.
        """
        from initlab.runs.stored import summary_of
        from initlab.tracking import Tracker
        from initlab.tracking.reading import stored_runs

        tracker = Tracker(self.uri, self.experiment, self.folder)
        finished = tracker.end_if_running(list(self.run_ids.values()), because)
        stored = stored_runs(finished, tracker.uri)
        return {
            number: summary_of(run_id, tracker.uri, stored[run_id])
            for number, run_id in self.run_ids.items()
            if run_id in stored
        }


@dataclass(frozen=True)
class Said:
    """A line for whoever started the sweep; its processes may all have the same to say."""

    line: str


def _train_group(group: JobGroup, report: Callable[[Any], None]) -> None:
    from initlab.runs.train import run_each

    ready = _prepare(group)
    cwd = group.folder or ready[0].home

    def started(uri: str, places: Sequence[int], run_ids: Sequence[str]) -> None:
        numbers = [ready[place].job.number for place in places]
        of_jobs = dict(zip(numbers, run_ids, strict=True))
        report(RunsStarted(uri, ready[0].cfg["tracking"]["experiment"], cwd, of_jobs))

    work = Work(len(ready), report)
    for place, result in run_each(
        [one.cfg for one in ready],
        tags=[one.tags for one in ready],
        folder=cwd,
        progress=work.trained,
        started=started,
        kept=work.kept,
        say=lambda line: report(Said(line)),
    ):
        report(_ending(ready[place], result, group))


def end_job(job: SweepJob, came: Summary | str) -> JobEnding:
    """Returns the ending of a job whose process died, and leaves it in the job's folder: the summary of its
    run, if that had finished, or why there is none.
    """
    [one] = _prepare(JobGroup([job], None))
    return _ending(one, came if isinstance(came, Summary) else InitlabError(came), JobGroup([job], None))


def leave(job: SweepJob, outcome: Outcome) -> None:
    """Makes a job's folder as the process that trains it does, and leaves its outcome there."""
    setup_globals()
    setup_resolvers()
    write_outcome(save_hydra_folder(job.numbered()), outcome)


def _prepare(group: JobGroup) -> list[Prepared]:
    """Composes every job and makes its folder; each sees its own ``hydra:`` values, as alone."""
    setup_globals()  # a worker has not heard of Hydra's resolvers yet,
    setup_resolvers()  # nor of Initlab's
    return [_begun(one, group) for one in prepared(group.jobs, group.folder, group.callbacks is not None)]


def _begun(one: Prepared, group: JobGroup) -> Prepared:
    """Leaves word in a job's folder that it has begun, and tells the callbacks."""
    if group.tries:
        one.cfg["resume"] = True  # there may be runs, and checkpoints, of the process that died
    write_outcome(one.folder, Outcome(one.job.overrides))
    if group.callbacks is not None:
        with as_hydra_config(one.whole):
            group.callbacks.on_job_start(config=one.whole, task_function=None)
    return one


def _ending(one: Prepared, result: Trained | Summary | Exception, group: JobGroup) -> JobEnding:
    """Leaves a job's outcome in its folder, unless another process will, and tells the callbacks."""
    overrides, elsewhere = one.job.overrides, isinstance(result, TakenError)
    if isinstance(result, Exception):
        outcome = failed(overrides, result)
    else:
        summary = result if isinstance(result, Summary) else result.summary
        in_part = isinstance(result, Trained) and result.job.settings.in_part
        outcome = Outcome(overrides, summary, stamp=None if in_part else group.stamp)
    if not elsewhere:
        write_outcome(one.folder, outcome)
    ending = JobEnding(one.job.number, outcome, elsewhere)
    if group.callbacks is not None:
        group.callbacks.on_job_end(config=one.whole, job_return=job_return(overrides, ending))
    return ending


def job_return(overrides: list[str], ending: JobEnding, quiet: bool = False) -> JobReturn:
    """Returns what Hydra's sweepers and callbacks are told of a job.

    Hydra raises a failure when it reads this; with ``quiet`` a failed job returns infinity.
    """
    summary, error = ending.outcome.summary, ending.outcome.error
    returned = Returned(overrides=overrides, working_dir=os.getcwd(), task_name="initlab")
    returned.outcome = ending.outcome
    returned.status = JobStatus.COMPLETED if summary or quiet else JobStatus.FAILED
    returned.return_value = summary.objective if summary else inf if quiet else JobFailed(error)
    return returned
