"""Sends a signal through many untrained networks at once, and predicts the same by mean-field theory.

The theory takes only the variance of each layer's weights and biases, so it can stand beside any start. It
assumes weights and biases of mean 0. What is said of the spread at finite width holds for independent weights
and for rotations at random; where the weights are neither, nothing is said of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from initlab.networks.layers import Fork, Layer, Signal
from initlab.networks.network import Network
from initlab.networks.tape import Tape, with_ones
from initlab.streams import GRADIENTS, INPUTS, stream
from initlab.theory.finite_width import Chain, LayerLaw, draw_chain, quantiles
from initlab.theory.gaussian import Values
from initlab.theory.mean_field import first_moment
from initlab.types import Array


@dataclass(frozen=True)
class Measured:
    """What R networks of L hidden layers do to a signal; every array is (R, L).

    * ``mean_squares`` of the pre-activations of the first of two inputs; inf where they overflow
    * ``correlations`` z1·z2 / |z1||z2| of the two inputs' pre-activations; NaN where one of them is 0 or
      overflows
    * ``gradients``: the mean square of a gradient by the first input's pre-activations; NaN where these
      overflow and in every layer below, because nothing comes down through what is not a number
    * ``weight_means``, ``weight_squares``, ``weight_fourths``: means over a layer's w, w² and w⁴
    * ``bias_means``, ``bias_squares``: means over its biases b and b²
    """

    mean_squares: Array
    correlations: Array
    gradients: Array
    weight_means: Array
    weight_squares: Array
    weight_fourths: Array
    bias_means: Array
    bias_squares: Array

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Returns what was measured of several stacks as of one."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


@dataclass(frozen=True)
class Variances:
    """σw² and σb² of each hidden layer (L,), pooled over the seeds.

    ``kurtosis`` is E w⁴ / (E w²)²: 3 of Gaussians, 1.8 of a uniform law. ``weights_centred`` and
    ``biases_centred``: whether their means are near enough to 0 for the theory.
    """

    sigma_w2: Values
    sigma_b2: Values
    kurtosis: Values
    weights_centred: bool
    biases_centred: bool


@dataclass(frozen=True)
class Predicted:
    """What the theory says of the same layers, each (L,): the mean in networks of infinite width and, of
    networks of these widths, the ``median`` and, with ``low`` and ``high``, where nine of ten draws are. NaN
    stands where there is no theory: what is said of finite width without ``LayerLaw`` for every layer and,
    unless E φ = 0, the gradients of residual networks.
    """

    mean_squares: Values
    mean_squares_low: Values
    mean_squares_median: Values
    mean_squares_high: Values
    correlations: Values
    correlations_low: Values
    correlations_median: Values
    correlations_high: Values
    gradients: Values
    gradients_low: Values
    gradients_median: Values
    gradients_high: Values

    @classmethod
    def nothing(cls, layers: int) -> Self:
        """Returns what is said where the theory does not apply."""
        return cls(**{field.name: np.full(layers, np.nan) for field in fields(cls)})


def pairs_of_inputs(seeds: Sequence[int], size: int, mean_square: float, correlation: float) -> Values:
    """Returns two inputs a seed, (R, size, 2), random but for exactly this mean square and correlation."""
    if size < 2 and abs(correlation) < 1:
        raise ValueError(f"size={size}: must be at least 2 for two inputs of correlation {correlation:g}")
    pairs = np.stack([stream(seed, INPUTS).standard_normal((size, 2)) for seed in seeds])
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
    above = np.stack([stream(seed, GRADIENTS).standard_normal((width, 1)) for seed in seeds])
    gradients: Values = above * (np.sqrt(width) / _norm(above))
    return gradients


def propagate(network: Network, flat: Array, X: Array, above: Array) -> Measured:
    """Returns what networks with parameters (R, P) do to pairs of inputs X (R, n_x, m), the first two, on the
    way up and to gradients ``above`` (R, n_L, 1), by the top hidden layer's pre-activations, on the way down.
    """
    tape = Tape(network, flat, X.shape[-1], keeps_z=True)
    tape.read(with_ones(X))
    with np.errstate(all="ignore"):  # large weights may well overflow
        tape.forward()
        tape.elementwise[-1].delta[:] = 0  # but for the first input
        tape.elementwise[-1].delta[..., :1] = above
        for layer in _downwards(tape):
            layer.backward()
        pairs = [layer.z[..., :2] for layer in tape.elementwise]
        blocks = network.blocks(flat)[:-1]
        return Measured(
            mean_squares=_by_layer([_size(z[..., :1]) for z in pairs]),
            correlations=_by_layer([_correlation(z) for z in pairs]),
            gradients=_only_finite(pairs, [_mean_square(layer.delta[..., :1]) for layer in tape.elementwise]),
            weight_means=_by_layer([np.mean(block[..., :-1], axis=(-2, -1)) for block in blocks]),
            weight_squares=_by_layer([_mean_square(block[..., :-1]) for block in blocks]),
            weight_fourths=_by_layer([_mean_square(block[..., :-1] ** 2) for block in blocks]),
            bias_means=_by_layer([np.mean(block[..., -1:], axis=(-2, -1)) for block in blocks]),
            bias_squares=_by_layer([_mean_square(block[..., -1:]) for block in blocks]),
        )


def _downwards(tape: Tape) -> list[Layer]:
    """Returns the layers that a gradient by the top hidden layer's pre-activations passes on its way down.

    Where a branch of one layer ends above them, nothing comes down beside it.
    """
    lower = [layer for block in tape.blocks[:-2] for layer in block]
    top = tape.blocks[-2]
    own = [layer for layer in top[: top.index(tape.elementwise[-1])] if not isinstance(layer, Fork)]
    return [*reversed(own), *reversed(lower)]


def variances(network: Network, measured: Measured) -> Variances:
    """Returns σw² = fan_in Var[w] and σb² = E[b²] of each hidden layer, as the networks really have them."""
    fan_in, width = np.array(network.sizes[:-2]), np.array(network.sizes[1:-1])
    mean, fourth = measured.weight_means.mean(axis=0), measured.weight_fourths.mean(axis=0)
    variance = np.maximum(measured.weight_squares.mean(axis=0) - mean**2, 0)
    bias_squares = measured.bias_squares.mean(axis=0, dtype=np.float64)
    with np.errstate(all="ignore"):  # weights of 0 have none
        kurtosis = fourth / measured.weight_squares.mean(axis=0) ** 2
    runs = len(measured.weight_means)
    return Variances(
        fan_in * variance,
        bias_squares,
        kurtosis,
        _is_centred(mean, variance, runs * fan_in * width),
        _is_centred(measured.bias_means.mean(axis=0), bias_squares, runs * width),
    )


def _is_centred(mean: Array, square: Array, numbers: Array) -> bool:
    # Five standard errors are no evidence of a mean; a twentieth of the deviation is too little to matter.
    return bool(np.all(np.abs(mean) <= (0.05 + 5 / np.sqrt(numbers)) * np.sqrt(square)))


def unevenness(network: Network, flat: Array) -> Values:
    """Returns of each hidden layer (L,), for one network's parameters (1, P), the mean of λ² over the squared
    mean of λ, λ being the n_in eigenvalues of Wᵀ W: 1 where W stretches all directions alike.
    """
    found = []
    for block in network.blocks(flat)[:-1]:
        W = block[0, :, :-1]
        gram = W @ W.T if len(W) < W.shape[1] else W.T @ W
        with np.errstate(all="ignore"):
            found.append(W.shape[1] * np.sum(gram**2) / np.sum(W**2) ** 2)
    return np.array(found)


def laws(network: Network, given: Variances, uneven: Values, seeds: int) -> list[LayerLaw] | None:
    """Returns the law of each hidden layer, or None if its weights are neither independent nor rotations, as
    far as their kurtosis, over so many seeds, and their unevenness tell, or if layers do more than that.
    """
    if network.normalization != "none" or any(network.skips):
        return None
    found = []
    for (n_out, n_in), w2, b2, kurtosis, ratio in zip(
        network.shapes, given.sigma_w2, given.sigma_b2, given.kurtosis, uneven, strict=False
    ):
        least = max(n_in / n_out, 1.0)
        independent, allowed = 1 + (n_in + 1) / n_out, (0.1 + 12 / min(n_in, n_out)) * n_in / n_out
        orthogonal = abs(ratio - least) < 1e-6 and n_in > 1
        # Of so many terms, each of this kurtosis, a pre-activation is a sum: is it Gaussian enough?
        noise = 6 * np.sqrt(24 / (seeds * n_in * n_out))
        if w2 and abs(kurtosis - 3) > max(1.5, 0.1 * n_in) + noise:
            return None
        if w2 and not orthogonal and abs(ratio - independent) > allowed:
            return None
        found.append(LayerLaw(n_in, n_out, float(w2), float(b2), bool(w2 and orthogonal)))
    return found


def predict(
    network: Network,
    given: Variances,
    mean_square: float,
    correlation: float,
    layers: Sequence[LayerLaw] | None = None,
) -> Predicted:
    """Returns what the theory says of two inputs of this mean square and correlation, and of a gradient of
    mean square 1 that comes from above: what the layers' own mean-field maps make of them and, where their
    ``layers``' laws are known, how networks of these widths stray from it.
    """
    tape = Tape(network, np.zeros((1, network.size)), 1)
    for linear, w2, b2 in zip(tape.linears, given.sigma_w2, given.sigma_b2, strict=False):
        linear.sigma_w2, linear.sigma_b2 = float(w2), float(b2)
    with np.errstate(all="ignore"):
        signal = Signal(mean_square, correlation * mean_square)
        for layer in tape.layers[:-1]:
            signal = layer.mean_field(signal)
        q = np.array([layer.below.square for layer in tape.elementwise])
        c = np.array([layer.below.correlation for layer in tape.elementwise])
        delta = _predicted_gradients(tape)
    # A mean that adds up along the layers aligns the gradients, and they grow faster than any theory of
    # independent terms says.
    if any(network.skips) and abs(first_moment(network.activation, 1.0)) > 1e-9:
        delta = np.full(len(q), np.nan)
    if layers is None:
        chain = Chain(*np.full((3, 1, len(q)), np.nan))
    else:
        chain = draw_chain(network.activation, layers, mean_square, correlation)
    found = [
        part for own, drawn in zip((q, c, delta), chain, strict=True) for part in (own, *quantiles(drawn))
    ]
    names = [field.name for field in fields(Predicted)]
    return Predicted(**dict(zip(names, found, strict=True)))


def _predicted_gradients(tape: Tape) -> Values:
    """Returns the mean squares (L,) of the gradients by the pre-activations, of 1 by the top ones."""
    square = tape.elementwise[-1].square_back = 1.0
    for layer in _downwards(tape):
        square = layer.mean_field_back(square)
    return np.array([layer.square_back for layer in tape.elementwise])


def _only_finite(pairs: Sequence[Array], gradients: Sequence[Array]) -> Array:
    """Returns the gradients (R, L), NaN in layers where the first input overflows and in those below."""
    # Else the slope of what has overflowed, such as relu's at NaN, would pass for a gradient of 0.
    lost = np.stack([~np.isfinite(z[..., 0]).all(axis=-1) for z in pairs], axis=1)
    lost_above = np.logical_or.accumulate(lost[:, ::-1], axis=1)[:, ::-1]
    return np.where(lost_above, np.nan, _by_layer(gradients))


def _correlation(z: Array) -> Array:
    lengths = _norm(z)
    correlations: Array = np.sum(z[..., 0] * z[..., 1], axis=-1) / (lengths[..., 0, 0] * lengths[..., 0, 1])
    return correlations


def _size(z: Array) -> Array:
    """Returns the mean square of each run's z. NaN, which is inf − inf in the layer below, counts as inf."""
    squares = _mean_square(z)
    return np.where(np.isnan(squares), np.inf, squares)


def _mean_square(values: Array) -> Array:
    squares: Array = np.mean(values**2, axis=(-2, -1))
    return squares


def _norm(vectors: Array) -> Array:
    """Returns the lengths of the columns, kept as a row."""
    lengths: Array = np.sqrt(np.sum(vectors**2, axis=-2, keepdims=True))
    return lengths


def _by_layer(values: Sequence[Array]) -> Array:
    return np.stack(values, axis=1)
