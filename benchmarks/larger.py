"""How long one iteration takes on larger networks, where matrix products decide, beside other libraries.

Every contender trains one run by mini-batches of 128 with the cost at every iteration, float64, one
thread, in one process; they take turns, and what counts is the median over the rounds of each one's time
relative to Initlab's in the same round.
"""

import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from initlab.datasets import digits
from initlab.initializers import he, initial_parameters
from initlab.networks.network import Network, mlp, named_parameters
from initlab.optimizers.rules import gd
from initlab.training.loop import fit, minibatches
from initlab.training.standing import at_start
from initlab.types import Array

BATCH, BATCHES = 128, 10
RATE = 0.01


class Problem(NamedTuple):
    """A network, its examples X (n_x, m) and one-hot labels Y (10, m), epochs in a round, and rounds."""

    name: str
    network: Network
    X: Array
    Y: Array
    epochs: int
    rounds: int

    @property
    def iterations(self) -> int:
        """How many iterations a contender trains in a round."""
        return BATCHES * self.epochs


def problems() -> list[Problem]:
    """Returns scikit-learn's digits and random images of MNIST's size."""
    data, rng, m = digits(test_share=0.25, seed=1), np.random.RandomState(1), BATCH * BATCHES
    small = replace(mlp(64, 10, hidden=[128, 64], activation="relu"), output_name="softmax")
    large = replace(mlp(784, 10, hidden=[1024, 1024], activation="relu"), output_name="softmax")
    images, labels = rng.standard_normal((784, m)), np.eye(10)[:, rng.randint(10, size=m)]
    return [
        Problem("digits, 64-128-64-10", small, data.X_train[:, :m], data.Y_train[:, :m], 20, 11),
        Problem("784-1024-1024-10", large, images, labels, 3, 7),
    ]


def initlab(problem: Problem) -> None:
    """Trains one run."""
    start = initial_parameters(he, problem.network, 0)[np.newaxis]
    update = partial(gd, learning_rate=RATE)
    batches, n = minibatches([0], problem.X.shape[1], BATCH), problem.iterations
    data = (problem.X, problem.Y)
    for record in fit(problem.network, at_start(start), data, update, iterations=n, batches=batches):
        assert len(record.cost) == 1


def scikit_learn(problem: Problem) -> None:
    """Trains one MLPClassifier."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        problem.network.sizes[1:-1],
        solver="sgd",
        batch_size=BATCH,
        learning_rate_init=RATE,
        momentum=0,
        alpha=0,
        max_iter=problem.epochs,
        tol=0,
        n_iter_no_change=problem.epochs + 1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged is not the question
        model.fit(problem.X.T, problem.Y.argmax(axis=0))


def torch_eager(problem: Problem) -> None:
    """Trains one run by PyTorch, operation by operation."""
    import torch

    torch.set_num_threads(1)
    named = named_parameters(problem.network, initial_parameters(he, problem.network, 0))
    parameters = [torch.tensor(v[:, 0] if v.shape[1] == 1 else v, requires_grad=True) for v in named.values()]
    X, labels = torch.tensor(problem.X.T.copy()), torch.tensor(problem.Y.argmax(axis=0))
    optimizer, linear = torch.optim.SGD(parameters, lr=RATE), torch.nn.functional.linear
    for _ in range(problem.epochs):
        for chosen in torch.randperm(len(X)).split(BATCH):
            a: Any = X[chosen]
            for W, b in zip(parameters[0:4:2], parameters[1:4:2], strict=True):
                a = torch.relu(linear(a, W, b))
            cost = torch.nn.functional.cross_entropy(linear(a, *parameters[4:]), labels[chosen])
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
            cost.item()


def contenders() -> dict[str, Callable[[Problem], None]]:
    """Returns who is compared; PyTorch only where it is installed."""
    found: dict[str, Callable[[Problem], None]] = {
        "Initlab": initlab,
        "scikit-learn MLPClassifier": scikit_learn,
    }
    if find_spec("torch"):
        found["PyTorch, eager"] = torch_eager
    return found


def _seconds(train: Callable[[Problem], None], problem: Problem) -> float:
    started = time.perf_counter()
    train(problem)
    return time.perf_counter() - started


def measure() -> list[tuple[str, str, str]]:
    """Returns a row for each network and contender: name, ms for one iteration, relative to Initlab."""
    rows = []
    compared = contenders()
    for problem in problems():
        with threadpool_limits(1):
            for train in compared.values():
                train(problem)  # imports, and the first touch of memory
            trained = compared.values()
            rounds = [[_seconds(train, problem) for train in trained] for _ in range(problem.rounds)]
        for index, name in enumerate(compared):
            relative = median(times[index] / times[0] for times in rounds)
            absolute = median(times[index] for times in rounds) / problem.iterations * 1e3
            rows.append((f"{problem.name}: {name}", f"{absolute:.2f}", f"{relative:.2f}"))
    return rows
