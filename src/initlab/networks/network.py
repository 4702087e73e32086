"""A multilayer perceptron: its shape, and where each layer's parameters stand in one flat array."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from initlab.activations import ACTIVATIONS, Activation
from initlab.config.rules import Count, Flag, NonNegative, Positive, Widths, one_of
from initlab.memory import refuse_beyond_memory
from initlab.networks.outputs import OUTPUTS, Output
from initlab.types import Array

BYTES_OF_A_LAYER = 10_000  # of the objects that a layer is made of, without its numbers


@dataclass(frozen=True)
class Network:
    """The shape of a network: layer sizes n_0 … n_L, the names of its hidden activation and of its output.

    ``residual``: above the first, ``branch_depth`` hidden layers at a time are a branch if the last of them
    is as wide as the layer below them; that layer's activations are added to the branch's output times
    ``branch_scale`` (He et al. 2016, arXiv:1512.03385; 1 / √depth keeps a deep network's signal finite). A
    branch of one layer ends with its activations, a longer one with its last layer's pre-activations, so that
    the activation comes after the sum, as in that paper's figure 2. Layers that make no whole branch are
    plain. ``l2``: the cost has ½ l2 Σ W² added, biases left out. ``normalization``: what every hidden layer's
    pre-activations are normalized over, before the activation: ``batch`` or ``layer``, or ``none``.
    ``scalars``: trained numbers of whole layers, see ``layers.Scalar``.

    All numbers of a network are one flat array (R, P): layer after layer the block [W | b] (n_l, n_{l-1} + 1)
    and, where layers are normalized, the gain and the shift of each unit, and then its scalars. Behind these
    ``trained`` numbers stand each layer's kept mean and variance, if batches are normalized.
    """

    sizes: tuple[int, ...]
    activation_name: str
    output_name: str = "sigmoid"
    residual: bool = False
    l2: float = 0.0
    normalization: str = "none"
    branch_scale: float = 1.0
    branch_depth: int = 1
    scalars: bool = False

    @cached_property
    def activation(self) -> Activation:
        """The hidden activation."""
        return ACTIVATIONS[self.activation_name]

    @cached_property
    def output(self) -> Output:
        """What the last layer's numbers mean."""
        return OUTPUTS[self.output_name]

    @cached_property
    def shapes(self) -> list[tuple[int, int]]:
        """The weight shape (n_l, n_{l-1}) of every layer."""
        return [(n_out, n_in) for n_in, n_out in pairwise(self.sizes)]

    @cached_property
    def branches(self) -> list[range]:
        """The layers of each residual branch, counted from 0, from the first branch up."""
        hidden, m = self.sizes[1:-1], self.branch_depth
        groups = [range(first, first + m) for first in range(1, len(hidden) - m + 1, m)]
        return [one for one in groups if self.residual and hidden[one[0] - 1] == hidden[one[-1]]]

    @cached_property
    def skips(self) -> list[bool]:
        """Whether a residual branch ends with each hidden layer."""
        ends = {branch[-1] for branch in self.branches}
        return [number in ends for number in range(len(self.sizes) - 2)]

    @cached_property
    def scalar_names(self) -> list[list[str]]:
        """The names of each layer's scalars, in the order in which they stand and apply."""
        if not self.scalars:
            return [[] for _ in self.shapes]
        hidden = [["bias_in", *["multiplier"] * skip, "bias_out"] for skip in self.skips]
        return [names[number == 0 :] for number, names in enumerate([*hidden, ["bias_in"]])]

    @cached_property
    def offsets(self) -> NDArray[np.intp]:
        """Where each layer's trained numbers begin in the flat array; the last is how many there are."""
        scales = [0 if self.normalization == "none" else 2 * n for n in self.sizes[1:-1]] + [0]
        blocks = [n_out * (n_in + 1) for n_out, n_in in self.shapes]
        scalars = [len(names) for names in self.scalar_names]
        return np.cumsum([0, *(map(sum, zip(blocks, scales, scalars, strict=True)))])

    @cached_property
    def trained(self) -> int:
        """How many numbers training changes."""
        return int(self.offsets[-1])

    @cached_property
    def size(self) -> int:
        """How many numbers there are in all: the trained ones, and kept statistics."""
        return self.trained + (2 * sum(self.sizes[1:-1]) if self.normalization == "batch" else 0)

    def blocks(self, flat: Array) -> list[Array]:
        """Returns views of flat parameters (R, P), one a layer: [W_l | b_l], (R, n_l, n_{l-1} + 1)."""
        return [
            flat[:, start : start + n_out * (n_in + 1)].reshape(len(flat), n_out, n_in + 1)
            for start, (n_out, n_in) in zip(self.offsets.tolist(), self.shapes, strict=False)
        ]

    def normalizations(self, flat: Array) -> list[dict[str, Array]]:
        """Returns views of flat parameters (R, P) by name, each (R, n_l, 1), one dict for each normalized
        layer: its ``gain`` and ``shift`` and, of batches, its kept ``mean`` and ``variance``.
        """
        found: list[dict[str, Array]] = []
        kept = self.trained
        for start, (n, n_in) in zip(self.offsets.tolist(), self.shapes[:-1], strict=False):
            gain = start + n * (n_in + 1)
            places = {"gain": gain, "shift": gain + n}
            if self.normalization == "batch":
                places |= {"mean": kept, "variance": kept + n}
            kept += 2 * n
            found.append({name: flat[:, at : at + n, np.newaxis] for name, at in places.items()})
        return [] if self.normalization == "none" else found

    def scalar_places(self, number: int) -> dict[str, int]:
        """Returns where the scalars of a layer, counted from 0, stand among flat parameters, by name."""
        names = self.scalar_names[number]
        return {name: int(self.offsets[number + 1]) - len(names) + at for at, name in enumerate(names)}

    def scalars_of(self, flat: Array) -> list[dict[str, Array]]:
        """Returns views of flat parameters (R, P), one dict a layer: its scalars by name, each (R, 1, 1)."""
        return [
            {name: flat[:, at : at + 1, np.newaxis] for name, at in self.scalar_places(number).items()}
            for number in range(len(self.shapes))
        ]


ActivationName = Annotated[str, one_of(*ACTIVATIONS)]
NormalizationName = Annotated[str, one_of("none", "batch", "layer")]


def mlp(
    n_x: int,
    n_y: int = 1,
    *,
    hidden: Widths,
    activation: ActivationName,
    residual: Flag = False,
    branch_scale: Positive = 1.0,
    branch_depth: Count = 1,
    scalars: Flag = False,
    l2: NonNegative = 0.0,
    normalization: NormalizationName = "none",
) -> Network:
    """Returns a fully connected network n_x → hidden → n_y; the data choose its output."""
    sizes = (n_x, *hidden, n_y)
    return Network(
        sizes,
        activation,
        residual=residual,
        l2=l2,
        normalization=normalization,
        branch_scale=float(branch_scale),
        branch_depth=branch_depth,
        scalars=scalars,
    )


def deep(
    n_x: int,
    n_y: int = 1,
    *,
    depth: Count,
    width: Count,
    activation: ActivationName,
    residual: Flag = False,
    branch_scale: Positive = 1.0,
    branch_depth: Count = 1,
    scalars: Flag = False,
    l2: NonNegative = 0.0,
    normalization: NormalizationName = "none",
) -> Network:
    """Returns a fully connected network with ``depth`` hidden layers of ``width`` units each."""
    refuse_beyond_memory(f"depth={depth}", depth * BYTES_OF_A_LAYER + 8 * (depth - 1) * width * width)
    return mlp(
        n_x,
        n_y,
        hidden=[width] * depth,
        activation=activation,
        residual=residual,
        branch_scale=branch_scale,
        branch_depth=branch_depth,
        scalars=scalars,
        l2=l2,
        normalization=normalization,
    )


def named_parameters(network: Network, flat: Array) -> dict[str, Array]:
    """Returns one run's parameters (P,) by name: W1 (n_1, n_0), b1 (n_1, 1), W2, …, where layers are
    normalized gain1 (n_1, 1), shift1, … and, where there are scalars, bias_out1 (1, 1), bias_in2, …
    """
    named: dict[str, Array] = {}
    for number, block in enumerate(network.blocks(flat[np.newaxis]), start=1):
        named |= {f"W{number}": block[0, :, :-1], f"b{number}": block[0, :, -1:]}
    for others in (network.normalizations(flat[np.newaxis]), network.scalars_of(flat[np.newaxis])):
        for number, arrays in enumerate(others, start=1):
            named |= {f"{name}{number}": values[0] for name, values in arrays.items()}
    return named


def flat_parameters(network: Network, named: Mapping[str, Array]) -> Array:
    """Returns one run's parameters (P,) from their arrays by name, as ``named_parameters`` names them."""
    flat = np.zeros(network.size, named["W1"].dtype)
    for name, values in named_parameters(network, flat).items():
        values[:] = named[name]
    return flat
