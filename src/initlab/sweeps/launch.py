"""Launching a sweep for Hydra: its jobs are planned, trained in processes and handed back as Hydra expects.

A job group holds jobs whose overrides suggest that they can share a stack; ``run_each`` then decides by
the configs themselves, so a wrong guess costs time and never a result.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus, configure_log, run_job, setup_globals
from hydra.errors import CompactHydraException
from hydra.experimental.callback import Callback
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from initlab.errors import ConfigError
from initlab.runs.outcome import Outcome, write_together
from initlab.signals import Stopped
from initlab.sweeps.closing import CloseSweep, forget
from initlab.sweeps.compose import Composer, QuickLoader
from initlab.sweeps.control import is_search
from initlab.sweeps.executors.protocol import Executor, Function, Lost
from initlab.sweeps.executors.stores import check_reachable, folder_of_files
from initlab.sweeps.group import JobEnding, JobGroup, job_return
from initlab.sweeps.job_folder import folder_of
from initlab.sweeps.launched import launched
from initlab.sweeps.ledger import Ledger, Progress
from initlab.sweeps.plan import groups_of, jobs_of
from initlab.sweeps.resume import done_in, stamp_of
from initlab.sweeps.surroundings import surroundings_of
from initlab.sweeps.sweep_job import SweepJob
from initlab.tracking.beginning import begin_with


@dataclass(frozen=True)
class Sweep:
    """What Hydra gives a launcher, where its jobs are trained, until when seeds are added and to how many
    ``at_most``, and what shows the progress of so many jobs.
    """

    context: HydraContext
    task_function: TaskFunction
    config: DictConfig
    executor: Executor
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
    def folder(self) -> Path:
        """Where it leaves its jobs' folders."""
        return Path(str(self.config.hydra.sweep.dir)).absolute()

    @cached_property
    def stamp(self) -> str | None:
        """What marks its jobs' outcomes."""
        return stamp_of(self.config.hydra)

    @property
    def callbacks(self) -> Any:
        """Hydra's callbacks, None if none of them listens to jobs."""
        callbacks, silent = self.context.callbacks, (Callback.on_job_start, Callback.on_job_end)
        kinds = [type(one) for one in callbacks.callbacks]
        heard = any((kind.on_job_start, kind.on_job_end) != silent for kind in kinds)
        return callbacks if heard else None

    @property
    def at_once(self) -> bool:
        """Whether all its jobs are launched at once."""
        hydra = self.config.hydra
        in_batches = is_search(hydra) or hydra.sweeper.get("max_batch_size") is not None
        return self.until is None and not in_batches

    @property
    def home(self) -> Path:
        """Where the command was started."""
        return Path(self.config.hydra.runtime.cwd)


def launch(sweep: Sweep, overrides: Sequence[list[str]], first_number: int) -> list[JobReturn]:
    """Returns what each job returned or failed with, in order, when all have ended."""
    setup_globals()
    configure_log(sweep.config.hydra.hydra_logging, sweep.config.hydra.verbose)
    sweep.folder.mkdir(parents=True, exist_ok=True)
    _check(sweep)
    _check_wait(sweep)
    if not _trains_in_stacks(sweep):
        return [_run_alone(sweep, job, first_number + i) for i, job in enumerate(overrides)]
    if sweep.executor.remote:
        launcher = sweep.config.hydra.runtime.choices["hydra/launcher"]
        check_reachable(sweep.config.tracking.uri, launcher, sweep.home)
        if not sweep.config.get("dry_run"):
            sweep.executor.rejoin(sweep.folder)
    begin_with(sweep.config.tracking.uri, sweep.home)
    jobs = jobs_of(sweep.composer, overrides, first_number)
    if sweep.config.get("dry_run"):
        from initlab.sweeps.dry_run import tell

        tell(jobs, _done_before(jobs, sweep))
        return [JobReturn(overrides=job.overrides, status=JobStatus.COMPLETED) for job in jobs]
    _check_folders(jobs)
    endings = _train_sweep(jobs, sweep)
    while more := _more_jobs(sweep, endings):
        before = len(jobs)
        jobs = jobs_of(sweep.composer, [*overrides, *more], first_number)
        overrides = [*overrides, *more]
        endings |= _train_sweep(jobs[before:], sweep)
    return [
        job_return(job.overrides, endings[job.number], sweep.quiet)
        if job.number in endings
        else JobReturn(overrides=job.overrides, status=JobStatus.COMPLETED)  # submitted
        for job in jobs
    ]


def _done_before(jobs: Sequence[SweepJob], sweep: Sweep) -> dict[int, JobEnding]:
    """Returns how those of the jobs ended that are to be resumed and done, by their numbers."""
    if not sweep.config.get("resume"):
        return {}
    done: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in done_in(sweep.folder, sweep.stamp):
        done.setdefault(tuple(outcome.overrides), []).append(outcome)
    endings = {}
    for job in jobs:
        if some := done.get(tuple(job.overrides)):
            endings[job.number] = JobEnding(job.number, some.pop(0))
    return endings


def _check(sweep: Sweep) -> None:
    """Raises Hydra's error, in one line, for a setting of the launcher that is not allowed."""
    sweep.executor.check()
    for key, value, allowed, right in (
        ("until", sweep.until, "null or decided", sweep.until in (None, "decided")),
        ("at_most", sweep.at_most, "a whole number of at least 2", sweep.at_most > 1),
    ):
        if not right:
            raise CompactHydraException(f"hydra.launcher.{key}={value}: must be {allowed}")


def _check_wait(sweep: Sweep) -> None:
    """Raises ConfigError where nobody is to wait for jobs on whose ends something depends."""
    if sweep.executor.wait:
        return
    if not sweep.at_once:
        raise ConfigError(
            "hydra.launcher.wait=false: needs all jobs at once, and a search, hydra.launcher.until and "
            "hydra.sweeper.max_batch_size give some after others have ended"
        )
    if sweep.quiet:
        raise ConfigError("hydra.launcher.wait=false: is for the command; initlab.sweep returns what came")


def _check_folders(jobs: Sequence[SweepJob]) -> None:
    """Raises ConfigError where two jobs have one folder, and OSError where a job's cannot be made."""
    folders = [folder_of(job.numbered()) for job in (jobs[0], jobs[-1])]
    if len(jobs) > 1 and folders[0] == folders[1]:
        raise ConfigError("hydra.sweep.subdir: must differ from job to job, as ${hydra.job.num} does")
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)


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
    told = replace(launched(sweep.folder), elsewhere=0, submitted=0)
    told.jobs = max(told.jobs, *(job.number + 1 for job in jobs))
    told.write(sweep.folder)
    done = _done_before(jobs, sweep)
    rest = [job for job in jobs if job.number not in done]
    if not rest:
        return done
    if done:
        print(f"{len(done):,} of {len(jobs):,} jobs have finished before.", flush=True)
    forget(sweep.folder)
    groups = groups_of(rest, sweep.executor.count, sweep.callbacks, sweep.stamp)
    with sweep.progress(len(rest), quiet=sweep.quiet) as progress:
        ledger = Ledger(sweep.folder, progress, told)
        try:
            if not sweep.executor.remote and 1 in (sweep.executor.count, len(groups)):
                _train_here(groups, ledger)
                _leave_together(sweep, jobs, done | ledger.endings)
            else:
                _train_in_workers(groups, jobs, done, sweep, ledger)
        except Stopped as stopped:
            told.killed += stopped.killed
            told.unmarked += stopped.unmarked
            raise
        finally:
            told.write(sweep.folder)
    if not sweep.executor.wait:
        told.submitted = len(rest)
        told.write(sweep.folder)
    return done | ledger.endings


def _train_here(groups: deque[JobGroup], ledger: Ledger) -> None:
    for group in groups:
        group.run(partial(ledger.hear, group))
        ledger.close(group)


def _train_in_workers(
    groups: deque[JobGroup],
    jobs: Sequence[SweepJob],
    done: dict[int, JobEnding],
    sweep: Sweep,
    ledger: Ledger,
) -> None:
    """Trains in other processes. What one that dies has not done is tried again.

    At the end one of this machine closes the sweep, if this is all of it: it has imported what that needs.
    """
    tasks: deque[JobGroup | CloseSweep] = deque(groups)
    for task, result in sweep.executor.run(_function(sweep), tasks, ledger.hear):
        if isinstance(task, CloseSweep):
            continue
        if isinstance(result, Lost):
            tasks.extend(ledger.lose(task, result.why))
        else:
            ledger.close(task)
        if sweep.at_once and len(done) + len(ledger.endings) == len(jobs):
            _leave_together(sweep, jobs, done | ledger.endings)
            if not sweep.executor.remote:
                tasks.append(CloseSweep(sweep.folder))


def _leave_together(sweep: Sweep, jobs: Sequence[SweepJob], endings: dict[int, JobEnding]) -> None:
    """Leaves all outcomes in one file if these are all jobs of the sweep and none is another process's."""
    all_of_it = sweep.at_once and launched(sweep.folder).jobs == len(jobs)
    if all_of_it and not any(ending.elsewhere for ending in endings.values()):
        write_together(sweep.folder, [endings[job.number].outcome for job in jobs])


def _function(sweep: Sweep) -> Function:
    """Returns what a process does with a task: on another machine it first finds out where it is."""
    if not sweep.executor.remote:
        return _run
    tracking = sweep.config.tracking
    files = folder_of_files(tracking.uri, tracking.experiment, sweep.home)
    return surroundings_of(sweep.home, sweep.folder, files).run


def _run(task: JobGroup | CloseSweep, report: Any) -> Any:
    return task.run(report)


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
