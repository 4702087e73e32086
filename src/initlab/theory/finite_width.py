"""The law of networks of finite width: how far one draw strays from mean-field theory.

Given the layer below, the pre-activations that independent Gaussian weights make are independent Gaussians,
and of two inputs their three second moments are all that a layer has to know of those below. So the signals
of networks with n² weights a layer follow exactly the law of a chain that draws n pairs of numbers a layer
(compare Hanin & Rolnick 2018, 'How to start training', arXiv:1803.01719; Roberts, Yaida & Hanin 2022, 'The
principles of deep learning theory', chapter 4). No width is taken for large, and no law for log-normal.

A gradient meets the slopes at the same pre-activations. Of Wᵀ the one thing known on its way down is what W
made of the activations, z = W a; at right angles to them it is as if W were drawn anew.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from initlab.activations import Activation
from initlab.streams import CHAIN, stream
from initlab.theory.gaussian import Values, derivative, value
from initlab.types import Array

EDGES = 0.05, 0.5, 0.95  # nine of ten draws are between the outer two
MOST_DRAWS, FEWEST_DRAWS = 2000, 400
NUMBERS = 30_000_000  # that are drawn at most while there are more than FEWEST_DRAWS
AT_ONCE = 2**21  # units of all layers of as many draws as are in memory together


class LayerLaw(NamedTuple):
    """The law of a layer's weights, of variance σw² / fan_in, and of its biases, N(0, σb²). ``orthogonal``
    ones are a rotation at random, times a factor; the others are independent.
    """

    fan_in: int
    width: int
    sigma_w2: float
    sigma_b2: float
    orthogonal: bool = False


class Chain(NamedTuple):
    """What D draws of the chain do at L layers, each (D, L), as ``Measured`` has it of networks: the mean
    square of one input, its correlation with another, and the mean square of a gradient of 1 at the top.
    """

    mean_squares: Array
    correlations: Array
    gradients: Array


def draw_chain(
    activation: Activation, layers: Sequence[LayerLaw], mean_square: float, correlation: float
) -> Chain:
    """Returns draws for two inputs of this mean square and correlation. They are the same in every call."""
    rng, units = stream(0, CHAIN), sum(layer.width for layer in layers)
    count = max(FEWEST_DRAWS, min(MOST_DRAWS, NUMBERS // (3 * units)))
    at_once = max(1, AT_ONCE // units)
    with np.errstate(all="ignore"):  # what overflows is inf, what is forgotten NaN
        parts = [
            _draw(
                rng, activation, layers, np.full((min(at_once, count - start), 1), mean_square), correlation
            )
            for start in range(0, count, at_once)
        ]
    return Chain(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def quantiles(values: Array, shares: Sequence[float] = EDGES) -> list[Values]:
    """Returns quantiles (L,) of what was drawn (D, L); draws that are NaN do not count, and where all are
    the quantiles are.
    """
    counted = np.sum(~np.isnan(values), axis=0)
    ordered = np.sort(values, axis=0)  # NaN last
    found = []
    for share in shares:
        at = share * np.maximum(counted - 1, 0)
        below, above = (
            np.take_along_axis(ordered, edge.astype(int)[np.newaxis], axis=0)[0]
            for edge in (np.floor(at), np.ceil(at))
        )
        with np.errstate(invalid="ignore"):
            between = below + (at % 1) * (above - below)
        # Between two infinities, and an infinity and a number, the upper one stands.
        found.append(np.where(np.isfinite(between), between, above))
    return found


class _Passed(NamedTuple):
    """What a layer leaves for the way down, each (D, n): what its weights made of the first input (before the
    biases), the activations and their slopes.
    """

    weighed: Values
    a: Values
    slope: Values


def _draw(
    rng: np.random.RandomState,
    activation: Activation,
    layers: Sequence[LayerLaw],
    square: Values,
    correlation: float,
) -> tuple[Array, Array, Array]:
    moments = square, correlation * square, square
    squares, correlations, passed = [], [], []
    for layer in layers:
        weighed = _weighed(rng, layer, *moments)
        biases = np.sqrt(layer.sigma_b2) * rng.standard_normal(weighed[0].shape) if layer.sigma_b2 else 0.0
        z1, z2 = (one + biases for one in weighed)
        a1, a2 = value(activation, z1), value(activation, z2)
        moments = _mean(a1, a1), _mean(a1, a2), _mean(a2, a2)
        squares.append(_mean(z1, z1))
        correlations.append(_mean(z1, z2) / (np.sqrt(squares[-1]) * np.sqrt(_mean(z2, z2))))
        passed.append(_Passed(weighed[0], a1, derivative(activation, z1)))
    found = np.concatenate(squares, axis=1)
    # What is inf − inf has overflowed.
    return (
        np.where(np.isnan(found), np.inf, found),
        np.concatenate(correlations, axis=1),
        _down(rng, layers, passed),
    )


def _weighed(
    rng: np.random.RandomState, layer: LayerLaw, first: Values, product: Values, second: Values
) -> tuple[Values, Values]:
    """Returns W a of both inputs, each (D, n), from the second moments (D, 1) of their a."""
    g = rng.standard_normal(
        (2, len(first), max(layer.fan_in, layer.width) if layer.orthogonal else layer.width)
    )
    if layer.orthogonal:  # two columns of a rotation
        g[0] /= np.sqrt(_mean(g[0], g[0]))
        g[1] -= g[0] * _mean(g[0], g[1])
        g[1] /= np.sqrt(_mean(g[1], g[1]))
        g = g[..., : layer.width]
    deviation = np.sqrt(layer.sigma_w2 * first)
    along = np.where(first > 0, layer.sigma_w2 * product / deviation, 0.0)
    beside = np.sqrt(np.maximum(layer.sigma_w2 * second - along**2, 0))
    return deviation * g[0], along * g[0] + beside * g[1]


def _down(rng: np.random.RandomState, layers: Sequence[LayerLaw], passed: Sequence[_Passed]) -> Array:
    """Returns the mean squares (D, L) of a gradient by the pre-activations, 1 at the top."""
    delta = rng.standard_normal(passed[-1].a.shape)
    delta /= np.sqrt(_mean(delta, delta))
    gradients = [_mean(delta, delta)]
    for layer, above, below in zip(layers[:0:-1], passed[:0:-1], passed[-2::-1], strict=True):
        delta = below.slope * _through(rng, layer, delta, above.weighed, below.a)
        gradients.append(_mean(delta, delta))
    return np.concatenate(gradients[::-1], axis=1)


def _through(
    rng: np.random.RandomState, layer: LayerLaw, delta: Values, weighed: Values, a: Values
) -> Values:
    """Returns Wᵀ δ (D, n_in) for δ (D, n_out), given W a."""
    n_in, n_out = layer.fan_in, layer.width
    squares = n_in * _mean(a, a)
    known = np.where(squares > 0, a / squares, 0.0)
    along = n_out * _mean(weighed, delta) * known
    g = rng.standard_normal(a.shape)
    g -= n_in * _mean(g, a) * known
    left = n_out * _mean(delta, delta)
    if not layer.orthogonal:
        return np.asarray(along + np.sqrt(layer.sigma_w2 / n_in * left) * g)
    left = left - n_out * np.where(squares > 0, _mean(weighed, delta) ** 2 / _mean(weighed, weighed), 0.0)
    unseen = rng.standard_normal((len(a), n_out - n_in)) if n_out > n_in else np.zeros((len(a), 1))
    lengths = n_in * _mean(g, g) + np.sum(unseen**2, axis=1, keepdims=True)
    return np.asarray(along + np.sqrt(layer.sigma_w2 * max(1.0, n_out / n_in) * left / lengths) * g)


def _mean(first: Values, second: Values) -> Values:
    """Returns the mean products (D, 1) of two arrays (D, n)."""
    return np.asarray(np.einsum("ij,ij->i", first, second)[:, np.newaxis] / first.shape[1])
