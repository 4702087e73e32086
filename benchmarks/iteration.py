"""How long one iteration of one run takes, beside what else could train the same small network.

Every contender trains the published network on the published data, float64, one thread, in one process;
they take turns, and what counts is the median over the rounds of each one's time relative to plain
NumPy's in the same round, because machines differ and drift. All measure the cost at every iteration,
and all but scikit-learn the gradient norm of every layer.
"""

import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from initlab.datasets import circles
from initlab.diagnostics import grad_norm
from initlab.initializers import he, initial_parameters
from initlab.networks.network import mlp, named_parameters
from initlab.optimizers.rules import gd
from initlab.training.loop import fit
from initlab.training.standing import at_start

from .plain import plain_step

ROUNDS = 15
ITERATIONS = 400
RATE = 0.01

data = circles(n_train=300, n_test=100, noise=0.05, seed=1)
network = mlp(2, hidden=[10, 5], activation="relu")


class Contender(NamedTuple):
    """A way to train: its name, a function that trains ITERATIONS iterations, and of how many runs."""

    name: str
    train: Callable[[], object]
    runs: int


def initlab(runs: int) -> None:
    """Trains a stack of runs."""
    start = np.stack([initial_parameters(he, network, seed) for seed in range(runs)])
    rates: Any = np.full((runs, 1), RATE)
    update, examples = partial(gd, learning_rate=rates), (data.X_train, data.Y_train)
    every = range(ITERATIONS)
    for record in fit(network, at_start(start), examples, update, iterations=ITERATIONS, steps_at=every):
        assert record.step is not None
        grad_norm(record.step)


def plain_numpy() -> None:
    """Trains one run as the lesson's notebook does."""
    parameters = list(named_parameters(network, initial_parameters(he, network, 0)).values())
    for _ in range(ITERATIONS):
        parameters, _, _ = plain_step(parameters, data.X_train, data.Y_train, RATE)


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


def torch_eager() -> None:
    """Trains one run by PyTorch, operation by operation."""
    import torch

    torch.set_num_threads(1)
    named = named_parameters(network, initial_parameters(he, network, 0))
    parameters = [torch.tensor(value, requires_grad=True) for value in named.values()]
    X, Y = torch.tensor(data.X_train), torch.tensor(data.Y_train)
    optimizer = torch.optim.SGD(parameters, lr=RATE)
    for _ in range(ITERATIONS):
        a = X
        for W, b in zip(parameters[0:4:2], parameters[1:4:2], strict=True):
            a = torch.relu(W @ a + b)
        z = parameters[4] @ a + parameters[5]
        cost = torch.nn.functional.binary_cross_entropy_with_logits(z, Y)
        optimizer.zero_grad()
        cost.backward()
        for W, b in zip(parameters[0::2], parameters[1::2], strict=True):
            torch.sqrt((W.grad**2).sum() + (b.grad**2).sum()).item()
        optimizer.step()
        cost.item()


def jax_scan(runs: int) -> Callable[[], object]:
    """Returns a training of a stack of runs compiled by JAX: jit, vmap over runs, scan over iterations."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    starts = [named_parameters(network, initial_parameters(he, network, s)) for s in range(runs)]
    stacked = [jnp.stack([start[name] for start in starts]) for name in starts[0]]
    X, Y = jnp.asarray(data.X_train), jnp.asarray(data.Y_train)

    def cost_of(parameters: list[Any]) -> Any:
        W1, b1, W2, b2, W3, b3 = parameters
        z = W3 @ jax.nn.relu(W2 @ jax.nn.relu(W1 @ X + b1) + b2) + b3
        return jnp.mean(jnp.maximum(z, 0) - z * Y + jnp.log1p(jnp.exp(-jnp.abs(z))))

    def step(parameters: list[Any], _: Any) -> Any:
        cost, gradients = jax.value_and_grad(cost_of)(parameters)
        squares = [jnp.sum(gradient**2) for gradient in gradients]
        norms = jnp.sqrt(jnp.stack([w + b for w, b in zip(squares[::2], squares[1::2], strict=True)]))
        return [p - RATE * g for p, g in zip(parameters, gradients, strict=True)], (cost, norms)

    def train(parameters: list[Any]) -> Any:
        return jax.lax.scan(step, parameters, None, length=ITERATIONS)

    compiled = jax.jit(jax.vmap(train))
    jax.block_until_ready(compiled(stacked))
    return lambda: jax.block_until_ready(compiled(stacked))


def contenders() -> list[Contender]:
    """Returns what is compared; PyTorch and JAX only where they are installed."""
    found = [
        Contender("plain NumPy", plain_numpy, 1),
        Contender("scikit-learn MLPClassifier", scikit_learn, 1),
    ]
    if find_spec("torch"):
        found.append(Contender("PyTorch, eager", torch_eager, 1))
    if find_spec("jax"):
        found += [Contender(f"JAX jit + scan, vmap of {runs}", jax_scan(runs), runs) for runs in (1, 32)]
    found += [
        Contender(f"Initlab, stack of {runs}", partial(initlab, runs), runs) for runs in (1, 8, 32, 128)
    ]
    return found


def microseconds(contender: Contender) -> float:
    """Returns the time of one iteration of one run in µs."""
    started = time.perf_counter()
    contender.train()
    return (time.perf_counter() - started) / ITERATIONS / contender.runs * 1e6


def measure() -> list[tuple[str, str, str]]:
    """Returns a row for each contender: name, µs for one iteration of one run, relative to plain NumPy."""
    with threadpool_limits(1):
        compared = contenders()
        rounds = [[microseconds(contender) for contender in compared] for _ in range(ROUNDS)]
    rows = []
    for index, contender in enumerate(compared):
        relative = median(times[index] / times[0] for times in rounds)
        absolute = median(times[index] for times in rounds)
        rows.append((contender.name, f"{absolute:.1f}", f"{relative:.2f}"))
    return rows
