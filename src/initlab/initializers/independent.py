"""Starts whose weights are independent of each other: of one law for every width, or of a variance that is a
constant divided by the layer's width, so that a signal keeps its size.

Normal, uniform and truncated draws are made from the same standard normals, so that starts share them. Three
starts bring biases of their own and return [W | b], (fan_out, fan_in + 1); the biases have a derived stream,
so that the weights are made of the same normals as every other start's.
"""

import math
from collections.abc import Callable
from typing import Annotated

import numpy as np

from initlab.config.rules import NonNegative, Number, Positive, one_of
from initlab.initializers.gains import Gain, factor
from initlab.initializers.starting import Shape
from initlab.streams import derived_stream
from initlab.types import Array

TRUNCATED_STD = 0.87962566103423978  # of a standard normal that is cut at ±2
RAI_STD = 0.6007  # times 1 / √fan_in: the paper's σ for Beta(2, 1)


def standard_uniform(rng: np.random.RandomState, shape: tuple[int, int]) -> Array:
    """Returns draws of U(0, 1): Φ(z) of normals z."""
    from scipy.special import ndtr

    shares: Array = ndtr(rng.standard_normal(shape))
    return shares


def standard_truncated(rng: np.random.RandomState, shape: tuple[int, int]) -> Array:
    """Returns draws of a standard normal that is cut at ±2, whose standard deviation is 0.8796."""
    from scipy.special import ndtr, ndtri

    below, above = ndtr(-2.0), ndtr(2.0)
    cut: Array = ndtri(below + (above - below) * standard_uniform(rng, shape))
    return cut


UNIT_VARIANCE: dict[str, Callable[[np.random.RandomState, Shape], Array]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: (2 * standard_uniform(rng, shape) - 1) * math.sqrt(3),
    "truncated_normal": lambda rng, shape: standard_truncated(rng, shape) / TRUNCATED_STD,
}

Mode = Annotated[str, one_of("fan_in", "fan_out", "fan_avg")]
Distribution = Annotated[str, one_of(*UNIT_VARIANCE)]


def zeros(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W = 0: with ReLU no weight ever moves, with other activations all units stay equal."""
    return np.zeros(shape)


def ones(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W = 1: weights may move, but all units of a layer stay identical."""
    return np.ones(shape)


def constant(rng: np.random.RandomState, shape: Shape, *, value: Number) -> Array:
    """Returns W = value: weights may move, but all units of a layer stay identical."""
    return np.full(shape, float(value))


def random(rng: np.random.RandomState, shape: Shape, *, scale: NonNegative) -> Array:
    """Returns W ~ N(0, scale²), whatever the layer's width."""
    return rng.standard_normal(shape) * scale


def small_random(rng: np.random.RandomState, shape: Shape, *, scale: NonNegative) -> Array:
    """Returns W ~ N(0, scale²) with a scale so small that the signal fades from layer to layer."""
    return random(rng, shape, scale=scale)


def normal(rng: np.random.RandomState, shape: Shape, *, std: NonNegative) -> Array:
    """Returns W ~ N(0, std²): the same law under its usual name; Keras takes 0.05."""
    return random(rng, shape, scale=std)


def uniform(rng: np.random.RandomState, shape: Shape, *, low: Number, high: Number) -> Array:
    """Returns W ~ U(low, high); Keras takes ±0.05."""
    if low > high:
        raise ValueError(f"low={low}: must be at most high, which is {high}")
    return low + (high - low) * standard_uniform(rng, shape)


def truncated_normal(rng: np.random.RandomState, shape: Shape, *, std: NonNegative) -> Array:
    """Returns W ~ N(0, std²) cut at ±2 std, as Keras draws it.

    The cut is not made up for: the weights' standard deviation is 0.8796 std. ``variance_scaling`` corrects.
    """
    return standard_truncated(rng, shape) * std


def variance_scaling(
    rng: np.random.RandomState, shape: Shape, *, scale: Positive, mode: Mode, distribution: Distribution
) -> Array:
    """Returns W of mean 0 and variance scale / n, n being fan_in, fan_out or fan_avg, the mean of both.

    A ``truncated_normal`` is cut at ±2 standard deviations and widened, so that the variance is right.
    """
    fan_out, fan_in = shape
    n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    return UNIT_VARIANCE[distribution](rng, shape) * math.sqrt(scale / n)


def xavier(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W ~ N(0, 1 / fan_in), which keeps the forward variance of a linear layer.

    The forward condition of Glorot & Bengio 2010, 'Understanding the difficulty of training deep
    feedforward neural networks', eq. 10; the course lesson calls this form 'Xavier'.
    """
    return variance_scaling(rng, shape, scale=1, mode="fan_in", distribution="normal")


def he(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W ~ N(0, 2 / fan_in), which keeps the second moment through ReLU layers.

    He et al. 2015, 'Delving deep into rectifiers', arXiv:1502.01852, eq. 10.
    """
    return variance_scaling(rng, shape, scale=2, mode="fan_in", distribution="normal")


def he_uniform(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W ~ U(±√(6 / fan_in)), of the variance of ``he``."""
    return variance_scaling(rng, shape, scale=2, mode="fan_in", distribution="uniform")


def he_truncated(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W of ``he``'s variance, normal and cut at ±2 std: Keras' ``HeNormal``."""
    return variance_scaling(rng, shape, scale=2, mode="fan_in", distribution="truncated_normal")


def kaiming(
    rng: np.random.RandomState, shape: Shape, *, mode: Mode, distribution: Distribution, gain: Gain
) -> Array:
    """Returns W of variance gain² / n: He's argument (2015) for any activation, by its gain.

    fan_in keeps the signal's second moment forward, fan_out the gradient's backward.
    """
    return variance_scaling(rng, shape, scale=factor(gain) ** 2, mode=mode, distribution=distribution)


def glorot_normal(rng: np.random.RandomState, shape: Shape, *, gain: Gain = 1.0) -> Array:
    """Returns W ~ N(0, 2 gain² / (fan_in + fan_out)), between the forward and the backward condition.

    Glorot & Bengio 2010, eq. 12; PyTorch's ``xavier_normal_``.
    """
    return kaiming(rng, shape, mode="fan_avg", distribution="normal", gain=gain)


def glorot_uniform(rng: np.random.RandomState, shape: Shape, *, gain: Gain = 1.0) -> Array:
    """Returns W ~ U(±gain √(6 / (fan_in + fan_out))), the 'normalized initialization'.

    Glorot & Bengio 2010, eq. 16; PyTorch's ``xavier_uniform_``, Keras' default.
    """
    return kaiming(rng, shape, mode="fan_avg", distribution="uniform", gain=gain)


def glorot_truncated(rng: np.random.RandomState, shape: Shape, *, gain: Gain = 1.0) -> Array:
    """Returns W of ``glorot_normal``'s variance, normal and cut at ±2 std: Keras' ``GlorotNormal``."""
    return kaiming(rng, shape, mode="fan_avg", distribution="truncated_normal", gain=gain)


def lecun_normal(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W ~ N(0, 1 / fan_in), which selu is made for (Klambauer et al. 2017, arXiv:1706.02515).

    LeCun et al. 1998, 'Efficient BackProp', eq. 16; the same law as ``xavier``.
    """
    return variance_scaling(rng, shape, scale=1, mode="fan_in", distribution="normal")


def lecun_uniform(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W ~ U(±√(3 / fan_in)), of the variance of ``lecun_normal``."""
    return variance_scaling(rng, shape, scale=1, mode="fan_in", distribution="uniform")


def lecun_truncated(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W of ``lecun_normal``'s variance, normal and cut at ±2 std: Keras' ``LecunNormal``."""
    return variance_scaling(rng, shape, scale=1, mode="fan_in", distribution="truncated_normal")


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
    W = rng.standard_normal(shape) * (sigma_w / math.sqrt(fan_in))
    return np.hstack([W, of_biases.standard_normal((fan_out, 1)) * sigma_b])


def rai(rng: np.random.RandomState, shape: Shape) -> Array:
    """Returns W and b ~ N(0, .6007² / fan_in), of which in every unit one, drawn evenly from its weights and
    its bias, is a draw of Beta(2, 1) instead: on (0, 1), so that fewer ReLUs are born dead.

    Randomized asymmetric initialization, Lu, Shin, Su & Karniadakis 2019, 'Dying ReLU and initialization:
    theory and numerical examples', arXiv:1903.06733, section 4.
    """
    fan_out, fan_in = shape
    beside = derived_stream(rng)
    block = np.hstack([rng.standard_normal(shape), beside.standard_normal((fan_out, 1))])
    block *= RAI_STD / math.sqrt(fan_in)
    block[np.arange(fan_out), beside.randint(0, fan_in + 1, fan_out)] = beside.beta(2, 1, fan_out)
    return block
