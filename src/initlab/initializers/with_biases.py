"""Starts that bring biases of their own: they return [W | b], (fan_out, fan_in + 1).

The biases have a derived stream, so that the weights are made of the same normals as every other start's.
"""

import math

import numpy as np

from initlab.config.rules import NonNegative
from initlab.initializers.distributions import standard_normal, standard_uniform
from initlab.initializers.starting import Shape
from initlab.streams import derived_stream
from initlab.types import Array


def pytorch_default(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns weights and biases of U(±1 / √fan_in), as PyTorch's ``nn.Linear`` starts.

    Its weights' variance, 1 / (3 fan_in), is that of the 'standard' start of Glorot & Bengio 2010, eq. 1.
    """
    fan_out, fan_in = shape
    of_biases = derived_stream(rng)
    shares = np.hstack([standard_uniform(rng, shape), standard_uniform(of_biases, (fan_out, 1))])
    return (2 * shares - 1) / math.sqrt(fan_in)


def mean_field(
    rng: np.random.RandomState, shape: Shape, *, sigma_w: NonNegative, sigma_b: NonNegative
) -> Array:
    """Returns W ~ N(0, sigma_w² / fan_in) and b ~ N(0, sigma_b²), the two axes of mean-field theory.

    Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232: a signal reaches any depth
    where χ1 = σw² E[φ'(√q z)²] is 1, for ReLU at (√2, 0), for tanh at (1, 0) or (1.327, √0.05).
    """
    fan_out, fan_in = shape
    of_biases = derived_stream(rng)
    W = standard_normal(rng, shape) * (sigma_w / math.sqrt(fan_in))
    return np.hstack([W, standard_normal(of_biases, (fan_out, 1)) * sigma_b])
