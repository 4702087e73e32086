"""How biases may start. Each function returns one layer's biases, drawn from a stream of their own.

| function   | law of a bias         | source                                        |
|------------|-----------------------|-----------------------------------------------|
| `own`      | what the start brings | 0 for most                                    |
| `zeros`    | 0                     |                                               |
| `constant` | c                     | 0.1 was once customary with ReLU              |
| `normal`   | N(0, std²)            | mean-field theory, Poole et al. 2016          |
| `uniform`  | U(±1 / √fan_in)       | the default of PyTorch's ``nn.Linear``        |

All take ``(rng, fan_in, own, *, hyper-parameters)``, own (fan_out, 1) being the biases that the weights'
start brings, and return float64 of own's shape.
"""

import math
from collections.abc import Callable

import numpy as np

from initlab.config.rules import NonNegative, Number
from initlab.types import Array

Bias = Callable[..., Array]


def own(rng: np.random.RandomState, fan_in: int, own: Array) -> Array:
    """Returns the biases that the weights' start brings: 0 for a start of weights only."""
    return own


def zeros(rng: np.random.RandomState, fan_in: int, own: Array) -> Array:
    """Returns b = 0, whatever the start brings."""
    return np.zeros(own.shape)


def constant(rng: np.random.RandomState, fan_in: int, own: Array, *, value: Number) -> Array:
    """Returns b = value; a positive one lets every ReLU unit begin alive."""
    return np.full(own.shape, float(value))


def normal(rng: np.random.RandomState, fan_in: int, own: Array, *, std: NonNegative) -> Array:
    """Returns b ~ N(0, std²), whatever the layer's width."""
    return rng.standard_normal(own.shape) * std


def uniform(rng: np.random.RandomState, fan_in: int, own: Array) -> Array:
    """Returns b ~ U(±1 / √fan_in), as PyTorch's ``nn.Linear`` starts."""
    limit = 1 / math.sqrt(fan_in)
    return rng.uniform(-limit, limit, own.shape)
