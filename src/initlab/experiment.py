"""The composition root: configs in, trained and tracked runs out. The only file that knows all the parts."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from omegaconf import DictConfig
from threadpoolctl import threadpool_limits

from initlab.diagnostics import DIAGNOSTICS
from initlab.history import History, frame_iterations
from initlab.job import Job, build, stacked_data, stacked_update
from initlab.loop import Batches, fit, minibatches
from initlab.network import evaluate
from initlab.results import Result, results_of
from initlab.tracked import TrackedStack
from initlab.tracking import Tracker
from initlab.watch import Progress, Watch


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
) -> list[Result | Exception]:
    """Does what ``run`` does, but returns a failed job's error in its place instead of raising it."""
    outcomes: dict[int, Result | Exception] = {}
    stacks: dict[object, dict[int, Job]] = {}
    for index, cfg in enumerate(cfgs):
        try:
            job = build(cfg, tags[index] if tags else {})
            stacks.setdefault(job.stack_key, {})[index] = job
        except Exception as error:
            outcomes[index] = error
    for stack in stacks.values():
        jobs = list(stack.values())
        try:
            done = _run_stack(jobs, Path(folder).absolute(), progress)
        except Exception as error:
            done = [error] * len(jobs)
        outcomes.update(zip(stack, done, strict=True))
    return [outcomes[index] for index in range(len(cfgs))]


def _run_stack(jobs: Sequence[Job], folder: Path, progress: Progress | None) -> list[Result | Exception]:
    settings = jobs[0].settings
    history = History(
        len(jobs),
        settings.train.iterations,
        frame_iterations(settings.train.iterations, settings.plots.frames),
    )
    if settings.tracking.uri is None:
        return list(_train(jobs, history, progress))
    tracker = Tracker(settings.tracking.uri, settings.tracking.experiment, folder)
    with TrackedStack(tracker, jobs, history) as tracked:
        return tracked.finish(_train(jobs, history, progress, tracked.flush))


def _train(
    jobs: Sequence[Job],
    history: History,
    progress: Progress | None,
    flush: Callable[[], None] | None = None,
) -> list[Result]:
    train, diagnostics = jobs[0].settings.train, jobs[0].settings.diagnostics
    X_train, Y_train, X_test, Y_test = stacked_data(jobs)
    network, parameters = jobs[0].network, np.stack([job.initial for job in jobs])
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
            diagnostics=DIAGNOSTICS,
        )
        for record in records:
            history.add(record)
            watch(record)
        seconds = (time.perf_counter() - started) / len(jobs)
        _, test_accuracy = evaluate(network, parameters, X_test, Y_test)
        final = (*evaluate(network, parameters, X_train, Y_train), test_accuracy)
    return results_of(jobs, history, parameters, final, seconds)


def _batches(jobs: Sequence[Job], examples: int) -> Batches | None:
    batch_size = jobs[0].settings.train.batch_size
    if batch_size is None:
        return None
    return minibatches([job.settings.seed for job in jobs], examples, batch_size)
