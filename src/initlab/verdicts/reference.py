"""What score is attainable on a dataset, by methods that have no start: the yardstick of a diagnosis.

A ridge regression on the features and a vote of the nearest neighbours; both are scored on every training
example by what the others say of it (leave one out), so that neither knows an answer by heart, and then on
the test part. Computed once for a dataset.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from initlab.datasets import Dataset
from initlab.networks.outputs import OUTPUT_OF_TASK, OUTPUTS, Output
from initlab.types import Array

EXAMPLES = 400  # of a part at most: the first
NEIGHBOURS = (1, 3, 7, 15, 31)
RIDGE = 1e-3  # of the features' mean square
TAIL = 0.01  # of the examples, at each end
FLAT = 10  # features at most for which a tree of places finds neighbours faster than all distances do
MANY = 1_000_000  # distances: a tree pays from here on, whose import takes a tenth of a second
SMALLEST = 1e-9  # what a leverage of 1 leaves


@dataclass(frozen=True)
class Reference:
    """The scores of a method ``by`` name: on the training examples, each left out in turn, and on the
    test's.
    """

    by: str
    train: float
    test: float


@dataclass(frozen=True)
class Attainable:
    """The ``best`` of the references on the training part, and the ``baseline``, the one answer for all that
    is best there; ``examples``: on how many they were scored.
    """

    best: Reference
    baseline: Reference
    examples: int


@lru_cache(maxsize=64)
def attainable(data: Dataset) -> Attainable:
    """Returns what is attainable on a dataset."""
    output = OUTPUTS[OUTPUT_OF_TASK[data.task]]
    baseline = _baseline(output, data)
    X, Y, X_test, Y_test = (
        part[:, :EXAMPLES] for part in (data.X_train, data.Y_train, data.X_test, data.Y_test)
    )
    ends = np.quantile(X, [TAIL, 1 - TAIL], axis=1, keepdims=True)
    usual = np.clip(X, *ends)  # an outlier would make all other examples look alike
    mean, std = usual.mean(axis=1, keepdims=True), usual.std(axis=1, keepdims=True)
    X, X_test = ((part - mean) / np.where(std > 0, std, 1) for part in (X, X_test))
    found = [baseline, _scored("a linear model", output, _ridge(X, Y, X_test), Y, Y_test)]
    found += _neighbours(output, X, Y, X_test, Y_test)
    return Attainable(max(found, key=lambda reference: reference.train), baseline, X.shape[-1])


def _baseline(output: Output, data: Dataset) -> Reference:
    """Returns the scores of the best single answer of the training part."""
    means = data.Y_train.mean(axis=1, keepdims=True)
    if output.classifies and len(means) > 1:
        means = (means == means.max()).astype(float)
    said = [np.broadcast_to(means, Y.shape) for Y in (data.Y_train, data.Y_test)]
    by = "the larger class" if output.classifies else "the mean"
    return _scored(by, output, (said[0], said[1]), data.Y_train, data.Y_test)


def _scored(by: str, output: Output, answers: tuple[Array, Array], Y: Array, Y_test: Array) -> Reference:
    scores = (float(output.score(said, y)) for said, y in zip(answers, (Y, Y_test), strict=True))
    return Reference(by, *scores)


def _ridge(X: Array, Y: Array, X_test: Array) -> tuple[Array, Array]:
    """Returns the answers of least squares for each training example, left out in turn, and the test's."""
    A, B = (np.vstack([part, np.ones(part.shape[-1])]) for part in (X, X_test))
    inverse = np.linalg.inv(A @ A.T + RIDGE * A.shape[-1] * np.eye(len(A)))
    W = Y @ A.T @ inverse
    leverage = np.sum(A * (inverse @ A), axis=0)
    left_out = Y - (Y - W @ A) / np.maximum(1 - leverage, SMALLEST)
    return left_out, W @ B


def _neighbours(output: Output, X: Array, Y: Array, X_test: Array, Y_test: Array) -> list[Reference]:
    """Returns the scores of votes of few and of many neighbours."""
    near, near_test = _nearest(X, X, itself=True), _nearest(X, X_test, itself=False)
    references = []
    for k in NEIGHBOURS:
        if k < X.shape[-1]:
            means = (np.mean(Y[:, near[:, :k]], axis=-1), np.mean(Y[:, near_test[:, :k]], axis=-1))
            by = "a vote of the nearest neighbour" if k == 1 else f"a vote of the {k} nearest neighbours"
            references.append(_scored(by, output, means, Y, Y_test))
    return references


def _nearest(X: Array, points: Array, itself: bool) -> NDArray[np.intp]:
    """Returns the nearest examples of X (n, m) for each of the points (n, k), the nearest first."""
    count = min(NEIGHBOURS[-1] + itself, X.shape[-1])
    if len(X) <= FLAT and X.shape[-1] * points.shape[-1] > MANY:
        from scipy.spatial import KDTree

        found: NDArray[np.intp] = KDTree(X.T).query(points.T, k=range(1, count + 1))[1]
    else:
        squares = np.sum(X * X, axis=0) - 2 * points.T @ X
        some = np.argpartition(squares, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(squares, some, axis=1), axis=1)
        found = np.take_along_axis(some, order, axis=1)
    return found[:, 1:] if itself else found


@lru_cache(maxsize=64)
def input_scale(data: Dataset) -> float:
    """Returns the root mean square of the largest feature."""
    return float(np.sqrt(np.mean(np.square(data.X_train), axis=-1).max()))


@lru_cache(maxsize=64)
def outlying(data: Dataset) -> float:
    """Returns the largest share of the variance of a feature, or of a regression's target, that one training
    example makes alone. Features of which fewer than one example in ten differs from the rest, such as rare
    categories, are left out.
    """
    rows = data.X_train if data.task != "regression" else np.vstack([data.X_train, data.Y_train])
    squares = np.square(rows - np.median(rows, axis=1, keepdims=True))
    varied = np.mean(squares > 0, axis=1) > 0.1
    totals = squares.sum(axis=1)
    return float(np.max((squares.max(axis=1) / np.where(totals > 0, totals, 1))[varied], initial=0.0))
