"""The pictures of a run: its decision boundary at the end and along the way, and its cost curve."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from initlab.datasets import Dataset
from initlab.networks.network import flatten, predict
from initlab.runs.job import Job
from initlab.runs.summary import Result
from initlab.training.history import History
from initlab.types import Array

if TYPE_CHECKING:
    from initlab.plots import Boundary, CostCurve


class Frame(NamedTuple):
    """The boundary after the update of iteration ``step``, as the two files that MLflow's UI shows."""

    step: int
    png: bytes
    webp: bytes


def boundary_png(job: Job, result: Result) -> bytes:
    """Returns the decision boundary of the final parameters, as a PNG."""
    from initlab.plots import png

    if result.diverged_at is not None:
        return png(_boundary(job.dataset).draw(None, _title(job), _diverged(result)))
    return png(_boundary(job.dataset).draw(final_answers(job, result), _title(job), _outcome(result)))


def cost_png(job: Job, result: Result) -> bytes:
    """Returns the cost over the iterations, as a PNG."""
    from initlab.plots import png

    outcome = _diverged(result) if result.final_cost is None else f"final cost {result.final_cost:.4g}"
    curve = _cost_curve(job.dataset, job.settings.train.iterations)
    return png(curve.draw(costs_of(result), _title(job), outcome))


def costs_of(result: Result) -> Array:
    """Returns the costs after 0, 1, … iterations: those before each update and the final one, if any."""
    costs = result.history["cost"].astype(np.float64)
    return costs if result.final_cost is None else np.append(costs, result.final_cost)


def frames(job: Job, history: History, run: int) -> Iterator[Frame]:
    """Yields the run's boundary at the iterations of its snapshots, as far as it got."""
    from initlab.plots import png, webp

    for step, parameters in history.snapshots.items():
        if step < history.iterations_of(run) and np.isfinite(parameters[run]).all():
            answers = _answers(job, parameters[run])
            image = _boundary(job.dataset).draw(answers, _title(job), f"iteration {step:,}")
            yield Frame(step, png(image), webp(image))


def final_answers(job: Job, result: Result) -> Array:
    """Returns what the final parameters answer (n_y, k²) at a Boundary's points."""
    layers = range(1, len(job.network.sizes))
    weights, biases = ([result.parameters[f"{kind}{n}"] for n in layers] for kind in "Wb")
    return _answers(job, flatten(weights, biases))


def _answers(job: Job, parameters: Array) -> Array:
    points = _boundary(job.dataset).points.astype(parameters.dtype)
    with np.errstate(over="ignore"):  # exp of a saturated logit overflows to the right limit
        [answers] = predict(job.network, parameters[np.newaxis], points)
    shown: Array = answers
    return shown


def _title(job: Job) -> str:
    return f"{job.tags['init']} · seed {job.settings.seed}"


def _outcome(result: Result) -> str:
    if result.r2_test is not None:
        return f"R² on train {result.r2_train:.3f} · on test {result.r2_test:.3f}"
    return f"train {result.accuracy_train:.1%} · test {result.accuracy_test:.1%} correct"


def _diverged(result: Result) -> str:
    return f"diverged at iteration {result.diverged_at:,}"


@lru_cache(maxsize=4)
def _boundary(dataset: Dataset) -> "Boundary":
    from initlab.plots import Boundary

    return Boundary(dataset.X_train, dataset.Y_train, dataset.task, dataset.classes)


@lru_cache(maxsize=4)
def _cost_curve(dataset: Dataset, iterations: int) -> "CostCurve":
    from initlab.plots import CostCurve, chance_of

    return CostCurve(iterations, *chance_of(dataset.task, dataset.Y_train))
