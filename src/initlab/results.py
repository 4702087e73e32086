"""The result of a run: the few numbers that sum it up, and the words that describe it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from initlab.activations import Array
from initlab.history import History
from initlab.job import Job
from initlab.network import named_parameters


@dataclass(frozen=True)
class Result:
    """One trained run: costs before the first and after the last update, accuracies, its share of the
    seconds.

    ``diverged_at`` is the iteration whose cost was not finite, or None; a diverged run has no final cost
    and no accuracies (None). ``history`` and ``parameters`` are the arrays of history.npz and weights.npz.
    """

    name: str
    tags: Mapping[str, str]
    iterations: int
    seconds: float
    initial_cost: float
    final_cost: float | None
    accuracy_train: float | None
    accuracy_test: float | None
    diverged_at: int | None
    history: Mapping[str, NDArray[Any]]
    parameters: Mapping[str, Array]
    run_id: str | None = None
    address: str | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers that sum the run up, by metric name; those it does not have are left out."""
        numbers = {
            "final_cost": self.final_cost,
            "accuracy/train": self.accuracy_train,
            "accuracy/test": self.accuracy_test,
            "seconds": self.seconds,
            "diverged": self.diverged_at is not None,
            "diverged_at": self.diverged_at,
        }
        return {key: float(number) for key, number in numbers.items() if number is not None}


def results_of(
    jobs: Sequence[Job],
    history: History,
    parameters: Array,
    final: tuple[Array, Array, Array],
    seconds: float,
) -> list[Result]:
    """Returns the result of every job of a stack from its history and final parameters (R, P).

    ``final`` holds cost, train accuracy and test accuracy after the last update, each (R,).
    """
    return [
        _result(job, history, run, parameters[run], [float(values[run]) for values in final], seconds)
        for run, job in enumerate(jobs)
    ]


def _result(
    job: Job, history: History, run: int, parameters: Array, final: Sequence[float], seconds: float
) -> Result:
    diverged_at = history.stopped_at.get(run)
    if diverged_at is None and not math.isfinite(final[0]):
        diverged_at = history.length
    cost, accuracy_train, accuracy_test = final if diverged_at is None else (None, None, None)
    initial = named_parameters(job.network, job.initial)
    arrays = {f"{name}_initial": values for name, values in initial.items()}
    return Result(
        name=job.name,
        tags=job.tags,
        iterations=history.iterations_of(run),
        seconds=seconds,
        initial_cost=float(history.costs[0, run]),
        final_cost=cost,
        accuracy_train=accuracy_train,
        accuracy_test=accuracy_test,
        diverged_at=diverged_at,
        history=history.arrays(run),
        parameters=arrays | named_parameters(job.network, parameters),
    )


def describe(job: Job, result: Result) -> str:
    """Returns in two sentences of markdown what happened in a run."""
    tags, rate = job.tags, job.update.keywords.get("learning_rate")
    pace = f" (learning rate {rate:g})" if isinstance(rate, float | int) else ""
    what = (
        f"A **{tags['init']}** start (seed {tags['seed']}) of the network {list(job.network.sizes)} "
        f"on {tags['dataset']}, trained by {tags['optimizer']}{pace},"
    )
    if result.diverged_at is not None:
        return (
            f"{what} **diverged**: its cost began at {result.initial_cost:.4g} and was no longer "
            f"finite at iteration {result.diverged_at}. It has no final cost and no accuracy."
        )
    return (
        f"{what} took the cost from {result.initial_cost:.4g} to **{result.final_cost:.4g}** in "
        f"{result.iterations} iterations. It classifies {result.accuracy_train:.1%} of the training "
        f"examples correctly and **{result.accuracy_test:.1%}** of the test examples."
    )
