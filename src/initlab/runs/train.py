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
from initlab.networks.network import Network
from initlab.networks.tape import evaluate
from initlab.runs.job import Job, build, largest_stack, stack_of
from initlab.runs.record import RunRecorder, description_of
from initlab.runs.summary import Trained, summarize
from initlab.runs.throttle import Progress, Throttle
from initlab.signals import check
from initlab.tracking import Tracker
from initlab.training.history import History
from initlab.training.loop import fit
from initlab.training.probe import Probe, log_spaced
from initlab.training.stack import Data, Stack
from initlab.types import Array
from initlab.verdicts.evidence import layers_at

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
    done = dict(run_each(cfgs, tags=tags, folder=folder, progress=progress))
    ended = [done[index] for index in range(len(cfgs))]
    for one in ended:
        if isinstance(one, Exception):
            raise one
    return [one for one in ended if isinstance(one, Trained)]


def run_each(
    cfgs: Sequence[DictConfig],
    *,
    tags: Sequence[Mapping[str, str]] | None = None,
    folder: Path | str = ".",
    progress: Progress | None = None,
    started: Started | None = None,
    kept: Kept = lambda runs: None,
) -> Iterator[tuple[int, Trained | Exception]]:
    """Does what ``run`` does, and yields the place of each config with its trained run or the error that it
    failed with, a stack at a time. Raises Stopped between stacks and in training.
    """
    jobs: dict[int, Job] = {}
    for index, cfg in enumerate(cfgs):
        check()
        try:
            job = build(cfg, tags[index] if tags else {})
            job.draw()  # here a start can fail for its job alone
            jobs[index] = job
        except Exception as error:
            yield index, error
    run_stack = partial(
        _run_stack, folder=Path(folder).absolute(), progress=progress, started=started, kept=kept
    )
    for indices in _stacks(jobs):
        check()
        ended = _run_stack_or_each({index: jobs[index] for index in indices}, run_stack)
        yield from zip(indices, ended, strict=True)


def _stacks(jobs: Mapping[int, Job]) -> Iterator[list[int]]:
    """Yields the keys of the jobs that train together: alike, and no more than the cache holds."""
    alike: dict[Hashable, list[int]] = {}
    for index, job in jobs.items():
        alike.setdefault(job.stack_key, []).append(index)
    for indices in alike.values():
        size = largest_stack(jobs[indices[0]])
        yield from (indices[start : start + size] for start in range(0, len(indices), size))


def _run_stack_or_each(
    jobs: Mapping[int, Job], run_stack: Callable[[Mapping[int, Job]], list[Trained | Exception]]
) -> list[Trained | Exception]:
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
) -> list[Trained | Exception]:
    jobs = list(by_index.values())
    stack = stack_of(jobs)
    label = jobs[0].name if len(jobs) == 1 else f"{len(jobs)} runs"
    history, throttle = _history(stack), Throttle(label, stack.settings.train.iterations, progress)
    tracking = stack.settings.tracking
    if tracking.uri is None:
        untracked = _train_stack(jobs, stack, history, throttle)
        kept(len(untracked))
        return list(untracked)
    tracker = Tracker(tracking.uri, tracking.experiment, folder)
    with (
        tracker.runs([description_of(job) for job in jobs]) as runs,
        RunRecorder(runs, tracker, history, tracking.every) as recorder,
    ):
        if started:
            started(tracker.uri, list(by_index), [run.run_id for run in runs])
        throttle.flush = recorder.flush
        return recorder.keep(_train_stack(jobs, stack, history, throttle), kept)


def _history(stack: Stack) -> History:
    """Returns an empty history that measures what the settings ask for."""
    iterations, diagnostics = stack.settings.train.iterations, stack.settings.diagnostics
    rare = [name for name in diagnostics.rare if name not in diagnostics.names]
    probes = [
        Probe("measured_at", diagnostics_named(diagnostics.names), range(0, iterations, diagnostics.every)),
        Probe("rarely_measured_at", diagnostics_named(rare), log_spaced(iterations, diagnostics.points)),
    ]
    snapshots = log_spaced(iterations, stack.settings.plots.frames)
    return History(len(stack.start), iterations, probes, snapshots)


def _train_stack(jobs: Sequence[Job], stack: Stack, history: History, throttle: Throttle) -> list[Trained]:
    train, data, network, parameters = stack.settings.train, stack.data, stack.network, stack.start.copy()
    # One BLAS thread everywhere, because results change with their number; and a run that
    # diverges overflows on its way, which is no news.
    with threadpool_limits(train.threads), np.errstate(all="ignore"):
        began = time.perf_counter()
        records = fit(
            network,
            parameters,
            (data.X_train, data.Y_train),
            stack.update,
            iterations=train.iterations,
            batches=stack.batches(),
            steps_at=history.steps_at,
        )
        for record in records:
            history.add(record)
            throttle(record)
        seconds = (time.perf_counter() - began) / len(jobs)
        final = _final(network, parameters, data)
        layers = [
            layers_at(network, where, data.X_train, data.Y_train) for where in (stack.start, parameters)
        ]
    trained = []
    for run, job in enumerate(jobs):
        numbers = {name: float(values[run]) for name, values in final.items()}
        at = [where[run] for where in layers]
        summary = summarize(job, history, run, parameters[run], numbers, at, seconds)
        trained.append(Trained(job, summary, history.arrays(run), parameters[run]))
    return trained


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
