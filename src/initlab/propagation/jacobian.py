"""The singular values of an untrained network's Jacobian, and what theory says of their spread."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from initlab.diagnostics.derivatives import singular_values
from initlab.networks.network import Network
from initlab.networks.tape import Tape, with_ones
from initlab.numerals import number
from initlab.theory.finite_width import quantiles
from initlab.theory.gaussian import Values
from initlab.types import Array

MOST_LAYERS = 12  # that are looked at


@dataclass(frozen=True)
class Spectra:
    """The singular values of the Jacobians of K ``layers``' activations by the inputs.

    ``values`` has an array (R, k) for each of the layers, falling along k; ``predicted`` (K,) is the relative
    variance of their squares in theory, NaN where there is none.
    """

    layers: tuple[int, ...]
    values: tuple[Array, ...]
    predicted: Values

    @property
    def summary(self) -> dict[str, Values]:
        """Returns medians over the networks, each (K,): the ``largest``, the quartiles, the ``smallest``, the
        ``condition`` (largest / smallest) and the relative ``variance`` of the squares.
        """
        rows = [_sums(values) for values in self.values]
        return {
            name: np.array([quantiles(row[name][:, np.newaxis], [0.5])[0][0] for row in rows])
            for name in rows[0]
        }

    @property
    def variance_quartiles(self) -> tuple[Values, Values]:
        """Returns the lower and the upper quartile over the networks of the ``variance``, each (K,)."""
        variances = np.stack([_sums(values)["variance"] for values in self.values], axis=1)
        lower, upper = quantiles(variances, (0.25, 0.75))
        return lower, upper


def layers_looked_at(count: int) -> tuple[int, ...]:
    """Returns all layers from 1 to ``count``, or so many of them, log-spaced."""
    if count <= MOST_LAYERS:
        return tuple(range(1, count + 1))
    return tuple(int(one) for one in np.unique(np.rint(np.geomspace(1, count, MOST_LAYERS)).astype(int)))


def jacobian_values(network: Network, flat: Array, x: Array, layers: Sequence[int]) -> list[Array]:
    """Returns the singular values (R, min(n_0, n_l)), falling, of the Jacobian of these hidden layers'
    activations by the inputs, at x (R, n_0, 1), for parameters (R, P). What overflows is NaN.
    """
    tape = Tape(network, flat, 1, keeps_z=True)
    tape.read(with_ones(x))
    still = np.zeros((1, network.trained))
    change: Array = np.broadcast_to(np.eye(network.sizes[0]), (len(flat), network.sizes[0], network.sizes[0]))
    found = []
    with np.errstate(all="ignore"):
        tape.forward()
        for number, block in enumerate(tape.blocks[: max(layers)], start=1):
            for layer in block:
                change = layer.tangent(still, change)  # the directions stand where examples do
            if number in layers:
                found.append(_without_rounding(singular_values(change)))
    return found


def jacobian_line(spectra: Spectra) -> str:
    """Returns how far from an isometry the Jacobian of the top hidden layer is, in one sentence."""
    top = {name: float(values[-1]) for name, values in spectra.summary.items()}
    if np.isnan(top["variance"]):
        return (
            f"No Jacobian of layer {spectra.layers[-1]} has singular values that are numbers and not all 0."
        )
    theory = "" if np.isnan(spectra.predicted[-1]) else f" (theory: {number(float(spectra.predicted[-1]))})"
    spread = f"Var(JJᵀ) = {number(top['variance'])}{theory}"
    if top["variance"] < 1e-6:
        return f"Layer {spectra.layers[-1]}: all singular values alike, {number(top['largest'])}; {spread}."
    ends = f"singular values from {number(top['smallest'])} to {number(top['largest'])}"
    return f"Layer {spectra.layers[-1]}: {ends}; {spread}."


def _without_rounding(values: Array) -> Array:
    """Returns singular values (R, k), 0 where they are no more than rounding of the largest."""
    noise = np.finfo(values.dtype).eps * values.shape[1] * values[:, :1]
    return np.where(values <= noise, 0.0, values)


def _sums(values: Array) -> dict[str, Array]:
    """Returns of each network, each (R,)."""
    largest, smallest = values[:, 0], values[:, -1]
    with np.errstate(all="ignore"):
        squares = (values / largest[:, np.newaxis]) ** 2
        variance = np.var(squares, axis=1) / np.mean(squares, axis=1) ** 2
        condition = largest / smallest
    upper, middle, lower = np.quantile(values, [0.75, 0.5, 0.25], axis=1)
    return {
        "largest": largest, "upper_quartile": upper, "median": middle, "lower_quartile": lower,
        "smallest": smallest, "condition": condition, "variance": variance,
    }  # fmt: skip
