"""Sends a signal through many untrained networks at once, and predicts the same by mean-field theory.

The theory takes only the variance of each layer's weights and biases, so it can stand beside any start. It
assumes wide layers of independent weights of mean 0. For other starts it may be wrong (constant weights), or
right about means but not about their spread (orthogonal weights keep a mean square exactly, LSUV sets it).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from initlab.networks.network import Network
from initlab.theory.finite_width import band, forward_spread, gradient_spread
from initlab.theory.gaussian import Values
from initlab.theory.mean_field import covariance, first_moment, second_moment, slope
from initlab.types import Array


@dataclass(frozen=True)
class Measured:
    """What R networks of L hidden layers do to a signal; every array is (R, L).

    * ``mean_squares`` of the pre-activations of the first of two inputs; inf where they overflow
    * ``correlations`` z1·z2 / |z1||z2| of the two inputs' pre-activations; NaN where one of them is 0 or
      overflows
    * ``gradients``: the mean square of a gradient by the first input's pre-activations; NaN where these
      overflow and in every layer below, because nothing comes down through what is not a number
    * ``weight_means``, ``weight_squares``, ``bias_squares``: means over a layer's weights w, w² and biases b²
    """

    mean_squares: Array
    correlations: Array
    gradients: Array
    weight_means: Array
    weight_squares: Array
    bias_squares: Array

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Returns what was measured of several stacks as of one."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


@dataclass(frozen=True)
class Variances:
    """σw² and σb² of each hidden layer (L,), pooled over the seeds.

    ``centred``: whether the mean of the weights is near enough to 0 for the theory.
    """

    sigma_w2: Values
    sigma_b2: Values
    centred: bool


@dataclass(frozen=True)
class Predicted:
    """What the theory says of the same layers, each (L,): the mean in networks of infinite width and, with
    ``low`` and ``high``, where nine of ten draws of these widths are. NaN stands where there is no theory:
    for the bands of residual networks and, unless E φ = 0, for their gradients.
    """

    mean_squares: Values
    mean_squares_low: Values
    mean_squares_high: Values
    correlations: Values
    gradients: Values
    gradients_low: Values
    gradients_high: Values


def pairs_of_inputs(seeds: Sequence[int], size: int, mean_square: float, correlation: float) -> Values:
    """Returns two inputs a seed, (R, size, 2), in random directions, of exactly this mean square and
    correlation.
    """
    if size < 2 and abs(correlation) < 1:
        raise ValueError(f"size={size}: must be at least 2 for two inputs of correlation {correlation:g}")
    pairs = np.stack([np.random.RandomState([seed, 5]).standard_normal((size, 2)) for seed in seeds])
    first, second = pairs[..., :1], pairs[..., 1:]
    first = first / _norm(first)
    if size > 1:
        second = second - first * np.sum(first * second, axis=-2, keepdims=True)
        second = second / _norm(second)
    second = correlation * first + np.sqrt(1 - correlation**2) * second
    inputs: Values = np.sqrt(size * mean_square) * np.concatenate([first, second], axis=-1)
    return inputs


def gradients_from_above(seeds: Sequence[int], width: int) -> Values:
    """Returns a gradient a seed, (R, width, 1), in a random direction, of mean square 1."""
    above = np.stack([np.random.RandomState([seed, 6]).standard_normal((width, 1)) for seed in seeds])
    gradients: Values = above * (np.sqrt(width) / _norm(above))
    return gradients


def propagate(network: Network, flat: Array, X: Array, above: Array) -> Measured:
    """Returns what networks with parameters (R, P) do to pairs of inputs X (R, n_x, 2) on the way up and to
    gradients ``above`` (R, n_L, 1), by the top hidden layer's pre-activations, on the way down.
    """
    blocks = network.blocks(flat)[:-1]
    with np.errstate(all="ignore"):  # large weights may well overflow
        z = _pre_activations(network, blocks, X)
        delta = _gradients(network, blocks, z, above)
        products = [np.sum(one[..., :1] * one[..., 1:], axis=(-2, -1)) for one in z]
        norms = [_norm(one) for one in z]
        return Measured(
            mean_squares=_by_layer([_size(one[..., :1]) for one in z]),
            correlations=_by_layer(
                [p / (n[..., 0, 0] * n[..., 0, 1]) for p, n in zip(products, norms, strict=True)]
            ),
            gradients=_by_layer([np.mean(one**2, axis=(-2, -1)) for one in delta]),
            weight_means=_by_layer([np.mean(block[..., :-1], axis=(-2, -1)) for block in blocks]),
            weight_squares=_by_layer([np.mean(block[..., :-1] ** 2, axis=(-2, -1)) for block in blocks]),
            bias_squares=_by_layer([np.mean(block[..., -1:] ** 2, axis=(-2, -1)) for block in blocks]),
        )


def variances(network: Network, measured: Measured) -> Variances:
    """Returns σw² = fan_in Var[w] and σb² = E[b²] of each hidden layer, as the networks really have them."""
    fan_in, width = np.array(network.sizes[:-2]), np.array(network.sizes[1:-1])
    mean = measured.weight_means.mean(axis=0)
    variance = np.maximum(measured.weight_squares.mean(axis=0) - mean**2, 0)
    # Five standard errors are no evidence of a mean; a twentieth of the deviation is too little to matter.
    allowed = (0.05 + 5 / np.sqrt(len(measured.weight_means) * fan_in * width)) * np.sqrt(variance)
    return Variances(
        fan_in * variance, measured.bias_squares.mean(axis=0), bool(np.all(np.abs(mean) <= allowed))
    )


def predict(network: Network, given: Variances, mean_square: float, correlation: float) -> Predicted:
    """Returns what the theory says of two inputs of this mean square and correlation, and of a gradient of
    mean square 1 that comes from above.

    In a residual network the activations add up along the layers: z of a layer is independent of what it is
    added to, so that E(φ + a)² = E φ² + 2 E φ E a + E a².
    """
    with np.errstate(all="ignore"):
        q, c = _predicted_signals(network, given, mean_square, correlation)
        delta, delta_variance = _predicted_gradients(network, given, q)
        variance = _relative_variances(network, given, q)
        if any(network.skips):
            variance, delta_variance = np.full((2, len(q)), np.nan)
            # A mean that adds up along the layers aligns the gradients, and they grow faster than any
            # theory of independent terms says.
            delta = delta if abs(first_moment(network.activation, 1.0)) < 1e-9 else np.full(len(q), np.nan)
        return Predicted(q, *band(q, variance), c, delta, *band(delta, delta_variance))


def _pre_activations(network: Network, blocks: Sequence[Array], X: Array) -> list[Array]:
    z: list[Array] = []
    a = X
    for block, skip in zip(blocks, network.skips, strict=True):
        z.append(block[..., :-1] @ a + block[..., -1:])
        a = _applied(network, z[-1]) + (a if skip else 0)
    return z


def _gradients(network: Network, blocks: Sequence[Array], z: Sequence[Array], above: Array) -> list[Array]:
    """Returns the gradients (R, n_l, 1) by the first input's pre-activations, from the first layer up."""
    delta: list[Array] = [_through_finite(above, z[-1])]
    carried: Array | float = 0.0  # the gradient by the activations of the layer above: a skip hands it down
    for number in range(len(blocks) - 1, 0, -1):
        by_activations = blocks[number][..., :-1].mT @ delta[0] + (carried if network.skips[number] else 0)
        by_z = _slopes(network, z[number - 1][..., :1]) * by_activations
        delta.insert(0, _through_finite(by_z, z[number - 1]))
        carried = by_activations
    return delta


def _through_finite(delta: Array, z: Array) -> Array:
    """Returns the gradients of the runs whose first input has finite pre-activations, NaN for the others."""
    # Else the slope of what has overflowed, such as relu's at NaN, would pass for a gradient of 0.
    finite = np.isfinite(z[..., :1]).all(axis=(-2, -1), keepdims=True)
    return np.where(finite, delta, np.nan)


def _size(z: Array) -> Array:
    """Returns the mean square of each run's z. NaN, which is inf − inf in the layer below, counts as inf."""
    squares = np.mean(z**2, axis=(-2, -1))
    return np.where(np.isnan(squares), np.inf, squares)


def _applied(network: Network, z: Array) -> Array:
    out = np.empty_like(z)
    network.activation.value(z, out)
    return out


def _slopes(network: Network, z: Array) -> Array:
    z, out = np.ascontiguousarray(z), np.empty(z.shape, z.dtype)
    network.activation.derivative(z, _applied(network, z), out)
    return out


def _norm(vectors: Array) -> Array:
    """Returns the lengths of the columns, kept as a row."""
    lengths: Array = np.sqrt(np.sum(vectors**2, axis=-2, keepdims=True))
    return lengths


def _by_layer(values: Sequence[Array]) -> Array:
    return np.stack(values, axis=1)


def _predicted_signals(
    network: Network, given: Variances, mean_square: float, correlation: float
) -> tuple[Values, Values]:
    """Returns mean squares and correlations (L,) of the pre-activations."""
    activation = network.activation
    square, product, mean = mean_square, correlation * mean_square, 0.0  # E a1², E a1 a2 and E a1
    signals = []
    for w2, b2, skip in zip(given.sigma_w2, given.sigma_b2, network.skips, strict=True):
        q = w2 * square + b2
        c = (w2 * product + b2) / q if q > 0 else np.nan
        signals.append((q, c))
        added = first_moment(activation, q)
        crossed = 2 * added * mean
        kept = (square + crossed, product + crossed, mean) if skip else (0.0, 0.0, 0.0)
        square = kept[0] + second_moment(activation, q)
        product = kept[1] + covariance(activation, q, c)
        mean = kept[2] + added
    mean_squares, correlations = np.array(signals).T
    return mean_squares, correlations


def _predicted_gradients(network: Network, given: Variances, q: Values) -> tuple[Values, Values]:
    """Returns the mean squares of the gradients by the pre-activations and their relative variances (L,)."""
    activation, widths = network.activation, network.sizes[1:-1]
    by_z, by_activations, variance = 1.0, 0.0, 0.0
    gradients = [(by_z, variance)]
    for number in range(len(widths) - 1, 0, -1):
        handed_down = by_activations if network.skips[number] else 0.0
        by_activations = given.sigma_w2[number] * widths[number] / widths[number - 1] * by_z + handed_down
        by_z = by_activations * slope(activation, q[number - 1], 1.0)
        variance = gradient_spread(activation, q[number - 1]).carry(variance, widths[number - 1])
        gradients.insert(0, (by_z, variance))
    mean_squares, relative_variances = np.array(gradients).T
    return mean_squares, relative_variances


def _relative_variances(network: Network, given: Variances, q: Values) -> Values:
    """Returns the relative variances (L,) of one draw's mean squares.

    Given the layer below, the mean of n squares of Gaussians adds 2/n to the variance of their own variance.
    """
    found, variance = [], 0.0
    layers = list(zip(q, network.sizes[1:-1], strict=True))
    for number, (own, width) in enumerate(layers, start=1):
        found.append((1 + variance) * (1 + 2 / width) - 1)
        if number < len(layers):
            step = forward_spread(network.activation, own, given.sigma_w2[number], given.sigma_b2[number])
            variance = step.carry(variance, width)
    return np.array(found)
