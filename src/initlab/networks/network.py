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

    ``residual``: a hidden layer that is as wide as the hidden layer below adds that layer's activations to
    its own times ``branch_scale`` (He et al. 2016, arXiv:1512.03385; 1 / √depth keeps a deep network's signal
    finite). ``l2``: the cost has ½ l2 Σ W² added, biases left out. ``normalization``: what every hidden
    layer's pre-activations are normalized over, before the activation: ``batch`` or ``layer``, or ``none``.

    All numbers of a network are one flat array (R, P): layer after layer the block [W | b] (n_l, n_{l-1} + 1)
    and, where layers are normalized, the gain and the shift of each unit. Behind these ``trained`` numbers
    stand each layer's kept mean and variance, if batches are normalized.
    """

    sizes: tuple[int, ...]
    activation_name: str
    output_name: str = "sigmoid"
    residual: bool = False
    l2: float = 0.0
    normalization: str = "none"
    branch_scale: float = 1.0

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
    def skips(self) -> list[bool]:
        """Whether each hidden layer adds the activations of the hidden layer below."""
        hidden = self.sizes[1:-1]
        return [False, *(self.residual and below == own for below, own in pairwise(hidden))][: len(hidden)]

    @cached_property
    def offsets(self) -> NDArray[np.intp]:
        """Where each layer's trained numbers begin in the flat array; the last is how many there are."""
        scales = [0 if self.normalization == "none" else 2 * n for n in self.sizes[1:-1]] + [0]
        blocks = [n_out * (n_in + 1) for n_out, n_in in self.shapes]
        return np.cumsum([0, *(block + scale for block, scale in zip(blocks, scales, strict=True))])

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
        for end, n in zip(self.offsets[1:].tolist(), self.sizes[1:-1], strict=False):
            places = {"gain": end - 2 * n, "shift": end - n}
            if self.normalization == "batch":
                places |= {"mean": kept, "variance": kept + n}
            kept += 2 * n
            found.append({name: flat[:, at : at + n, np.newaxis] for name, at in places.items()})
        return [] if self.normalization == "none" else found


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
        l2=l2,
        normalization=normalization,
    )


def named_parameters(network: Network, flat: Array) -> dict[str, Array]:
    """Returns one run's parameters (P,) by name: W1 (n_1, n_0), b1 (n_1, 1), W2, … and, where layers are
    normalized, gain1 (n_1, 1), shift1, …
    """
    named: dict[str, Array] = {}
    for number, block in enumerate(network.blocks(flat[np.newaxis]), start=1):
        named |= {f"W{number}": block[0, :, :-1], f"b{number}": block[0, :, -1:]}
    for number, scales in enumerate(network.normalizations(flat[np.newaxis]), start=1):
        named |= {f"{name}{number}": values[0] for name, values in scales.items()}
    return named


def flat_parameters(network: Network, named: Mapping[str, Array]) -> Array:
    """Returns one run's parameters (P,) from their arrays by name, as ``named_parameters`` names them."""
    flat = np.zeros(network.size, named["W1"].dtype)
    for name, values in named_parameters(network, flat).items():
        values[:] = named[name]
    return flat
