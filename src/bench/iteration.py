"""``make bench``: how long one iteration takes, beside plain NumPy and scikit-learn on the same work.

Every contender trains the published network on the published data, float64, one BLAS thread, in one
process; they take turns, and what counts is the median over the rounds of each one's time relative to
plain NumPy's in the same round, because machines differ and drift.
"""

import time
import warnings
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from initlab.activations import Array
from initlab.datasets import circles
from initlab.diagnostics import grad_norm
from initlab.initializers import he, initial_parameters
from initlab.loop import fit
from initlab.network import mlp, named_parameters
from initlab.optimizers import gd

ROUNDS = 15
ITERATIONS = 400
RATE = 0.01

data = circles(n_train=300, n_test=100, noise=0.05, seed=1)
network = mlp(2, hidden=[10, 5], activation="relu")


def initlab(runs: int) -> None:
    """Trains a stack of runs, measuring cost and gradient norms at every iteration."""
    start = np.stack([initial_parameters(he, network.shapes, seed) for seed in range(runs)])
    rates: Any = np.full((runs, 1), RATE)
    update = partial(gd, learning_rate=rates)
    X, Y = data.X_train, data.Y_train
    for record in fit(network, start, X, Y, update, iterations=ITERATIONS, diagnostics=(grad_norm,)):
        assert record.measures


def plain_numpy() -> None:
    """Trains one run as the lesson's notebook does: new arrays at every step; cost and gradient norms."""
    parameters = list(named_parameters(network, initial_parameters(he, network.shapes, 0)).values())
    for _ in range(ITERATIONS):
        parameters = _plain_step(parameters, data.X_train, data.Y_train)


def _plain_step(parameters: list[Array], X: Array, Y: Array) -> list[Array]:
    W1, b1, W2, b2, W3, b3 = parameters
    m = X.shape[1]
    z1 = W1 @ X + b1
    a1 = np.maximum(z1, 0)
    z2 = W2 @ a1 + b2
    a2 = np.maximum(z2, 0)
    z3 = W3 @ a2 + b3
    a3 = 1 / (1 + np.exp(-z3))
    np.mean(np.maximum(z3, 0) - z3 * Y + np.log1p(np.exp(-np.abs(z3))))
    d3 = (a3 - Y) / m
    d2 = (W3.T @ d3) * (a2 > 0)
    d1 = (W2.T @ d2) * (a1 > 0)
    gradients = []
    for d, a in ((d1, X), (d2, a1), (d3, a2)):
        gradients += [d @ a.T, d.sum(axis=1, keepdims=True)]
    for dW, db in zip(gradients[::2], gradients[1::2], strict=True):
        np.sqrt(np.sum(dW**2) + np.sum(db**2))
    return [value - RATE * gradient for value, gradient in zip(parameters, gradients, strict=True)]


def scikit_learn() -> None:
    """Trains one MLPClassifier by full-batch gradient descent; it measures the cost but no gradient norms."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        (10, 5),
        solver="sgd",
        batch_size=data.X_train.shape[1],
        learning_rate_init=RATE,
        momentum=0,
        alpha=0,
        shuffle=False,
        max_iter=ITERATIONS,
        tol=0,
        n_iter_no_change=ITERATIONS + 1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged is not the question
        model.fit(data.X_train.T, data.Y_train[0])
    assert model.n_iter_ == ITERATIONS


def microseconds(train: Callable[[], None], runs: int) -> float:
    """Returns the time of one iteration of one run in µs."""
    started = time.perf_counter()
    train()
    return (time.perf_counter() - started) / ITERATIONS / runs * 1e6


def main() -> None:
    """Prints the table."""
    contenders: list[tuple[str, Callable[[], None], int]] = [
        ("plain NumPy, one run", plain_numpy, 1),
        ("scikit-learn MLPClassifier, one run", scikit_learn, 1),
        *((f"Initlab, stack of {runs}", partial(initlab, runs), runs) for runs in (1, 8, 32, 128)),
    ]
    with threadpool_limits(1):
        rounds = [[microseconds(train, runs) for _, train, runs in contenders] for _ in range(ROUNDS)]
    table = Table(title="One iteration of one run of [2, 10, 5, 1], 300 examples", box=None)
    for column in ("", "µs", "of plain NumPy"):
        table.add_column(column, justify="left" if not column else "right")
    for index, (name, _, _) in enumerate(contenders):
        relative = median(times[index] / times[0] for times in rounds)
        table.add_row(name, f"{median(times[index] for times in rounds):.1f}", f"{relative:.2f}")
    Console(width=90).print(table)


if __name__ == "__main__":
    main()
