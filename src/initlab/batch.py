"""A batch: some jobs of a sweep that one process composes and trains, as Hydra would one by one."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import CompactHydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from initlab.composing import Recipe, save_hydra_folder
from initlab.config import GROUPS
from initlab.errors import InitlabError
from initlab.outcomes import Outcome, write_outcome
from initlab.results import Result
from initlab.workers import Report


class JobFailed(CompactHydraException):
    """Says in a line why a job of a sweep failed; Hydra shows it without a traceback."""


@dataclass(frozen=True)
class SweepJob:
    """One job: its number, how to compose its config, and how it varies beside start and seed."""

    number: int
    recipe: Recipe
    variant: str


@dataclass(frozen=True)
class Batch:
    """Jobs for one process, and Hydra's callbacks for them."""

    jobs: Sequence[SweepJob]
    callbacks: Any


@dataclass(frozen=True)
class Ending:
    """How a job ended."""

    number: int
    outcome: Outcome

    @property
    def value(self) -> float:
        """The final cost, infinite where there is none, so that a sweeper can minimize it."""
        return float("inf") if self.outcome.final_cost is None else self.outcome.final_cost


@dataclass(frozen=True)
class RunsStarted:
    """Which MLflow runs a batch has opened: should its process die, somebody else must end them."""

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


def tags_of(hydra: DictConfig, variant: str = "") -> dict[str, str]:
    """Returns the options chosen from each group and, in a sweep, its name, the job's number and variant."""
    choices = hydra.runtime.choices
    tags = {group: str(choices[group]) for group in GROUPS}
    if choices.get("experiment"):
        tags["experiment"] = str(choices.experiment)
    if hydra.mode == RunMode.MULTIRUN:
        tags |= {"sweep": Path(hydra.sweep.dir).name, "sweep_job": str(hydra.job.num)}
    if variant:
        tags["variant"] = variant
    return tags


def train_batch(batch: Batch, report: Report) -> list[Ending]:
    """Trains the jobs and returns how each ended; reports RunsStarted and the share of iterations done."""
    from initlab.experiment import run_each
    from initlab.tracking import Tracker

    def progress(jobs: Sequence[Any], iteration: int, costs: Any) -> None:
        report(iteration / jobs[0].settings.train.iterations)

    def started(tracker: Tracker, run_ids: Sequence[str]) -> None:
        report(RunsStarted(tracker.uri, tracker.experiment, tracker.folder, run_ids))

    prepared = _prepare(batch)
    done = run_each(
        [one.cfg for one in prepared],
        tags=[one.tags for one in prepared],
        folder=prepared[0].whole.hydra.runtime.cwd,
        progress=progress,
        started=started,
    )
    return [_end(one, result, batch.callbacks) for one, result in zip(prepared, done, strict=True)]


def give_up(job: SweepJob, why: str) -> Ending:
    """Returns the ending of a job that never came to one, and leaves it in the job's folder."""
    [one] = _prepare(Batch([job], None))
    return _end(one, InitlabError(why), None)


def _prepare(batch: Batch) -> list[_Prepared]:
    """Composes every job and makes its folder, each seeing its own ``hydra:`` values, as in a process of its own."""
    singleton = HydraConfig.instance()
    before = singleton.cfg
    try:
        return [_prepare_job(job, batch.callbacks) for job in batch.jobs]
    finally:
        singleton.cfg = before


def _prepare_job(job: SweepJob, callbacks: Any) -> _Prepared:
    whole = job.recipe.compose()
    with open_dict(whole):
        whole.hydra.job.id = whole.hydra.job.num = job.number
    HydraConfig.instance().set_config(whole)
    cfg, folder = save_hydra_folder(whole)
    # What cannot be resolved stays as it is: building the job then says so, as it does for a lone run.
    with suppress(OmegaConfBaseException):
        OmegaConf.resolve(cfg)
    if callbacks is not None:
        callbacks.on_job_start(config=whole, task_function=None)
    return _Prepared(job, whole, cfg, Path(folder), tags_of(whole.hydra, job.variant))


def _end(one: _Prepared, result: Result | Exception, callbacks: Any) -> Ending:
    """Leaves a job's outcome in its folder and tells the callbacks."""
    overrides = list(one.job.recipe.overrides)
    if isinstance(result, Exception):
        outcome = Outcome.failed(one.tags, overrides, result)
    else:
        outcome = Outcome.finished(result, overrides)
    write_outcome(one.folder, outcome)
    ending = Ending(one.job.number, outcome)
    if callbacks is not None:
        callbacks.on_job_end(config=one.whole, job_return=job_return(overrides, ending))
    return ending


def job_return(overrides: list[str], ending: Ending) -> JobReturn:
    """Returns what Hydra's sweepers and callbacks are told of a job."""
    error = ending.outcome.error
    returned = JobReturn(overrides=overrides, working_dir=os.getcwd(), task_name="initlab")
    returned.status = JobStatus.COMPLETED if error is None else JobStatus.FAILED
    returned.return_value = ending.value if error is None else JobFailed(error)
    return returned
