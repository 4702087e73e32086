"""When does a student generalize that has long fitted what its teacher said?"""

from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from initlab.initializers import initial_parameters, pytorch_default
from initlab.networks.network import Network
from initlab.networks.tape import predict
from initlab.optimizers import adamw
from initlab.plots import draw_key, draw_line, panels
from initlab.plots.style import CLASS_COLORS
from initlab.shelf.estimate import Estimate, median
from initlab.shelf.replication import Sweeping
from initlab.training.loop import fit
from initlab.training.standing import at_start
from initlab.types import Array

NETWORK = Network((5, 100, 100, 5), "tanh", "linear")
EXAMPLES = 100
RIGHT = 1e-3  # an example's mean squared error below which it is right
RULE = partial(adamw, learning_rate=3e-4, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.05)


def measure(
    sweep: Sweeping, *, seeds: int, iterations: int, usual: int, every: int
) -> tuple[dict[str, Estimate], Any]:
    """Returns how long training and generalization take at both scales, and all courses."""
    large, norms = courses(2.0, seeds, iterations, every)
    small, _ = courses(1.0, seeds, usual, every)
    ours = {
        "fitted": median(first_above(large[..., 0], 0.99, every)),
        "delay": median(delays(large, every)),
        "no_delay": median(delays(small, every)),
        "norm": median(norms),
    }
    return ours, (large, small, every)


def courses(alpha: float, seeds: int, iterations: int, every: int) -> tuple[Array, Array]:
    """Returns the shares of training and test examples that are right (k, seeds, 2) after every so many
    steps, and the squared norms at the end over those at the start (seeds,).
    """
    teachers = np.stack([initial_parameters(pytorch_default, NETWORK, seed) for seed in range(seeds)])
    students = np.stack([initial_parameters(pytorch_default, NETWORK, 1000 + seed) for seed in range(seeds)])
    X = np.stack(
        [np.random.RandomState([seed, 9]).standard_normal((5, 2 * EXAMPLES)) for seed in range(seeds)]
    )
    Y = predict(NETWORK, teachers, X)
    standing = at_start(alpha * students)
    first = np.sum(standing.parameters**2, axis=-1)
    found = []
    data = X[..., :EXAMPLES], Y[..., :EXAMPLES]
    with threadpool_limits(1):
        for record in fit(NETWORK, standing, data, RULE, iterations=iterations):
            if record.iteration % every == 0:
                found.append(right(record.parameters, X, Y))
    return np.array(found), np.sum(standing.parameters**2, axis=-1) / first


def right(parameters: Array, X: Array, Y: Array) -> Array:
    """Returns the shares of training and test examples that are right, (seeds, 2)."""
    errors = np.mean(np.square(predict(NETWORK, parameters, X) - Y), axis=-2) < RIGHT
    return np.stack([errors[..., :EXAMPLES].mean(axis=-1), errors[..., EXAMPLES:].mean(axis=-1)], axis=-1)


def first_above(shares: Array, level: float, every: int) -> Array:
    """Returns after how many steps shares (k, seeds) first reach a level; all of them where they do not."""
    reached = shares >= level
    return np.where(reached.any(axis=0), np.argmax(reached, axis=0), len(shares)) * float(every)


def delays(shares: Array, every: int) -> Array:
    """Returns the steps until half of the test examples are right over those of the training, (seeds,)."""
    train, test = (first_above(shares[..., part], 0.5, every) for part in (0, 1))
    return np.asarray(test / np.maximum(train, every))


def figure(data: Any) -> Figure:
    """Returns the shares of right examples over the steps, at both scales."""
    large, small, every = data
    names = ["Twice the usual start", "The usual start"]
    subtitle = "share of examples that are right; median and range of seeds"
    figure, axes = panels("Grokking of a student and its teacher", subtitle, names, width=370)
    for one, shares in zip(axes, (large, small), strict=True):
        steps = every * np.arange(len(shares)) + 1
        for part, name, color in ((0, "train", CLASS_COLORS[0]), (1, "test", CLASS_COLORS[1])):
            values = shares[..., part]
            band = values.min(axis=1), values.max(axis=1)
            draw_line(one, steps, np.median(values, axis=1), color, name, band=band)
        one.set(xscale="log", xlabel="step", ylim=(-0.02, 1.02), xlim=(every, steps[-1]))
        draw_key(one, loc="upper left")
    return figure
