"""Launching a sweep: its jobs are cut into batches, and processes train the batches, in stacks.

A batch holds jobs whose overrides suggest that they can share a stack; ``experiment.run_each`` then decides
by the configs themselves, so a wrong guess here costs time and never a result.
"""

import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, configure_log, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from initlab.batch import Batch, Ending, RunsStarted, SweepJob, give_up, job_return, train_batch
from initlab.composing import Composer
from initlab.signals import stop_on_signals
from initlab.progress import SweepProgress
from initlab.workers import Died, run_in_workers

LARGEST_BATCH = 32  # as many small networks as train fastest together, see `make bench`
SMALLEST_BATCH = 8  # smaller stacks would lose more than another process wins


@dataclass(frozen=True)
class Sweep:
    """What Hydra gives a launcher, and how many processes the user wants (None: one for each core)."""

    context: HydraContext
    task_function: TaskFunction
    config: DictConfig
    n_jobs: int | None

    @property
    def processes(self) -> int:
        """How many processes may train at once."""
        return self.n_jobs or len(os.sched_getaffinity(0))


def launch(sweep: Sweep, overrides: Sequence[list[str]], first_number: int) -> list[JobReturn]:
    """Returns what each job returned or failed with, in order, when all have ended."""
    setup_globals()
    configure_log(sweep.config.hydra.hydra_logging, sweep.config.hydra.verbose)
    Path(str(sweep.config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
    if not _trains_in_stacks(sweep):
        return [_run_alone(sweep, job, first_number + i) for i, job in enumerate(overrides)]
    composer = Composer(sweep.context.config_loader, sweep.config)
    jobs = [
        SweepJob(first_number + i, composer.recipe(job), variant)
        for i, (job, variant) in enumerate(zip(overrides, variants(overrides), strict=True))
    ]
    stop_on_signals()
    endings = _train(jobs, sweep)
    return [job_return(list(job.recipe.overrides), endings[job.number]) for job in jobs]


def variants(overrides: Sequence[Sequence[str]]) -> list[str]:
    """Returns for each job the overrides, but for start and seed, that set it apart: 'learning_rate=0.1'."""
    settings = [dict(override.partition("=")[::2] for override in job) for job in overrides]
    keys = dict.fromkeys(key for job in settings for key in job if key not in ("init", "seed"))
    varied = [key for key in keys if len({job.get(key) for job in settings}) > 1]
    return [" ".join(f"{key.split('.')[-1]}={job[key]}" for key in varied if key in job) for job in settings]


def batches_of(jobs: Sequence[SweepJob], processes: int, callbacks: Any = None) -> deque[Batch]:
    """Returns the jobs in batches: those that look alike together, and enough for all processes."""
    alike: dict[tuple[str, ...], list[SweepJob]] = {}
    for job in jobs:
        alike.setdefault(_what_keeps_apart(job.recipe.overrides), []).append(job)
    batches: deque[Batch] = deque()
    for group in alike.values():
        size = max(SMALLEST_BATCH, min(LARGEST_BATCH, -(-len(group) // processes)))
        batches += [Batch(group[i : i + size], callbacks) for i in range(0, len(group), size)]
    return batches


def _what_keeps_apart(overrides: Sequence[str]) -> tuple[str, ...]:
    """Returns the overrides but those in which the runs of a stack may differ."""
    free = re.compile(r"(init|seed|dataset\.seed|init\..*|optimizer\..*)=")
    return tuple(override for override in overrides if not free.match(override))


def _train(jobs: Sequence[SweepJob], sweep: Sweep) -> dict[int, Ending]:
    """Trains all jobs, here or in processes of their own; returns how each ended by its number."""
    batches = batches_of(jobs, sweep.processes, sweep.context.callbacks)
    endings: dict[int, Ending] = {}
    with SweepProgress(len(jobs)) as progress:
        alone = sweep.processes == 1 or len(batches) == 1
        ended = _here(batches, progress) if alone else _in_workers(batches, sweep.processes, progress)
        for ending in ended:
            endings[ending.number] = ending
            progress.ended()
    return endings


def _here(batches: deque[Batch], progress: SweepProgress) -> Iterator[Ending]:
    for batch in batches:
        endings = train_batch(batch, partial(_hear, progress, batch))
        progress.under_way(id(batch), 0)
        yield from endings


def _in_workers(batches: deque[Batch], processes: int, progress: SweepProgress) -> Iterator[Ending]:
    """Trains in processes. The jobs of one that dies are tried once more, each alone."""
    started: dict[int, RunsStarted] = {}

    def hear(batch: Batch, what: Any) -> None:
        if isinstance(what, RunsStarted):
            started[id(batch)] = what
        else:
            _hear(progress, batch, what)

    for batch, result in run_in_workers(train_batch, batches, processes, hear):
        progress.under_way(id(batch), 0)
        if not isinstance(result, Died):
            yield from result
            continue
        if id(batch) in started:
            started[id(batch)].end_as_failed()
        if len(batch.jobs) == 1:
            yield give_up(batch.jobs[0], str(result))
        batches.extend(replace(batch, jobs=[job]) for job in batch.jobs if len(batch.jobs) > 1)


def _hear(progress: SweepProgress, batch: Batch, what: Any) -> None:
    if isinstance(what, float):
        progress.under_way(id(batch), what * len(batch.jobs))


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
