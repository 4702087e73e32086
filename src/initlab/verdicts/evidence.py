"""The evidence for a diagnosis: a run's costs and scores, its settings, and its layers first and last."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from initlab.diagnostics import Step, diagnostics_named, measure
from initlab.networks.hessian import hessian_products
from initlab.networks.network import Network
from initlab.networks.outputs import Output
from initlab.networks.tape import Tape, passed, with_ones
from initlab.types import Array
from initlab.verdicts.reference import Attainable

MEASURED = diagnostics_named(
    ("grad_norm", "preactivation_gradient", "weight_norm", "dead_units", "distinct_units", "saturation")
)
BENT_BY = 128  # examples at most, the first, whose cost's curvature is measured
ADAPTIVE = ("adam", "adamw", "rmsprop", "adagrad")


@dataclass(frozen=True)
class Part:
    """How a run does on one part of the data: on so many ``examples``, its ``score``, that of the best single
    answer of the training part (the ``baseline``), and the ``attainable`` one of the best reference.
    """

    examples: int
    score: float | None
    baseline: float
    attainable: float


@dataclass(frozen=True)
class Steps:
    """How a run moved: the ``rule`` of its updates, its ``rate`` (None: it has none), the ``factor`` that its
    ``schedule`` left of it on average, and what else may hold steps back, make them noisy or pull at the
    weights.
    """

    rule: str
    rate: float | None
    iterations: int
    schedule: str = "constant"
    factor: float = 1.0
    clip: float | None = None
    batch_size: int | None = None
    weight_decay: float = 0.0

    @property
    def adaptive(self) -> bool:
        """Whether the size of a gradient has no say in the size of a step."""
        return self.rule in ADAPTIVE

    @property
    def whole_rate(self) -> float:
        """The rates of all steps together, those of momentum with all that follows a gradient."""
        return (self.rate or 0.0) * self.factor * self.iterations


@dataclass(frozen=True)
class Evidence:
    """What a diagnosis of one run rests on.

    ``at_start`` and ``at_end`` hold measurements over all training examples by metric name, and their
    ``cost``; ``moved`` (L,) how far each layer's weights, biases left out, are from their start (Euclidean).
    ``costs`` (n,) are those before each update, with mini-batches of the batch. ``score`` is the accuracy, or
    R² of a regression; ``baseline_cost`` what the best single answer costs. ``input_scale`` is the root mean
    square of the largest feature, ``outlying`` what share of the variance of a feature, or of the target, the
    farthest example makes alone. ``init`` and ``widths`` are how the config names the start, and by which key
    layers grow wider.
    """

    network: Network
    costs: Array
    final_cost: float | None
    diverged_at: int | None
    train: Part
    test: Part
    baseline_cost: float
    reference: Attainable
    steps: Steps
    at_start: Mapping[str, float]
    at_end: Mapping[str, float]
    moved: Sequence[float]
    input_scale: float = 1.0
    outlying: float = 0.0
    init: str = ""
    widths: str = "model.hidden"

    @property
    def output(self) -> Output:
        """The rules of the network's answers."""
        return self.network.output

    @property
    def first_cost(self) -> float:
        """The cost of all training examples at the start."""
        return self.at_start.get("cost", float(self.costs[0]))

    @cached_property
    def shortfall(self) -> float:
        """By how much the scores on both parts, each with the weight of its examples, are below what is
        attainable.
        """
        if self.train.score is None or self.test.score is None:
            return math.inf
        both = ((self.train, self.train.score), (self.test, self.test.score))
        missing = sum(part.examples * (part.attainable - score) for part, score in both)
        return missing / (self.train.examples + self.test.examples)

    def by_layer(self, name: str, end: bool = False) -> list[float]:
        """Returns a measurement of layer 1, 2, … at the start or the end; empty where there is none."""
        found = self.at_end if end else self.at_start
        layers = range(1, len(self.network.sizes))
        return [found[f"{name}/layer{n}"] for n in layers if f"{name}/layer{n}" in found]


def layers_at(network: Network, parameters: Array, X: Array, Y: Array) -> list[dict[str, float]]:
    """Returns what MEASURED says of each run's network at its parameters (R, P), over all examples; and their
    ``cost``, its ``curvature`` along the gradient g, gᵀHg / gᵀg, and the size of the first layer's biases
    relative to what its weights make of the inputs, ``bias_share``.
    """
    X1, targets = with_ones(X), network.output.targets(Y)
    tape = passed(network, parameters, X1, targets)
    step = Step(network, parameters, parameters, tape.gradient, parameters, tape)
    found = measure(step, MEASURED)
    found |= {
        "cost": tape.cost(),
        "curvature": _curvature(network, parameters, tape),
        "bias_share": _bias_share(network, parameters, X),
    }
    return [{key: float(values[run]) for key, values in found.items()} for run in range(len(parameters))]


def _curvature(network: Network, parameters: Array, tape: Tape) -> Array:
    X1, targets = tape.inputs[0][..., :BENT_BY], tape.output.targets[..., :BENT_BY]
    double = [each.astype(np.float64) for each in (parameters, tape.gradient, X1, targets)]
    length = np.linalg.norm(double[1], axis=-1, keepdims=True)
    direction = double[1] / np.where(length > 0, length, 1)
    products = hessian_products(network, double[0], direction, double[2], double[3])
    return np.asarray(np.vecdot(direction, products))


def _bias_share(network: Network, parameters: Array, X: Array) -> Array:
    first = network.blocks(parameters)[0]
    made = np.matmul(first[..., :-1], X)
    sizes = [np.sqrt(np.mean(np.square(each), axis=(-2, -1))) for each in (first[..., -1:], made)]
    return np.asarray(sizes[0] / np.where(sizes[1] > 0, sizes[1], np.inf))
