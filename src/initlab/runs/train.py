"""The composition root: configs in, trained and tracked runs out. The only file that knows all the parts."""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from omegaconf import DictConfig
from threadpoolctl import threadpool_limits

from initlab.diagnostics import diagnostics_named
from initlab.errors import TrackingError
from initlab.networks.network import evaluate
from initlab.runs.job import Job, build, largest_stack, stacked_data, stacked_update
from initlab.runs.record import RunRecorder, description_of
from initlab.runs.summary import Result, results_of
from initlab.runs.throttle import Progress, Watch
from initlab.tracking import Tracker
from initlab.training.history import History, log_spaced
from initlab.training.loop import Batches, fit, minibatches
from initlab.verdicts.evidence import layers_at

Started = Callable[[Tracker, Sequence[str]], None]


def run(
    cfgs: Sequence[DictConfig],
    *,
    tags: Sequence[Mapping[str, str]] | None = None,
    folder: Path | str = ".",
    progress: Progress | None = None,
) -> list[Result]:
    """Trains and tracks configs, as one stack those that can share one, and returns their results in order.

    ``tags`` are further tags for each run; a relative path in ``tracking.uri`` is seen from ``folder``.
    A job that fails stops no other; when all are done, the first error is raised.
    """
    outcomes = run_each(cfgs, tags=tags, folder=folder, progress=progress)
    results = [outcome for outcome in outcomes if isinstance(outcome, Result)]
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return results


def run_each(
    cfgs: Sequence[DictConfig],
    *,
    tags: Sequence[Mapping[str, str]] | None = None,
    folder: Path | str = ".",
    progress: Progress | None = None,
    started: Started | None = None,
) -> list[Result | Exception]:
    """Does what ``run`` does, but returns a failed job's error in its place instead of raising it.

    ``started`` is told the tracker and the ids of the MLflow runs of each stack when they begin.
    """
    outcomes: dict[int, Result | Exception] = {}
    jobs: dict[int, Job] = {}
    for index, cfg in enumerate(cfgs):
        try:
            job = build(cfg, tags[index] if tags else {})
            assert len(job.initial)  # drawn here, where it can fail for this job alone
            jobs[index] = job
        except Exception as error:
            outcomes[index] = error
    for indices in _stacks(jobs):
        stack = [jobs[index] for index in indices]
        done = _run_stack_or_each(stack, Path(folder).absolute(), progress, started)
        outcomes.update(zip(indices, done, strict=True))
    return [outcomes[index] for index in range(len(cfgs))]


def _stacks(jobs: Mapping[int, Job]) -> Iterator[list[int]]:
    """Yields the keys of the jobs that train together: alike, and no more than the cache holds."""
    alike: dict[Hashable, list[int]] = {}
    for index, job in jobs.items():
        alike.setdefault(job.stack_key, []).append(index)
    for indices in alike.values():
        size = largest_stack(jobs[indices[0]])
        yield from (indices[start : start + size] for start in range(0, len(indices), size))


def _run_stack_or_each(
    jobs: Sequence[Job], folder: Path, progress: Progress | None, started: Started | None
) -> list[Result | Exception]:
    """Runs a stack; if it breaks as a whole, runs its jobs one by one, so that one cannot harm the others."""
    try:
        return _run_stack(jobs, folder, progress, started)
    except TrackingError as error:  # the store would fail each of them just the same
        return [error] * len(jobs)
    except Exception as error:
        if len(jobs) == 1:
            return [error]
        return [_run_stack_or_each([job], folder, progress, started)[0] for job in jobs]


def _run_stack(
    jobs: Sequence[Job], folder: Path, progress: Progress | None, started: Started | None
) -> list[Result | Exception]:
    train, tracking, plots = jobs[0].settings.train, jobs[0].settings.tracking, jobs[0].settings.plots
    history = History(len(jobs), train.iterations, log_spaced(train.iterations, plots.frames))
    if tracking.uri is None:
        return list(_train(jobs, history, progress))
    tracker = Tracker(tracking.uri, tracking.experiment, folder)
    with (
        tracker.runs([description_of(job) for job in jobs]) as runs,
        RunRecorder(runs, tracker, jobs, history) as recorder,
    ):
        if started:
            started(tracker, [run.run_id for run in runs])
        return recorder.keep(_train(jobs, history, progress, recorder.flush))


def _train(
    jobs: Sequence[Job],
    history: History,
    progress: Progress | None,
    flush: Callable[[], None] | None = None,
) -> list[Result]:
    train, diagnostics = jobs[0].settings.train, jobs[0].settings.diagnostics
    X_train, Y_train, X_test, Y_test = stacked_data(jobs)
    network, start = jobs[0].network, np.stack([job.initial for job in jobs])
    parameters = start.copy()
    watch = Watch(jobs, progress, flush)
    # One BLAS thread everywhere, because results change with their number; and a run that
    # diverges overflows on its way, which is no news.
    with threadpool_limits(train.threads), np.errstate(all="ignore"):
        started = time.perf_counter()
        records = fit(
            network,
            parameters,
            X_train,
            Y_train,
            stacked_update(jobs),
            iterations=train.iterations,
            batches=_batches(jobs, X_train.shape[-1]),
            measure_every=diagnostics.every,
            diagnostics=diagnostics_named(diagnostics.names),
            rare=diagnostics_named([name for name in diagnostics.rare if name not in diagnostics.names]),
            rare_at=log_spaced(train.iterations, diagnostics.points),
        )
        for record in records:
            history.add(record)
            watch(record)
        seconds = (time.perf_counter() - started) / len(jobs)
        _, test_score = evaluate(network, parameters, X_test, Y_test)
        final = (*evaluate(network, parameters, X_train, Y_train), test_score)
        layers = [layers_at(network, where, X_train, Y_train) for where in (start, parameters)]
    return results_of(jobs, history, parameters, final, layers, seconds)


def _batches(jobs: Sequence[Job], examples: int) -> Batches | None:
    batch_size = jobs[0].settings.train.batch_size
    if batch_size is None:
        return None
    return minibatches([job.settings.seed for job in jobs], examples, batch_size)
