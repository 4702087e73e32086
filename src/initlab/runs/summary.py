"""The result of a run: the few numbers that sum it up, and the words that describe it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initlab.config.rules import is_number
from initlab.networks.network import named_parameters
from initlab.runs.job import Job
from initlab.sweep.outcome import MOST_SENTENCES
from initlab.training.history import History
from initlab.types import Array
from initlab.verdicts import Diagnosis, diagnose
from initlab.verdicts.evidence import Evidence, baseline, baseline_cost


@dataclass(frozen=True)
class Result:
    """One trained run: costs before the first and after the last update, scores, its share of the seconds.

    The score is the accuracy where classes are told apart, and R² (``r2``) where numbers are predicted; the
    other is None. ``diverged_at`` is the iteration whose cost was not finite, or None; a diverged run has no
    final cost and no scores. ``history`` and ``parameters`` are the arrays of history.npz and weights.npz.
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
    r2_train: float | None = None
    r2_test: float | None = None
    diagnosis: Diagnosis = ()
    run_id: str | None = None
    address: str | None = None

    def score(self, part: str) -> float | None:
        """Returns the accuracy, or R², on the ``train`` or the ``test`` examples."""
        accuracy: float | None = getattr(self, f"accuracy_{part}")
        r2: float | None = getattr(self, f"r2_{part}")
        return r2 if accuracy is None else accuracy

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers that sum the run up, by metric name; those it does not have are left out."""
        numbers = {
            "final_cost": self.final_cost,
            "accuracy/train": self.accuracy_train,
            "accuracy/test": self.accuracy_test,
            "r2/train": self.r2_train,
            "r2/test": self.r2_test,
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
    layers: Sequence[Sequence[Mapping[str, float]]],
    seconds: float,
) -> list[Result]:
    """Returns the result of every job of a stack from its history and final parameters (R, P).

    ``final`` holds cost, train score and test score after the last update, each (R,), and ``layers`` what
    ``layers_at`` says of each run at its start and at its end.
    """
    results = []
    for run, job in enumerate(jobs):
        numbers = [float(values[run]) for values in final]
        result = _result(job, history, run, parameters[run], numbers, seconds)
        findings = diagnose(_evidence(job, result, [where[run] for where in layers]))
        results.append(replace(result, diagnosis=findings))
    return results


def _evidence(job: Job, result: Result, layers: Sequence[Mapping[str, float]]) -> Evidence:
    weights = [f"W{number}" for number in range(1, len(job.network.sizes))]
    first = [result.parameters[f"{name}_initial"] for name in weights]
    moves = zip(first, (result.parameters[name] for name in weights), strict=True)
    rate = job.update.keywords.get("learning_rate")
    with np.errstate(all="ignore"):  # a run that diverged may be too far away for a number
        moved = [float(np.linalg.norm(last - start)) for start, last in moves]
    return Evidence(
        network=job.network,
        examples=job.dataset.X_train.shape[-1],
        costs=result.history["cost"],
        final_cost=result.final_cost,
        diverged_at=result.diverged_at,
        score=result.score("train"),
        test_score=result.score("test"),
        baseline=baseline(job.network, job.dataset.Y_train),
        baseline_cost=baseline_cost(job.network, job.dataset.Y_train),
        learning_rate=rate if is_number(rate) else None,
        at_start=layers[0],
        at_end=layers[1],
        moved=moved,
    )


def _result(
    job: Job, history: History, run: int, parameters: Array, final: Sequence[float], seconds: float
) -> Result:
    diverged_at = history.stopped_at.get(run)
    if diverged_at is None and not math.isfinite(final[0]):
        diverged_at = history.length
    cost, on_train, on_test = final if diverged_at is None else (None, None, None)
    name = job.network.output.score_name
    scores = {f"{name}_train": on_train, f"{name}_test": on_test}
    initial = named_parameters(job.network, job.initial)
    arrays = {f"{name}_initial": values for name, values in initial.items()}
    return Result(
        name=job.name,
        tags=job.tags,
        iterations=history.iterations_of(run),
        seconds=seconds,
        initial_cost=float(history.costs[0, run]),
        final_cost=cost,
        accuracy_train=scores.get("accuracy_train"),
        accuracy_test=scores.get("accuracy_test"),
        r2_train=scores.get("r2_train"),
        r2_test=scores.get("r2_test"),
        diverged_at=diverged_at,
        history=history.arrays(run),
        parameters=arrays | named_parameters(job.network, parameters),
    )


def describe(job: Job, result: Result) -> str:
    """Returns in markdown what happened in a run: what was trained, what came out, and the diagnosis."""
    tags, rate = job.tags, job.update.keywords.get("learning_rate")
    pace = f" (learning rate {rate:g})" if isinstance(rate, float | int) else ""
    what = (
        f"A **{tags['init']}** start (seed {tags['seed']}) of the network {shown_sizes(job.network.sizes)} "
        f"on {tags['dataset']}, trained by {tags['optimizer']}{pace}, {_outcome(result)}"
    )
    findings = result.diagnosis[:MOST_SENTENCES]
    return "\n\n".join([what, *(f"**{name.capitalize()}.** {sentence}" for name, sentence in findings)])


def diagnosis_tags(result: Result) -> dict[str, str]:
    """Returns the diagnosis as tags: all verdicts in one, and each verdict's sentence in its own."""
    found = {f"diagnosis.{name.replace(' ', '_')}": sentence for name, sentence in result.diagnosis}
    return {"diagnosis": ", ".join(name for name, _ in result.diagnosis), **found}


def _outcome(result: Result) -> str:
    if result.final_cost is None:
        return (
            f"**diverged**: its cost began at {result.initial_cost:.4g} and was no longer "
            f"finite at iteration {result.diverged_at}. It has no final cost and no score."
        )
    if result.r2_test is not None:
        score = (
            f"Its R² is {result.r2_train:.3f} on the training examples "
            f"and **{result.r2_test:.3f}** on the test examples."
        )
    else:
        score = (
            f"It classifies {result.accuracy_train:.1%} of the training examples correctly "
            f"and **{result.accuracy_test:.1%}** of the test examples."
        )
    return (
        f"took the cost from {result.initial_cost:.4g} to **{result.final_cost:.4g}** in "
        f"{result.iterations} iterations. {score}"
    )


def shown_sizes(sizes: Sequence[int]) -> str:
    """Returns layer sizes as text, a run of equal ones as one: [2, 100 × 50, 1]."""
    runs = [(size, len(list(same))) for size, same in groupby(sizes)]
    return f"[{', '.join(f'{size} × {n}' if n > 3 else ', '.join([str(size)] * n) for size, n in runs)}]"
