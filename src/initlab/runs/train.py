"""From configs to trained and tracked runs. The only file that knows all the parts."""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from omegaconf import DictConfig
from threadpoolctl import threadpool_limits

from initlab.diagnostics import diagnostics_named
from initlab.errors import TrackingError
from initlab.networks.network import Network, flat_parameters
from initlab.networks.tape import evaluate
from initlab.runs import checkpoints
from initlab.runs.claimed import runs_of
from initlab.runs.job import Config, Job, build, largest_stack, stack_of
from initlab.runs.record import RunRecorder, ended
from initlab.runs.stored import read_back
from initlab.runs.summary import Summary, Trained, summarize
from initlab.runs.throttle import SECONDS_BETWEEN_FLUSHES, Progress, Throttle
from initlab.signals import Stopped, check
from initlab.threads import one_thread
from initlab.tracking import Run, Tracker
from initlab.tracking.beginning import begin_with
from initlab.tracking.link import Say, to_stderr
from initlab.training.history import History
from initlab.training.loop import fit
from initlab.training.probe import Probe, log_spaced
from initlab.training.stack import Data, Stack
from initlab.training.standing import Standing
from initlab.types import Array
from initlab.verdicts.evidence import layers_at

SECONDS_WORTH_KEEPING = 2  # of training that was stopped

Came = Trained | Summary | Exception
"""What comes of a config: its trained run, the summary of one that had finished it before, or an error."""

Started = Callable[[str, Sequence[int], Sequence[str]], None]
"""Is told the absolute tracking URI, the places of the configs whose runs have begun, and the runs' ids."""

Kept = Callable[[int], None]
"""Is told that so many more runs of the stack that was trained last are done: also written and drawn."""


def run(
    cfgs: Sequence[DictConfig],
    *,
    tags: Sequence[Mapping[str, str]] | None = None,
    folder: Path | str = ".",
    progress: Progress | None = None,
) -> list[Trained]:
    """Trains and tracks configs, as one stack those that can share one, and returns the runs in order.

    ``tags`` are further tags for each run; a relative path in ``tracking.uri`` is seen from ``folder``. A job
    that fails stops no other; when all are done, the first error is raised.
    """
    for uri in {cfg.tracking.uri for cfg in cfgs}:
        begin_with(uri, Path(folder))
    done = dict(run_each(cfgs, tags=tags, folder=folder, progress=progress))
    for one in (done[index] for index in range(len(cfgs))):
        if isinstance(one, Exception):
            raise one
    return [_whole(done[index], cfg, tags[index] if tags else {}) for index, cfg in enumerate(cfgs)]


def _whole(one: Trained | Summary | Exception, cfg: DictConfig, tags: Mapping[str, str]) -> Trained:
    """Returns a run that was trained, now or, where only its summary is at hand, before."""
    if isinstance(one, Trained):
        return one
    assert isinstance(one, Summary)
    assert one.run_id is not None
    assert one.store is not None
    job, stored = build(cfg, tags), read_back(one.run_id, one.store)
    return Trained(job, one, stored.history, flat_parameters(job.network, stored.weights))


def run_each(
    cfgs: Sequence[Config],
    *,
    tags: Sequence[Mapping[str, str]] | None = None,
    folder: Path | str = ".",
    progress: Progress | None = None,
    started: Started | None = None,
    kept: Kept = lambda runs: None,
    say: Say = to_stderr,
) -> Iterator[tuple[int, Came]]:
    """Does what ``run`` does, and yields the place of each config with what came of it, a stack at a time.

    Raises Stopped between stacks and in training.
    """
    folder = Path(folder).absolute()
    jobs: dict[int, Job] = {}
    for index, job in enumerate(_drawn(cfgs, tags, folder)):
        if isinstance(job, Job):
            jobs[index] = job
        else:
            yield index, job
    whole = partial(_run_stack, folder=folder, progress=progress, started=started)
    run_stack = partial(whole, kept=kept, say=say)
    for indices in _stacks(jobs):
        check()
        ended = _run_stack_or_each({index: jobs[index] for index in indices}, run_stack)
        yield from zip(indices, ended, strict=True)


def _drawn(
    cfgs: Sequence[Config], tags: Sequence[Mapping[str, str]] | None, folder: Path
) -> list[Job | Exception]:
    """Returns the job of each config with its start drawn, or the error that its job alone fails with."""
    jobs: list[Job | Exception] = []
    with one_thread():
        for index, cfg in enumerate(cfgs):
            check()
            try:
                job = checkpoints.resumed(build(cfg, tags[index] if tags else {}), folder)
                job.draw()
                jobs.append(job)
            except Exception as error:
                jobs.append(error)
    return jobs


def _stacks(jobs: Mapping[int, Job]) -> Iterator[list[int]]:
    """Yields the keys of the jobs that train together: alike, and no more than the cache holds."""
    alike: dict[Hashable, list[int]] = {}
    for index, job in jobs.items():
        alike.setdefault(job.stack_key, []).append(index)
    for indices in alike.values():
        size = largest_stack(jobs[indices[0]])
        yield from (indices[start : start + size] for start in range(0, len(indices), size))


def _run_stack_or_each(
    jobs: Mapping[int, Job], run_stack: Callable[[Mapping[int, Job]], list[Came]]
) -> list[Came]:
    """Runs a stack; if it breaks as a whole, runs its jobs one by one, so that one cannot harm the others."""
    try:
        return run_stack(jobs)
    except TrackingError as error:  # the store would fail each of them just the same
        return [error] * len(jobs)
    except Exception as error:
        if len(jobs) == 1:
            return [error]
        return [_run_stack_or_each({index: job}, run_stack)[0] for index, job in jobs.items()]


def _run_stack(
    by_index: Mapping[int, Job],
    folder: Path,
    progress: Progress | None,
    started: Started | None,
    kept: Kept,
    say: Say,
) -> list[Came]:
    indices, jobs = list(by_index), list(by_index.values())
    tracking = jobs[0].settings.tracking
    if tracking.uri is None:
        untracked = _train_stack(jobs, *_ready(jobs, progress), folder)
        kept(len(untracked))
        if not jobs[0].settings.in_part:
            _remove_checkpoints(jobs, untracked, folder)
        return list(untracked)
    tracker = Tracker(tracking.uri, tracking.experiment, folder, say, tracking.database_uri)
    with runs_of(jobs, tracker) as runs:
        kept(len(runs.known))
        new, done = [jobs[place] for place in runs.new], list[Came]()
        if started:
            started(
                tracker.uri, [indices[place] for place in runs.new], [run.run_id for run in runs.new.values()]
            )
        if new:
            done = _train_tracked(new, list(runs.new.values()), tracker, folder, progress, kept)
    done = ended(list(runs.new.values()), done, tracker)
    _remove_checkpoints(new, done, folder)
    came = {**runs.known, **dict(zip(runs.new, done, strict=True))}
    return [came[place] for place in range(len(jobs))]


def _train_tracked(
    jobs: Sequence[Job],
    runs: Sequence[Run],
    tracker: Tracker,
    folder: Path,
    progress: Progress | None,
    kept: Kept,
) -> list[Came]:
    stack, history, throttle = _ready(jobs, progress)
    with RunRecorder(runs, tracker, history, stack.settings.tracking.every) as recorder:
        throttle.every(SECONDS_BETWEEN_FLUSHES, recorder.flush)
        return [*recorder.keep(_train_stack(jobs, stack, history, throttle, folder), kept)]


def _ready(jobs: Sequence[Job], progress: Progress | None) -> tuple[Stack, History, Throttle]:
    """Returns the stack of jobs, its history so far, and what is to happen now and then while it trains."""
    stack = stack_of(jobs)
    label = jobs[0].name if len(jobs) == 1 else f"{len(jobs)} runs"
    return stack, _history(stack), Throttle(label, stack.settings.last, progress)


def train_untracked(job: Job, progress: Progress | None = None) -> Trained:
    """Returns a job trained alone, from its start, which is tracked nowhere."""
    [trained] = _train_stack([job], *_ready([job], progress), Path())
    return trained


def _history(stack: Stack) -> History:
    """Returns a history that measures what the settings ask for, as far as the stack has come before."""
    iterations, diagnostics = stack.settings.train.iterations, stack.settings.diagnostics
    rare = [name for name in diagnostics.rare if name not in diagnostics.names]
    probes = [
        Probe("measured_at", diagnostics_named(diagnostics.names), range(0, iterations, diagnostics.every)),
        Probe("rarely_measured_at", diagnostics_named(rare), log_spaced(iterations, diagnostics.points)),
    ]
    snapshots = log_spaced(iterations, stack.settings.plots.frames)
    history = History(len(stack.start), iterations, probes, snapshots)
    if stack.begun:
        history.take(stack.begun)
    return history


def _train_stack(
    jobs: Sequence[Job], stack: Stack, history: History, throttle: Throttle, folder: Path
) -> list[Trained]:
    network, data, runs = stack.network, stack.data, stack.standing()
    # One BLAS thread everywhere, because results change with their number; and a run that
    # diverges overflows on its way, which is no news.
    with threadpool_limits(stack.settings.train.threads), np.errstate(all="ignore"):
        seconds = _fit_stack(jobs, stack, runs, history, throttle, folder)
        final = _final(network, runs.parameters, data)
        layers = [
            layers_at(network, where, data.X_train, data.Y_train) for where in (runs.start, runs.parameters)
        ]
    trained = []
    for run, job in enumerate(jobs):
        numbers = {name: float(values[run]) for name, values in final.items()}
        at, parameters = [where[run] for where in layers], runs.parameters[run]
        summary = summarize(job, history, run, parameters, numbers, at, job.seconds + seconds)
        trained.append(Trained(job, summary, history.arrays(run), parameters))
    return trained


def _fit_stack(
    jobs: Sequence[Job], stack: Stack, runs: Standing, history: History, throttle: Throttle, folder: Path
) -> float:
    """Trains a stack to its end, with checkpoints on the way, or to that of its stretch, with one there;
    returns the seconds that each run took.
    """
    train, data, began = stack.settings.train, stack.data, time.perf_counter()

    def seconds() -> float:
        return (time.perf_counter() - began) / len(jobs)

    def keep() -> None:
        checkpoints.keep(jobs, runs, history, seconds(), folder)

    if train.checkpoint is not None:
        throttle.every(train.checkpoint, keep)
    records = fit(
        stack.network,
        runs,
        (data.X_train, data.Y_train),
        stack.update,
        iterations=stack.settings.last,
        batches=stack.batches(runs.iteration),
        steps_at=history.steps_at,
    )
    try:
        for record in records:
            history.add(record)
            throttle(record)
    except Stopped:
        if train.checkpoint is not None and seconds() * len(jobs) > SECONDS_WORTH_KEEPING:
            keep()
        raise
    if stack.settings.in_part:
        keep()
    return seconds()


def _remove_checkpoints(jobs: Sequence[Job], done: Sequence[Came], folder: Path) -> None:
    for job, one in zip(jobs, done, strict=True):
        if isinstance(one, Trained):
            checkpoints.remove(job, folder)


def _final(network: Network, parameters: Array, data: Data) -> dict[str, Array]:
    """Returns the cost (R,) of the parameters (R, P) and, by the name of each part of the data, the score."""
    cost, on_train = evaluate(network, parameters, data.X_train, data.Y_train)
    final = {
        "cost": cost,
        "train": on_train,
        "test": evaluate(network, parameters, data.X_test, data.Y_test)[1],
    }
    if data.X_validation is not None and data.Y_validation is not None:
        final["validation"] = evaluate(network, parameters, data.X_validation, data.Y_validation)[1]
    return final
