"""Launching a sweep for Hydra: its jobs are planned, trained in processes and handed back as Hydra expects.

A job group holds jobs whose overrides suggest that they can share a stack; ``run_each`` then decides by
the configs themselves, so a wrong guess costs time and never a result.
"""

import os
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from hydra.core.utils import JobReturn, configure_log, run_job, setup_globals
from hydra.errors import CompactHydraException
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from initlab.signals import stop_on_signals
from initlab.sweeps.closing import CloseSweep
from initlab.sweeps.compose import Composer, QuickLoader
from initlab.sweeps.executors.processes import Lost, run_in_workers
from initlab.sweeps.group import JobEnding, JobGroup, RunsStarted, SweepJob, give_up, job_return
from initlab.sweeps.plan import groups_of, jobs_of


class Progress(Protocol):
    """Is told how far a sweep is."""

    def under_way(self, what: Hashable, jobs: float) -> None:
        """Takes of how many jobs the work at ``what`` makes up so far; 0 when they have ended."""

    def ended(self, jobs: int) -> None:
        """Takes that so many more jobs have ended."""


@dataclass(frozen=True)
class Sweep:
    """What Hydra gives a launcher, how many processes the user wants (None: one for each core), until when
    seeds are added and to how many ``at_most``, and what shows the progress of so many jobs.
    """

    context: HydraContext
    task_function: TaskFunction
    config: DictConfig
    n_jobs: int | None
    until: str | None
    at_most: int
    progress: Callable[..., AbstractContextManager[Progress]]

    @property
    def composer(self) -> Composer:
        """Makes the jobs' configs, the same for the sweeper and the launcher."""
        loader = self.context.config_loader
        return (
            loader.composer(self.config) if isinstance(loader, QuickLoader) else Composer(loader, self.config)
        )

    @property
    def quiet(self) -> bool:
        """Whether a program asks, which reads the outcomes: see ``trains_in_stacks``."""
        return getattr(self.task_function, "quiet", False)

    @property
    def at_once(self) -> bool:
        """Whether all its jobs are launched at once."""
        return self.until is None and self.config.hydra.sweeper.get("max_batch_size") is None

    @property
    def processes(self) -> int:
        """How many processes may train at once."""
        return self.n_jobs or _cores()


def _cores() -> int:
    """Returns how many cores this process may use; not every system says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def launch(sweep: Sweep, overrides: Sequence[list[str]], first_number: int) -> list[JobReturn]:
    """Returns what each job returned or failed with, in order, when all have ended."""
    setup_globals()
    configure_log(sweep.config.hydra.hydra_logging, sweep.config.hydra.verbose)
    Path(str(sweep.config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
    _check(sweep)
    if not _trains_in_stacks(sweep):
        return [_run_alone(sweep, job, first_number + i) for i, job in enumerate(overrides)]
    stop_on_signals()
    jobs = jobs_of(sweep.composer, overrides, first_number)
    endings = _train_sweep(jobs, sweep)
    while more := _more_jobs(sweep, endings):
        before = [job.overrides for job in jobs]
        jobs = jobs_of(sweep.composer, [*before, *more], first_number)
        endings |= _train_sweep(jobs[len(before) :], sweep)
    return [job_return(job.overrides, endings[job.number], sweep.quiet) for job in jobs]


def _check(sweep: Sweep) -> None:
    """Raises Hydra's error, in one line, for a setting of the launcher that is not allowed."""
    for key, value, allowed, right in (
        (
            "n_jobs",
            sweep.n_jobs,
            "null or a whole number of at least 1",
            sweep.n_jobs is None or sweep.n_jobs > 0,
        ),
        ("until", sweep.until, "null or decided", sweep.until in (None, "decided")),
        ("at_most", sweep.at_most, "a whole number of at least 2", sweep.at_most > 1),
    ):
        if not right:
            raise CompactHydraException(f"hydra.launcher.{key}={value}: must be {allowed}")


def _more_jobs(sweep: Sweep, endings: dict[int, JobEnding]) -> list[list[str]]:
    """Returns the overrides of the jobs to add, if seeds are to be added until all is decided."""
    if sweep.until is None:
        return []
    from initlab.sweeps.until import more_jobs

    outcomes = [ending.outcome for ending in endings.values()]
    report = sweep.config.report
    return more_jobs(outcomes, sweep.at_most, report.by, report.equal_within)


def _train_sweep(jobs: Sequence[SweepJob], sweep: Sweep) -> dict[int, JobEnding]:
    """Trains all jobs, here or in processes of their own; returns how each ended by its number."""
    groups = groups_of(jobs, sweep.processes, sweep.context.callbacks)
    with sweep.progress(len(jobs), quiet=sweep.quiet) as progress:
        if sweep.processes == 1 or len(groups) == 1:
            return _train_here(groups, progress)
        return _train_in_workers(groups, len(jobs), sweep, progress)


def _train_here(groups: deque[JobGroup], progress: Progress) -> dict[int, JobEnding]:
    endings: dict[int, JobEnding] = {}
    for group in groups:
        ended = group.run(partial(_hear, progress, group))
        _take(ended, group, endings, progress)
    return endings


def _train_in_workers(
    groups: deque[JobGroup], jobs: int, sweep: Sweep, progress: Progress
) -> dict[int, JobEnding]:
    """Trains in processes. The jobs of one that dies are tried once more, each alone.

    At the end one of them closes the sweep, if this is all of it: they have imported what that needs.
    """
    endings: dict[int, JobEnding] = {}
    started: dict[int, RunsStarted] = {}

    def hear(group: JobGroup, what: Any) -> None:
        if isinstance(what, RunsStarted):
            started[id(group)] = what
        else:
            _hear(progress, group, what)

    tasks: deque[JobGroup | CloseSweep] = deque(groups)
    for task, result in run_in_workers(_run, tasks, sweep.processes, hear):
        if isinstance(task, CloseSweep):
            continue
        if isinstance(result, Lost) and id(task) in started:
            started[id(task)].end_as_failed()
        if isinstance(result, Lost) and len(task.jobs) > 1:
            progress.under_way(id(task), 0)
            tasks.extend(replace(task, jobs=[job]) for job in task.jobs)
            continue
        ended = [give_up(task.jobs[0], result.why)] if isinstance(result, Lost) else result
        _take(ended, task, endings, progress)
        if sweep.at_once and len(endings) == jobs:
            tasks.append(CloseSweep(Path(str(sweep.config.hydra.sweep.dir)).absolute()))
    return endings


def _run(task: JobGroup | CloseSweep, report: Any) -> Any:
    return task.run(report)


def _hear(progress: Progress, group: JobGroup, what: Any) -> None:
    if isinstance(what, float):
        progress.under_way(id(group), what * len(group.jobs))


def _take(
    ended: Sequence[JobEnding], group: JobGroup, endings: dict[int, JobEnding], progress: Progress
) -> None:
    endings.update({ending.number: ending for ending in ended})
    progress.under_way(id(group), 0)
    progress.ended(len(ended))


def _trains_in_stacks(sweep: Sweep) -> bool:
    """Returns whether the jobs are Initlab's own and ask for nothing that a shared process cannot give."""
    job = sweep.config.hydra.job
    return getattr(sweep.task_function, "trains_in_stacks", False) and not job.chdir and not job.env_set


def _run_alone(sweep: Sweep, overrides: list[str], number: int) -> JobReturn:
    """Runs a job as Hydra's basic launcher does."""
    config = sweep.context.config_loader.load_sweep_config(sweep.config, overrides)
    with open_dict(config):
        config.hydra.job.id = config.hydra.job.num = number
    returned = run_job(
        hydra_context=sweep.context,
        task_function=sweep.task_function,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )
    configure_log(sweep.config.hydra.hydra_logging, sweep.config.hydra.verbose)
    return returned
