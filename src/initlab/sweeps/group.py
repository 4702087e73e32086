"""A job group: some jobs of a sweep that one process composes and trains, as Hydra would one by one."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus, setup_globals
from hydra.errors import CompactHydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from initlab.config.options import setup_resolvers
from initlab.errors import InitlabError
from initlab.runs.outcome import Outcome, failed, write_outcome
from initlab.runs.summary import Trained
from initlab.sweeps.compose import Recipe, as_hydra_config, save_hydra_folder
from initlab.sweeps.executors.processes import Report
from initlab.sweeps.task import tags_of
from initlab.sweeps.work import Work


class JobFailed(CompactHydraException):
    """Says in a line why a job of a sweep failed; Hydra shows it without a traceback."""


@dataclass(frozen=True)
class SweepJob:
    """One job: its number, overrides and recipe of its config, and how it varies beside start and seed."""

    number: int
    overrides: list[str]
    recipe: Recipe
    variant: str


@dataclass(frozen=True)
class JobGroup:
    """Jobs for one process, and Hydra's callbacks for them."""

    jobs: Sequence[SweepJob]
    callbacks: Any

    def run(self, report: Report) -> list["JobEnding"]:
        """Trains the jobs and returns how each ended; reports RunsStarted and the share of work done."""
        return _train_group(self, report)


@dataclass(frozen=True)
class JobEnding:
    """How a job ended."""

    number: int
    outcome: Outcome


@dataclass(frozen=True)
class RunsStarted:
    """Which MLflow runs a job group has opened: should its process die, somebody else must end them."""

    uri: str
    experiment: str
    folder: Path
    run_ids: Sequence[str]

    def end_as_failed(self) -> None:
        """Ends those of the runs that are still RUNNING."""
        from initlab.tracking import Tracker

        Tracker(self.uri, self.experiment, self.folder).end_if_running(self.run_ids, "FAILED")


@dataclass(frozen=True)
class _Prepared:
    """A job that has its folder: its whole config, its own part of it resolved, and its tags."""

    job: SweepJob
    whole: DictConfig
    cfg: DictConfig
    folder: Path
    tags: dict[str, str]


def _train_group(group: JobGroup, report: Report) -> list[JobEnding]:
    from initlab.runs.train import run_each

    prepared = _prepare(group)
    first, cwd = prepared[0].cfg, Path(prepared[0].whole.hydra.runtime.cwd)

    def started(uri: str, run_ids: Sequence[str]) -> None:
        report(RunsStarted(uri, first.tracking.experiment, cwd, run_ids))

    work = Work(len(prepared), report)
    done = run_each(
        [one.cfg for one in prepared],
        tags=[one.tags for one in prepared],
        folder=cwd,
        progress=work.trained,
        started=started,
        kept=work.kept,
    )
    return [_end(one, result, group.callbacks) for one, result in zip(prepared, done, strict=True)]


def give_up(job: SweepJob, why: str) -> JobEnding:
    """Returns the ending of a job that never came to one, and leaves it in the job's folder."""
    [one] = _prepare(JobGroup([job], None))
    return _end(one, InitlabError(why), None)


def _prepare(group: JobGroup) -> list[_Prepared]:
    """Composes every job and makes its folder; each sees its own ``hydra:`` values, as alone."""
    setup_globals()  # a worker has not heard of Hydra's resolvers yet,
    setup_resolvers()  # nor of Initlab's
    return [_prepare_job(job, group.callbacks) for job in group.jobs]


def _prepare_job(job: SweepJob, callbacks: Any) -> _Prepared:
    whole = job.recipe.compose()
    whole.hydra.job.id = whole.hydra.job.num = job.number
    cfg, folder = save_hydra_folder(whole)
    with as_hydra_config(whole):
        # What cannot be resolved stays as it is: building the job then says so, as it does for a lone run.
        with suppress(OmegaConfBaseException):
            OmegaConf.resolve(cfg)
        if callbacks is not None:
            callbacks.on_job_start(config=whole, task_function=None)
    return _Prepared(job, whole, cfg, folder, tags_of(whole.hydra, True, job.variant))


def _end(one: _Prepared, result: Trained | Exception, callbacks: Any) -> JobEnding:
    """Leaves a job's outcome in its folder and tells the callbacks."""
    overrides = one.job.overrides
    if isinstance(result, Exception):
        outcome = failed(overrides, result)
    else:
        outcome = Outcome(overrides, result.summary)
    write_outcome(one.folder, outcome)
    ending = JobEnding(one.job.number, outcome)
    if callbacks is not None:
        callbacks.on_job_end(config=one.whole, job_return=job_return(overrides, ending))
    return ending


def job_return(overrides: list[str], ending: JobEnding, quiet: bool = False) -> JobReturn:
    """Returns what Hydra's sweepers and callbacks are told of a job.

    Hydra prints and raises a failure when it reads this; with ``quiet`` a failed job returns infinity.
    """
    summary, error = ending.outcome.summary, ending.outcome.error
    returned = JobReturn(overrides=overrides, working_dir=os.getcwd(), task_name="initlab")
    returned.status = JobStatus.COMPLETED if summary or quiet else JobStatus.FAILED
    returned.return_value = summary.objective if summary else inf if quiet else JobFailed(error)
    return returned
