"""What sums a run up: a few numbers, and the words that describe it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initlab.config.rules import is_number
from initlab.diagnostics.sharpness import EXAMPLES
from initlab.markup import escaped
from initlab.networks.network import named_parameters
from initlab.networks.outputs import OUTPUTS, Output
from initlab.runs.job import Job
from initlab.training.history import History
from initlab.types import Array
from initlab.verdicts import Diagnosis, diagnose
from initlab.verdicts.evidence import Evidence, Part, Steps
from initlab.verdicts.reference import attainable, input_scale, outlying


@dataclass(frozen=True)
class Summary:
    """The numbers that sum a run up: its costs before the first and after the last update, its scores, its
    share of the seconds that its stack took, and its diagnosis.

    ``output`` names the rules of its answers, and so what a score is. ``diverged_at`` is the iteration whose
    cost was not finite, or None; a diverged run has no final cost and no scores. Only a dataset with a
    validation part has a score there. ``reached_at`` is after how many updates the cost, with mini-batches
    that of one, was for the first time at most ``report.threshold`` times the best constant answer's, or
    None; a run that diverged later reached it all the same. A tracked run has an id, the address of its
    charts, and the URIs of the store that holds it and of the place of its files; one that waits for a store
    that does not answer has only the store's.
    """

    name: str
    tags: Mapping[str, str]
    output: str
    iterations: int
    seconds: float
    initial_cost: float
    final_cost: float | None
    score_train: float | None
    score_test: float | None
    diverged_at: int | None
    diagnosis: Diagnosis = ()
    reached_at: int | None = None
    score_validation: float | None = None
    run_id: str | None = None
    address: str | None = None
    store: str | None = None
    place: str | None = None

    @property
    def waits(self) -> bool:
        """Whether its run lies in the spool, for a store that did not answer."""
        return self.store is not None and self.run_id is None

    @property
    def rules(self) -> Output:
        """The rules of its answers."""
        return OUTPUTS[self.output]

    @property
    def score_name(self) -> str:
        """What its scores are called in metrics: ``accuracy``, or ``r2`` of regressions."""
        return self.rules.score_name

    @property
    def objective(self) -> float:
        """What a sweeper minimizes: the final cost, infinite where the run diverged."""
        return math.inf if self.final_cost is None else self.final_cost

    @property
    def verdicts(self) -> str:
        """The names of the diagnosis's verdicts, the weightiest first."""
        return ", ".join(name for name, _ in self.diagnosis)

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers by metric name; those it does not have are left out."""
        numbers = {
            "iterations": self.iterations,
            "initial_cost": self.initial_cost,
            "final_cost": self.final_cost,
            "reached_at": self.reached_at,
            f"{self.score_name}/train": self.score_train,
            f"{self.score_name}/validation": self.score_validation,
            f"{self.score_name}/test": self.score_test,
            "seconds": self.seconds,
            "diverged": self.diverged_at is not None,
            "diverged_at": self.diverged_at,
        }
        return {key: float(number) for key, number in numbers.items() if number is not None}

    @property
    def diagnosis_tags(self) -> dict[str, str]:
        """The diagnosis as tags: all verdicts in one, and each verdict's sentence in its own."""
        found = {f"diagnosis.{name.replace(' ', '_')}": sentence for name, sentence in self.diagnosis}
        return {"diagnosis": self.verdicts, **found}


def summarize(
    job: Job,
    history: History,
    run: int,
    parameters: Array,
    final: Mapping[str, float],
    layers: Sequence[Mapping[str, float]],
    seconds: float,
) -> Summary:
    """Returns the summary of one run of a stack from its history and final parameters (P,).

    ``final`` holds after the last update the ``cost`` and the scores on ``train``, ``test`` and, if there is
    such a part, ``validation``; ``layers`` what ``layers_at`` says of the run at its start and at its end.
    """
    diverged_at = history.stopped_at.get(run)
    if diverged_at is None and not math.isfinite(final["cost"]):
        diverged_at = history.length
    ended = final if diverged_at is None else {}
    costs = history.costs[: history.iterations_of(run), run]
    summary = Summary(
        name=job.name,
        tags=job.tags,
        output=job.network.output_name,
        iterations=len(costs),
        seconds=seconds,
        initial_cost=float(costs[0]),
        final_cost=ended.get("cost"),
        score_train=ended.get("train"),
        score_validation=ended.get("validation"),
        score_test=ended.get("test"),
        diverged_at=diverged_at,
        reached_at=_reached_at(job, costs, ended.get("cost")),
    )
    return replace(summary, diagnosis=diagnose(_evidence(job, summary, costs, parameters, layers)))


def _reached_at(job: Job, costs: Array, final_cost: float | None) -> int | None:
    """Returns after how many updates the cost was first within the report's threshold; None: never."""
    _, baseline = job.network.output.best_constant(job.dataset.Y_train)
    all_costs = costs if final_cost is None else np.append(costs, final_cost)
    reached = np.flatnonzero(all_costs <= job.settings.report.threshold * baseline)
    return int(reached[0]) if len(reached) else None


def _evidence(
    job: Job, summary: Summary, costs: Array, parameters: Array, layers: Sequence[Mapping[str, float]]
) -> Evidence:
    data = job.dataset
    reference = attainable(data)
    return Evidence(
        network=job.network,
        costs=costs,
        final_cost=summary.final_cost,
        diverged_at=summary.diverged_at,
        train=Part(
            data.X_train.shape[-1], summary.score_train, reference.baseline.train, reference.best.train
        ),
        test=Part(data.X_test.shape[-1], summary.score_test, reference.baseline.test, reference.best.test),
        baseline_cost=job.network.output.best_constant(data.Y_train)[1],
        reference=reference,
        steps=_steps(job, len(costs)),
        at_start=layers[0],
        at_end=layers[1],
        moved=_moved(job, parameters),
        input_scale=input_scale(data),
        outlying=outlying(data),
        init=job.tags.get("init", ""),
        widths="model.width" if "width" in job.model.keywords else "model.hidden",
    )


def _steps(job: Job, made: int) -> Steps:
    """Returns how a job's updates were made, so many of them."""
    train, numbers = job.settings.train, {k: v for k, v in job.update.keywords.items() if is_number(v)}
    words = tuple(sorted(job.schedule.keywords.items()))
    return Steps(
        rule=job.update.func.__name__,
        rate=numbers.get("learning_rate"),
        iterations=train.iterations,
        schedule=job.schedule.func.__name__,
        factor=_mean_factor(job.schedule.func, words, max(1, min(made, train.iterations)), train.iterations),
        clip=train.clip,
        batch_size=train.batch_size,
        weight_decay=numbers.get("weight_decay", 0.0),
    )


@lru_cache(maxsize=64)
def _mean_factor(schedule: Any, words: tuple[tuple[str, Any], ...], made: int, planned: int) -> float:
    """Returns the mean factor of a schedule over the updates that were made of those planned."""
    return float(np.mean([schedule(iteration, planned, **dict(words)) for iteration in range(made)]))


def _moved(job: Job, parameters: Array) -> list[float]:
    """Returns how far each layer's weights, biases left out, are from their start."""
    with np.errstate(all="ignore"):  # a run that diverged may be too far away for a number
        blocks = job.network.blocks((parameters - job.initial)[np.newaxis])
        return [float(np.linalg.norm(block[0, :, :-1])) for block in blocks]


@dataclass(frozen=True)
class Trained:
    """A trained run: its summary, its exact history by name as in history.npz, and its parameters (P,)."""

    job: Job
    summary: Summary
    history: Mapping[str, NDArray[Any]]
    parameters: Array

    @property
    def weights(self) -> dict[str, Array]:
        """The arrays of weights.npz: ``W1_initial``, ``b1_initial``, … and ``W1``, ``b1``, …"""
        initial = named_parameters(self.job.network, self.job.initial)
        first = {f"{name}_initial": values for name, values in initial.items()}
        return first | named_parameters(self.job.network, self.parameters)


def describe(job: Job, summary: Summary) -> str:
    """Returns in markdown what happened in a run: what was trained, what came out, and the diagnosis."""
    tags = {name: escaped(text) for name, text in job.tags.items()}
    rate = job.update.keywords.get("learning_rate")
    pace = f" (learning rate {rate:g}{_by_layer(job)})" if is_number(rate) else ""
    what = (
        f"A **{tags['init']}** start (seed {tags['seed']}) of the network {shown_sizes(job.network.sizes)} "
        f"on {tags['dataset']}, trained by {tags['optimizer']}{pace}, {_outcome(summary)}"
    )
    what += _of_some_examples(job)
    found = [f"**{name.capitalize()}.** {said}" for name, said in summary.diagnosis]
    prepared = job.dataset.preparation.words if job.dataset.preparation else ""
    return "\n\n".join([what, *found, *([f"**The table.** {escaped(prepared)}"] if prepared else [])])


def _of_some_examples(job: Job) -> str:
    """Returns what is said where the Hessian that was measured is that of a part of the training examples."""
    measured, m = job.settings.diagnostics, job.dataset.X_train.shape[-1]
    seen = min(job.settings.train.batch_size or m, EXAMPLES)
    if "hessian" not in (*measured.names, *measured.rare) or seen == m:
        return ""
    which = f"the first {seen:,}" if job.settings.train.batch_size is None else f"a mini-batch of {seen:,}"
    return (
        f" Its `hessian/…` metrics are of {which} of the {m:,} training examples: `hessian/top` is not the "
        "sharpness that gradient descent compares with 2 / learning rate."
    )


def _by_layer(job: Job) -> str:
    """Returns what is said of a learning rate that layers have factors on."""
    rates = job.values["optimizer"].get("layer_rates")
    if rates is None:
        return ""
    named = isinstance(rates, str)
    factors = f"as {rates} has it" if named else f"× {', '.join(f'{factor:g}' for factor in rates)}"
    return f", by layer {factors}"


def _outcome(summary: Summary) -> str:
    if summary.final_cost is None or summary.score_train is None or summary.score_test is None:
        return (
            f"**diverged**: its cost began at {summary.initial_cost:.4g} and was no longer "
            f"finite at iteration {summary.diverged_at}. It has no final cost and no score."
        )
    change = (
        f"took the cost from {summary.initial_cost:.4g} to **{summary.final_cost:.4g}** in "
        f"{summary.iterations} iterations."
    )
    validation = summary.score_validation
    if summary.rules.classifies:
        between = "" if validation is None else f", {validation:.1%} of the validation examples"
        return (
            f"{change} It classifies {summary.score_train:.1%} of the training examples correctly{between} "
            f"and **{summary.score_test:.1%}** of the test examples."
        )
    between = "" if validation is None else f", {validation:.3f} on the validation examples"
    return (
        f"{change} Its R² is {summary.score_train:.3f} on the training examples{between} "
        f"and **{summary.score_test:.3f}** on the test examples."
    )


def shown_sizes(sizes: Sequence[int]) -> str:
    """Returns layer sizes as text, a run of equal ones as one: [2, 100 × 50, 1]."""
    runs = [(size, len(list(same))) for size, same in groupby(sizes)]
    return f"[{', '.join(f'{size} × {n}' if n > 3 else ', '.join([str(size)] * n) for size, n in runs)}]"
