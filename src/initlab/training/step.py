"""A step: one iteration as it is measured, with what several measurements need of it, computed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from initlab.networks.network import Network
from initlab.networks.tape import Tape
from initlab.types import Array

# A variance that is a smaller part of the mean square is computed anew, from the deviations: as a
# difference of two numbers that are nearly equal it holds their rounding errors.
UNSURE = 1e-3


@dataclass(eq=False)
class Step:
    """One iteration: parameters at the start of training, before and after its update, each (R, P), the
    gradient (R, P) of its cost, the pass over its examples, forward and backward, its number, and the runs'
    seeds.
    """

    network: Network
    start: Array
    parameters: Array
    gradient: Array
    updated: Array
    tape: Tape
    iteration: int = 0
    seeds: Sequence[int] = ()

    @cached_property
    def blocks(self) -> list[Array]:
        """Each layer's [W_l | b_l] before the update, (R, n_l, n_{l-1} + 1)."""
        return self.network.blocks(self.parameters)

    @cached_property
    def activations(self) -> list[Array]:
        """Each layer's activations (R, n_l, m); the last are the network's answers."""
        return [*self.tape.hidden, self.tape.answers]

    @cached_property
    def unit_sums(self) -> Array:
        """Each unit's sum of activations over the examples, and sum of their squares, all layers side by
        side, (2, R, Σ n_l).
        """
        begins, _ = units_of_layers(self.network.sizes)
        sums = np.empty((2, len(self.parameters), sum(self.network.sizes[1:])), self.parameters.dtype)
        for begin, a in zip(begins.tolist(), self.activations, strict=True):
            own = slice(begin, begin + a.shape[-2])
            np.add.reduce(a, axis=-1, out=sums[0, :, own])
            np.vecdot(a, a, out=sums[1, :, own])
        return sums

    @cached_property
    def means(self) -> Array:
        """The mean of each layer's activations over units and examples, and of their squares, (2, R, L)."""
        begins, widths = units_of_layers(self.network.sizes)
        means: Array = np.add.reduceat(self.unit_sums, begins, axis=-1)
        means /= widths * self.tape.delta[-1].shape[-1]
        return means

    @cached_property
    def variances(self) -> Array:
        """The variance of each layer's activations over its units and the examples, (R, L)."""
        mean, mean_square = self.means
        variances: Array = mean_square - mean * mean
        unsure = variances < UNSURE * mean_square
        if np.count_nonzero(unsure):
            for layer in np.flatnonzero(unsure.any(axis=0)).tolist():
                deviations = self.activations[layer] - mean[:, layer, np.newaxis, np.newaxis]
                exact = mean_of_squares(deviations)
                variances[:, layer] = np.where(unsure[:, layer], exact, variances[:, layer])
        return variances

    def first(self, count: int) -> tuple[Array, Array, Array]:
        """Returns the parameters (R, P), and inputs with their ones and targets of the first ``count``
        examples at most, as ``Tape.load`` takes them, all in double precision.
        """
        inputs, targets = self.tape.inputs[0][..., :count], self.tape.output.targets[..., :count]
        return self.parameters.astype(np.float64), inputs.astype(np.float64), targets.astype(np.float64)


@lru_cache(maxsize=32)
def units_of_layers(sizes: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Returns where each layer's units begin among those of all layers, and how many they are."""
    widths = np.array(sizes[1:])
    return np.cumsum(widths) - widths, widths.astype(np.float64)


def mean_of_squares(values: Array) -> Array:
    """Returns the mean square (R,) of values (R, n, m), a sum of squares for each row first."""
    mean: Array = np.add.reduce(np.vecdot(values, values), axis=-1) / (values.shape[-2] * values.shape[-1])
    return mean


def by_layer(values: Sequence[Array] | Array) -> dict[str, Array]:
    """Returns the values (R,) of layer 1, 2, … by their names."""
    return dict(zip(_layer_names(len(values)), values, strict=True))


@lru_cache(maxsize=32)
def _layer_names(layers: int) -> list[str]:
    return [f"layer{number}" for number in range(1, layers + 1)]
