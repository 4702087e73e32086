"""How weights may start. Each function returns one layer's weights, drawn from the run's own stream.

| function       | law of a weight            | source                              |
|----------------|----------------------------|-------------------------------------|
| `zeros`        | 0                          | the start that breaks no symmetry   |
| `constant`     | c                          | the same, moving                    |
| `random`       | N(0, scale²)               | the course lesson, scale 10         |
| `small_random` | N(0, scale²), scale 0.01   | the course lesson                   |
| `xavier`       | N(0, 1 / fan_in)           | Glorot & Bengio 2010 (see `xavier`) |
| `he`           | N(0, 2 / fan_in)           | He et al. 2015                      |

All take ``(rng, shape, *, hyper-parameters)`` with shape (fan_out, fan_in) and return float64. Those that
draw multiply the same standard normals, so one seed gives every start the same underlying numbers.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from initlab.activations import Array
from initlab.checks import NonNegative, Number
from initlab.network import flatten

Shape = tuple[int, int]
Initializer = Callable[[np.random.RandomState, Shape], Array]


def initial_parameters(init: Initializer, shapes: Sequence[Shape], seed: int) -> Array:
    """Returns one run's flat parameters (P,): weights drawn layer after layer from one stream, biases 0.

    The stream is NumPy's legacy RandomState, which is frozen for good.
    """
    rng = np.random.RandomState(seed)
    weights = [init(rng, shape) for shape in shapes]
    return flatten(weights, [np.zeros((fan_out, 1)) for fan_out, _ in shapes])


def zeros(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W = 0: with ReLU no weight ever moves, with other activations all units stay equal."""
    return np.zeros(shape)


def constant(rng: np.random.RandomState, shape: Shape, *, value: Number) -> Array:
    """Returns W = value: weights may move, but all units of a layer stay identical."""
    return np.full(shape, float(value))


def random(rng: np.random.RandomState, shape: Shape, *, scale: NonNegative) -> Array:
    """Returns W ~ N(0, scale²), whatever the layer's width."""
    weights: Array = rng.standard_normal(shape) * scale
    return weights


def small_random(rng: np.random.RandomState, shape: Shape, *, scale: NonNegative) -> Array:
    """Returns W ~ N(0, scale²) with a scale so small that the signal fades from layer to layer."""
    return random(rng, shape, scale=scale)


def xavier(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W ~ N(0, 1 / fan_in), which keeps the forward variance of a linear layer.

    The forward condition of Glorot & Bengio 2010, 'Understanding the difficulty of training deep
    feedforward neural networks', eq. 10; the course lesson calls this form 'Xavier'.
    """
    return random(rng, shape, scale=math.sqrt(1 / shape[1]))


def he(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W ~ N(0, 2 / fan_in), which keeps the second moment through ReLU layers.

    He et al. 2015, 'Delving deep into rectifiers', arXiv:1502.01852, eq. 10.
    """
    return random(rng, shape, scale=math.sqrt(2 / shape[1]))
