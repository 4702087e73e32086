"""What the numbers of the last layer mean: answers, their cost and their score. The data choose it.

| output    | data           | answers                | cost, the mean over examples of       | score    |
|-----------|----------------|------------------------|---------------------------------------|----------|
| `sigmoid` | two classes    | P(class 1), (1, m)     | log(1 + exp(u)), u = (1 − 2y) z       | accuracy |
| `softmax` | K ≥ 3 classes  | P(class k), (K, m)     | log Σ exp(z) − z of the right class   | accuracy |
| `linear`  | real numbers   | the numbers, (n_y, m)  | ½ Σ (z − y)²                          | R²       |
"""

import math
from typing import Any, ClassVar

import numpy as np

from initlab.activations import sigmoid
from initlab.types import Array


class OutputBuffers:
    """The last layer's arrays of R runs over m examples, reused at every iteration.

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


class Output:
    """The rules of one kind of answer; this class holds those that classes share.

    ``score_name`` is the score's name in metrics, ``score_label`` in words, ``good_score`` what a good start
    reaches, ``worst_score`` what a run that diverged counts as. For every output the derivative of an
    example's cost by z is answers − labels.
    """

    classifies: ClassVar[bool] = True
    score_name: ClassVar[str] = "accuracy"
    score_label: ClassVar[str] = "accuracy"
    good_score: ClassVar[float] = 0.95
    worst_score: ClassVar[float] = 0.0

    def targets(self, Y: Array) -> Array:
        """Returns labels Y (n_y, m) in the form in which the cost takes them."""
        return np.array(Y)

    def loss(self, buffers: OutputBuffers) -> None:
        """Fills each example's cost."""
        raise NotImplementedError

    def slope(self, buffers: OutputBuffers) -> None:
        """Fills the derivative of the mean cost by z; ``loss`` must have run."""
        raise NotImplementedError

    def answers(self, z: Array) -> Array:
        """Returns what pre-activations z (…, n_y, m) say."""
        raise NotImplementedError

    def change_of_answers(self, answers: Array, dz: Array) -> Array:
        """Returns how much the answers change when z changes by dz: the curvature of the cost."""
        raise NotImplementedError

    def score(self, answers: Array, Y: Array) -> Array:
        """Returns the share of right answers (R,), of answers (R, n_y, m) to labels Y."""
        share: Array = np.mean(np.argmax(answers, axis=-2) == np.argmax(Y, axis=-2), axis=-1)
        return share

    def best_constant(self, Y: Array) -> tuple[float, float]:
        """Returns the score and the cost of the best answer that is the same for every example."""
        shares = np.mean(Y, axis=-1)
        shares = np.append(shares, 1 - shares) if len(shares) == 1 else shares
        return float(shares.max()), float(-np.sum(shares * np.log(np.where(shares > 0, shares, 1))))

    def random_labels(self, rng: np.random.RandomState, n_y: int, m: int) -> Array:
        """Returns labels (n_y, m) that have nothing to do with any input."""
        return np.eye(n_y)[:, rng.randint(0, n_y, m)]

    def show(self, score: float, digits: int = 1) -> str:
        """Returns a score in words."""
        return f"{score:.{digits}%}"


class Sigmoid(Output):
    """Two classes: P(class 1)."""

    def targets(self, Y: Array) -> Array:
        """Returns 1 for class 0 and −1 for class 1."""
        return 1 - 2 * Y

    def loss(self, buffers: OutputBuffers) -> None:
        """Takes max(u, 0) + log1p(exp(−|u|)), which neither overflows nor loses a saturated example."""
        u, loss, positive = buffers.margin, buffers.loss, buffers.delta
        np.multiply(buffers.targets, buffers.z, out=u)
        np.abs(u, out=loss)
        np.negative(loss, out=loss)
        np.exp(loss, out=loss)
        np.log1p(loss, out=loss)
        np.maximum(u, 0, out=positive)
        np.add(loss, positive, out=loss)

    def slope(self, buffers: OutputBuffers) -> None:
        """Takes S σ(u) / m, where σ(u) = exp(u − loss) because the loss is log(1 + exp(u))."""
        np.subtract(buffers.margin, buffers.loss, out=buffers.delta)
        np.exp(buffers.delta, out=buffers.delta)
        np.multiply(buffers.delta, buffers.share, out=buffers.delta)

    def answers(self, z: Array) -> Array:
        """Returns P(class 1)."""
        p = np.empty_like(z)
        sigmoid(z, p)
        return p

    def change_of_answers(self, answers: Array, dz: Array) -> Array:
        """Returns p (1 − p) dz."""
        return answers * (1 - answers) * dz

    def score(self, answers: Array, Y: Array) -> Array:
        """Returns the share of right answers (R,); a probability of exactly 0.5 means class 0."""
        share: Array = np.mean((answers > 0.5) == (Y > 0.5), axis=(-2, -1))
        return share

    def random_labels(self, rng: np.random.RandomState, n_y: int, m: int) -> Array:
        """Returns labels of 0 and 1."""
        return rng.randint(0, 2, (n_y, m)).astype(float)


class Softmax(Output):
    """Three or more classes: the probability of each."""

    def loss(self, buffers: OutputBuffers) -> None:
        """Takes log Σ exp(z − max) − (z − max) of the right class; leaves the exponentials in delta."""
        shifted, loss, powers = buffers.margin, buffers.loss, buffers.delta
        np.maximum.reduce(buffers.z, axis=-2, keepdims=True, out=loss)
        np.subtract(buffers.z, loss, out=shifted)
        np.multiply(shifted, buffers.targets, out=powers)
        right = np.add.reduce(powers, axis=-2, keepdims=True)
        np.exp(shifted, out=powers)
        np.add.reduce(powers, axis=-2, keepdims=True, out=loss)
        np.log(loss, out=loss)
        np.subtract(loss, right, out=loss)

    def slope(self, buffers: OutputBuffers) -> None:
        """Takes (p − labels) / m."""
        total = np.add.reduce(buffers.delta, axis=-2, keepdims=True)
        np.multiply(total, buffers.delta.shape[-1], out=total)
        np.divide(buffers.delta, total, out=buffers.delta)
        np.subtract(buffers.delta, buffers.share, out=buffers.delta)

    def answers(self, z: Array) -> Array:
        """Returns the probabilities of all classes."""
        powers = np.exp(z - np.max(z, axis=-2, keepdims=True))
        shares: Array = powers / np.sum(powers, axis=-2, keepdims=True)
        return shares

    def change_of_answers(self, answers: Array, dz: Array) -> Array:
        """Returns p (dz − Σ p dz)."""
        change: Array = answers * (dz - np.sum(answers * dz, axis=-2, keepdims=True))
        return change


class Linear(Output):
    """Numbers: the pre-activations themselves."""

    classifies = False
    score_name = "r2"
    score_label = "R²"
    good_score = 0.9
    worst_score = -math.inf

    def loss(self, buffers: OutputBuffers) -> None:
        """Takes ½ Σ (z − y)²."""
        np.subtract(buffers.z, buffers.targets, out=buffers.margin)
        np.multiply(buffers.margin, buffers.margin, out=buffers.delta)
        np.add.reduce(buffers.delta, axis=-2, keepdims=True, out=buffers.loss)
        np.multiply(buffers.loss, 0.5, out=buffers.loss)

    def slope(self, buffers: OutputBuffers) -> None:
        """Takes (z − y) / m."""
        np.divide(buffers.margin, buffers.margin.shape[-1], out=buffers.delta)

    def answers(self, z: Array) -> Array:
        """Returns a copy of z."""
        return np.copy(z)

    def change_of_answers(self, answers: Array, dz: Array) -> Array:
        """Returns dz."""
        return dz

    def score(self, answers: Array, Y: Array) -> Array:
        """Returns R² = 1 − Σ (ŷ − y)² / Σ (y − mean)² (R,), 0 for labels that do not vary, as they leave
        nothing to explain.
        """
        residual = np.sum(np.square(answers - Y), axis=(-2, -1))
        total = np.sum(np.square(Y - np.mean(Y, axis=-1, keepdims=True)), axis=(-2, -1))
        explained: Array = 1 - residual / np.where(total > 0, total, np.inf)
        return np.where(total > 0, explained, 0 * residual)

    def best_constant(self, Y: Array) -> tuple[float, float]:
        """Returns the score and the cost of the mean."""
        return 0.0, float(0.5 * np.sum(np.var(Y, axis=-1)))

    def random_labels(self, rng: np.random.RandomState, n_y: int, m: int) -> Array:
        """Returns standard normal numbers."""
        return rng.standard_normal((n_y, m))

    def show(self, score: float, digits: int = 1) -> str:
        """Returns R² in words."""
        return f"R² {score:.{digits + 1}f}"


OUTPUTS: dict[str, Output] = {"sigmoid": Sigmoid(), "softmax": Softmax(), "linear": Linear()}
OUTPUT_OF_TASK = {"binary": "sigmoid", "classes": "softmax", "regression": "linear"}
