"""What the numbers of the last layer mean: answers, their cost and their score. The data choose it.

| output    | data           | answers                | cost, the mean over examples of       | score    |
|-----------|----------------|------------------------|---------------------------------------|----------|
| `sigmoid` | two classes    | P(class 1), (1, m)     | log(1 + exp(u)), u = (1 − 2y) z       | accuracy |
| `softmax` | K ≥ 3 classes  | P(class k), (K, m)     | log Σ exp(z) − z of the right class   | accuracy |
| `linear`  | real numbers   | the numbers, (n_y, m)  | ½ Σ (z − y)²                          | R²       |
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from initlab.activations import sigmoid
from initlab.types import Array


class Head:
    """The last layer's arrays of a pass of R runs over m examples, reused at every iteration.

    * ``z`` and ``delta`` (R, n_y, m): pre-activations, and the derivative of the cost by them
    * ``margin`` (R, n_y, m) and ``loss`` (R, 1, m): scratch, and each example's cost
    * ``targets`` and ``share`` (n_y, m) or (R, n_y, m): labels in the form the cost takes, and those / m
    """

    targets: Array
    share: Array

    def __init__(self, runs: int, n_y: int, examples: int, dtype: Any) -> None:
        self.z, self.delta, self.margin = (np.empty((runs, n_y, examples), dtype) for _ in range(3))
        self.loss = np.empty((runs, 1, examples), dtype)

    def load(self, targets: Array) -> None:
        """Takes the labels as ``Output.targets`` gives them."""
        self.targets, self.share = targets, targets / targets.shape[-1]


@dataclass(frozen=True)
class Output:
    """How the last layer answers and what its answers cost.

    ``targets``: labels Y in the form in which the cost takes them · ``loss`` fills each example's cost ·
    ``slope`` fills the derivative of the mean cost by z, after ``loss`` · ``answers``: what z says ·
    ``score`` (R,) of answers (R, n_y, m) for labels Y, called ``score_name``.
    """

    targets: Callable[[Array], Array]
    loss: Callable[[Head], None]
    slope: Callable[[Head], None]
    answers: Callable[[Array], Array]
    score: Callable[[Array, Array], Array]
    score_name: str


def _signs(Y: Array) -> Array:
    return 1 - 2 * Y


def _logistic_loss(head: Head) -> None:
    """Takes max(u, 0) + log1p(exp(−|u|)), which neither overflows nor loses a saturated example."""
    u, loss, positive = head.margin, head.loss, head.delta
    np.multiply(head.targets, head.z, out=u)
    np.abs(u, out=loss)
    np.negative(loss, out=loss)
    np.exp(loss, out=loss)
    np.log1p(loss, out=loss)
    np.maximum(u, 0, out=positive)
    np.add(loss, positive, out=loss)


def _logistic_slope(head: Head) -> None:
    """By z the derivative is S σ(u) / m; and as the loss is log(1 + exp(u)), σ(u) = exp(u − loss)."""
    np.subtract(head.margin, head.loss, out=head.delta)
    np.exp(head.delta, out=head.delta)
    np.multiply(head.delta, head.share, out=head.delta)


def _probability(z: Array) -> Array:
    p = np.empty_like(z)
    sigmoid(z, p)
    return p


def _binary_accuracy(answers: Array, Y: Array) -> Array:
    share: Array = np.mean((answers > 0.5) == (Y > 0.5), axis=(-2, -1))
    return share


def _softmax_loss(head: Head) -> None:
    """Takes log Σ exp(z − max) − (z − max) of the right class; leaves the exponentials in delta."""
    shifted, loss, powers = head.margin, head.loss, head.delta
    np.maximum.reduce(head.z, axis=-2, keepdims=True, out=loss)
    np.subtract(head.z, loss, out=shifted)
    np.multiply(shifted, head.targets, out=powers)
    right = np.add.reduce(powers, axis=-2, keepdims=True)
    np.exp(shifted, out=powers)
    np.add.reduce(powers, axis=-2, keepdims=True, out=loss)
    np.log(loss, out=loss)
    np.subtract(loss, right, out=loss)


def _softmax_slope(head: Head) -> None:
    total = np.add.reduce(head.delta, axis=-2, keepdims=True)
    np.multiply(total, head.delta.shape[-1], out=total)
    np.divide(head.delta, total, out=head.delta)
    np.subtract(head.delta, head.share, out=head.delta)


def _probabilities(z: Array) -> Array:
    powers = np.exp(z - np.max(z, axis=-2, keepdims=True))
    shares: Array = powers / np.sum(powers, axis=-2, keepdims=True)
    return shares


def _accuracy(answers: Array, Y: Array) -> Array:
    share: Array = np.mean(np.argmax(answers, axis=-2) == np.argmax(Y, axis=-2), axis=-1)
    return share


def _squared_loss(head: Head) -> None:
    np.subtract(head.z, head.targets, out=head.margin)
    np.multiply(head.margin, head.margin, out=head.delta)
    np.add.reduce(head.delta, axis=-2, keepdims=True, out=head.loss)
    np.multiply(head.loss, 0.5, out=head.loss)


def _squared_slope(head: Head) -> None:
    np.divide(head.margin, head.margin.shape[-1], out=head.delta)


def _r2(answers: Array, Y: Array) -> Array:
    """Returns 1 − Σ (ŷ − y)² / Σ (y − mean)², 0 for labels that do not vary, as they leave nothing to
    explain.
    """
    residual = np.sum(np.square(answers - Y), axis=(-2, -1))
    total = np.sum(np.square(Y - np.mean(Y, axis=-1, keepdims=True)), axis=(-2, -1))
    explained: Array = 1 - residual / np.where(total > 0, total, np.inf)
    return np.where(total > 0, explained, 0 * residual)


OUTPUTS = {
    "sigmoid": Output(_signs, _logistic_loss, _logistic_slope, _probability, _binary_accuracy, "accuracy"),
    "softmax": Output(np.array, _softmax_loss, _softmax_slope, _probabilities, _accuracy, "accuracy"),
    "linear": Output(np.array, _squared_loss, _squared_slope, np.copy, _r2, "r2"),
}
OUTPUT_OF_TASK = {"binary": "sigmoid", "classes": "softmax", "regression": "linear"}
