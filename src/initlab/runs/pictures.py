"""The pictures of a run: its decision boundary at the end and along the way, and its cost curve."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from initlab.datasets import Dataset
from initlab.networks.network import Network
from initlab.networks.tape import predict
from initlab.runs.job import Job
from initlab.runs.summary import Summary, Trained
from initlab.threads import one_thread
from initlab.training.history import History
from initlab.types import Array

if TYPE_CHECKING:
    from initlab.plots import Boundary, CostCurve, Quantity


class Frame(NamedTuple):
    """The boundary after the update of iteration ``step``, as the two files that MLflow's UI shows."""

    step: int
    png: bytes
    webp: bytes


def boundary_png(one: Trained) -> bytes:
    """Returns the decision boundary of the final parameters, as a PNG."""
    from initlab.plots import png

    answers = None if one.summary.diverged_at is not None else final_answers(one)
    return png(boundary_of(one.job.dataset).draw(answers, title_of(one.job), _outcome(one.summary)))


def cost_png(one: Trained) -> bytes:
    """Returns the cost over the iterations, as a PNG."""
    from initlab.plots import png

    cost = one.summary.final_cost
    outcome = _diverged(one.summary) if cost is None else f"final cost {cost:.4g}"
    curve = _cost_curve(one.job.dataset, one.job.settings.train.iterations)
    return png(curve.draw(costs_of(one), title_of(one.job), outcome))


def costs_of(one: Trained) -> Array:
    """Returns the costs after 0, 1, … iterations: those before each update and the final one, if any."""
    costs, final = one.history["cost"].astype(np.float64), one.summary.final_cost
    return costs if final is None else np.append(costs, final)


def frames(job: Job, history: History, run: int) -> Iterator[Frame]:
    """Yields the run's boundary at the iterations of its snapshots, as far as it got."""
    from initlab.plots import png, webp

    for step, parameters in history.snapshots.items():
        if step < history.iterations_of(run) and np.isfinite(parameters[run]).all():
            answers = answers_at(job.dataset, job.network, parameters[run])
            image = boundary_of(job.dataset).draw_tile(answers, title_of(job), f"iteration {step:,}")
            yield Frame(step, png(image), webp(image))


def final_answers(one: Trained) -> Array:
    """Returns what the final parameters answer (n_y, k²) at a Boundary's points."""
    return answers_at(one.job.dataset, one.job.network, one.parameters)


def answers_at(dataset: Dataset, network: Network, parameters: Array) -> Array:
    """Returns what parameters (P,) answer (n_y, k²) at the points of the dataset's Boundary."""
    points = boundary_of(dataset).points.astype(parameters.dtype)
    with one_thread(), np.errstate(over="ignore"):  # exp of a saturated logit overflows to the right limit
        [answers] = predict(network, parameters[np.newaxis], points)
    shown: Array = answers
    return shown


def title_of(job: Job) -> str:
    """Returns the title of a run's pictures."""
    return f"{job.tags['init']} · seed {job.settings.seed}"


def _outcome(summary: Summary) -> str:
    if summary.score_train is None or summary.score_test is None:
        return _diverged(summary)
    if not summary.rules.classifies:
        return f"R² on train {summary.score_train:.3f} · on test {summary.score_test:.3f}"
    return f"train {summary.score_train:.1%} · test {summary.score_test:.1%} correct"


def _diverged(summary: Summary) -> str:
    return f"diverged at iteration {summary.diverged_at:,}"


@lru_cache(maxsize=4)
def boundary_of(dataset: Dataset) -> "Boundary":
    """Returns what draws the boundaries of networks that were trained on a dataset."""
    from initlab.plots import Boundary

    quantities = quantities_of(dataset)
    return Boundary(dataset.X_train, dataset.Y_train, dataset.task, dataset.classes, quantities)


def quantities_of(dataset: Dataset) -> "list[Quantity]":
    """Returns what a dataset's features, and the target of a regression, are called and their units."""
    from initlab.plots import Quantity

    prepared = dataset.preparation
    scales = prepared.scales if prepared else {}
    targets = [prepared.target] if prepared and dataset.task == "regression" and dataset.features else []
    units = {name: (scale.mean, scale.std or 1.0) for name, scale in scales.items()}
    return [Quantity(name, *units.get(name, ())) for name in (*dataset.features, *targets)]


@lru_cache(maxsize=4)
def _cost_curve(dataset: Dataset, iterations: int) -> "CostCurve":
    from initlab.plots import CostCurve, chance_of

    return CostCurve(iterations, *chance_of(dataset.task, dataset.Y_train))
