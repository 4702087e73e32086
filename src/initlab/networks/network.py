"""A multilayer perceptron as arrays and functions: forward pass, cost and gradients of a stack of runs.

Everything works on the trailing two axes; the leading axis is the run, R of them (1 for a lone run).

A layer's weights and bias stand side by side as one block ``(R, n_l, n_{l-1} + 1)``, and every layer's
input carries a last row of ones. So one matrix product gives W a + b, one gives both gradients, and all
blocks together are one flat array ``(R, P)`` that an optimizer updates in a few operations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from initlab.activations import ACTIVATIONS, Activation
from initlab.config.rules import Count, Flag, NonNegative, Widths, one_of
from initlab.networks.outputs import OUTPUTS, Output, OutputBuffers
from initlab.types import Array


@dataclass(frozen=True)
class Network:
    """The shape of a network: layer sizes n_0 … n_L, the name of its hidden activation and of its output.

    ``residual``: a hidden layer that is as wide as the hidden layer below adds that layer's activations to
    its own (He et al. 2016, arXiv:1512.03385). ``l2``: the cost has ½ l2 Σ W² added, biases left out.
    """

    sizes: tuple[int, ...]
    activation_name: str
    output_name: str = "sigmoid"
    residual: bool = False
    l2: float = 0.0

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
        """Where each layer's parameters begin in the flat array, and, last, how many there are in all."""
        return np.cumsum([0, *(n_out * (n_in + 1) for n_out, n_in in self.shapes)])

    def blocks(self, flat: Array) -> list[Array]:
        """Returns views of flat parameters (R, P), one a layer: [W_l | b_l], (R, n_l, n_{l-1} + 1)."""
        return [
            flat[:, start:end].reshape(len(flat), n_out, n_in + 1)
            for (start, end), (n_out, n_in) in zip(pairwise(self.offsets), self.shapes, strict=True)
        ]


ActivationName = Annotated[str, one_of(*ACTIVATIONS)]


def mlp(
    n_x: int,
    n_y: int = 1,
    *,
    hidden: Widths,
    activation: ActivationName,
    residual: Flag = False,
    l2: NonNegative = 0.0,
) -> Network:
    """Returns a fully connected network n_x → hidden → n_y; the data choose its output."""
    return Network((n_x, *hidden, n_y), activation, residual=residual, l2=l2)


def deep(
    n_x: int,
    n_y: int = 1,
    *,
    depth: Count,
    width: Count,
    activation: ActivationName,
    residual: Flag = False,
    l2: NonNegative = 0.0,
) -> Network:
    """Returns a fully connected network with ``depth`` hidden layers of ``width`` units each."""
    return mlp(n_x, n_y, hidden=[width] * depth, activation=activation, residual=residual, l2=l2)


def flatten(weights: Sequence[Array], biases: Sequence[Array]) -> Array:
    """Returns one run's flat parameters (P,) from its W_l (n_l, n_{l-1}) and b_l (n_l, 1)."""
    return np.concatenate([np.hstack(layer).ravel() for layer in zip(weights, biases, strict=True)])


def named_parameters(network: Network, flat: Array) -> dict[str, Array]:
    """Returns one run's parameters (P,) by name: W1 (n_1, n_0), b1 (n_1, 1), W2, …"""
    named = {}
    for number, block in enumerate(network.blocks(flat[np.newaxis]), start=1):
        named[f"W{number}"], named[f"b{number}"] = block[0, :, :-1], block[0, :, -1:]
    return named


def with_ones(X: Array) -> Array:
    """Returns X (..., n, m) with a last row of ones: (..., n + 1, m)."""
    return np.concatenate([X, np.ones_like(X[..., :1, :])], axis=-2)


class Pass:
    """The arrays of one forward and backward pass of R runs over m examples, reused at every iteration.

    * ``inputs[l]`` (R, n_l + 1, m): what layer l + 1 sees, its last row ones; ``load`` sets the first
    * ``hidden[l]`` (R, n_{l+1}, m): views of the hidden activations in ``inputs``
    * ``values[l]`` (R, n_{l+1}, m): φ(z); the hidden activations themselves but where a residual adds to them
    * ``z[l]`` and ``delta[l]`` (R, n_{l+1}, m): pre-activations, in hidden layers overwritten by φ(z)
      where that suffices for the slope, and the derivative of the cost by them
    * ``slopes[l]`` (R, n_{l+1}, m): scratch for φ'(z); bool for ReLU, where it is 0 or 1
    * ``carried[l]`` (R, n_{l+1}, m): the derivative of the cost by a residual layer's activations
    * ``head``: the last layer's arrays, of which ``z[-1]`` and ``delta[-1]`` are two
    * ``penalty``: ½ l2 Σ W² of each run (R,), or 0
    * ``gradient`` (R, P): the derivative of the cost by the parameters; ``gradients`` are its blocks
    """

    def __init__(self, network: Network, runs: int, examples: int, dtype: Any) -> None:
        widths = network.sizes[1:-1]

        def empty(n: int) -> Array:
            return np.empty((runs, n, examples), dtype)

        self.network = network
        self.inputs: list[Array] = [np.empty(0, dtype)]  # the first is set by load
        self.inputs += [np.ones((runs, n + 1, examples), dtype) for n in widths]
        self.hidden = [a[:, :-1] for a in self.inputs[1:]]
        self.head = OutputBuffers(runs, network.sizes[-1], examples, dtype)
        self.delta = [*(empty(n) for n in widths), self.head.delta]
        self.values = [
            empty(n) if skip else a for n, skip, a in zip(widths, network.skips, self.hidden, strict=True)
        ]
        own = self.values if network.activation.from_value else [empty(n) for n in widths]
        self.z = [*own, self.head.z]
        self.carried = [
            empty(n) if skip else self.head.loss for n, skip in zip(widths, network.skips, strict=True)
        ]
        # One array of slopes, just large enough for the largest layer, stays in the cache.
        largest = np.empty(max(d.size for d in self.delta), bool if network.activation.rectifies else dtype)
        self.slopes = [largest[: d.size].reshape(d.shape) for d in self.delta]
        self.penalty: Array | float = 0.0
        self.gradient = np.empty((runs, network.offsets[-1]), dtype)
        self.gradients = network.blocks(self.gradient)

    def load(self, X1: Array, targets: Array) -> None:
        """Takes inputs X1 (n_x + 1, m), last row ones, and targets (n_y, m) as the network's output takes
        them, or a stack (R, …) of each.
        """
        self.inputs[0] = X1
        self.head.load(targets)

    @property
    def answers(self) -> Array:
        """What the network says, (R, n_y, m): probabilities of classes, or numbers."""
        return self.network.output.answers(self.head.z)


def forward(blocks: Sequence[Array], arrays: Pass) -> None:
    """Fills arrays with the pre-activations and activations of the examples it was loaded with."""
    network = arrays.network
    value = network.activation.value
    for number, out in enumerate(arrays.hidden):
        z, phi = arrays.z[number], arrays.values[number]
        np.matmul(blocks[number], arrays.inputs[number], out=z)
        value(z, phi)
        if phi is not out:
            np.add(phi, arrays.hidden[number - 1], out=out)
    np.matmul(blocks[-1], arrays.inputs[-1], out=arrays.head.z)
    if network.l2:
        squares = [np.add.reduce(np.square(block[..., :-1]), axis=(-2, -1)) for block in blocks]
        arrays.penalty = sum(squares[1:], squares[0]) * (0.5 * network.l2)


def cost(arrays: Pass) -> Array:
    """Returns the mean cost over the examples (R,), with the penalty of large weights if there is one."""
    arrays.network.output.loss(arrays.head)
    loss = arrays.head.loss
    mean: Array = np.add.reduce(loss, axis=(-2, -1)) / loss.shape[-1]
    return mean + arrays.penalty if arrays.network.l2 else mean


def backward(blocks: Sequence[Array], arrays: Pass) -> None:
    """Fills arrays.gradient with the derivative of the cost by the parameters; ``cost`` must have run."""
    arrays.network.output.slope(arrays.head)
    propagate_back(blocks, arrays)
    for number in range(len(blocks)):
        np.matmul(arrays.delta[number], arrays.inputs[number].mT, out=arrays.gradients[number])
    if arrays.network.l2:
        for gradient, block in zip(arrays.gradients, blocks, strict=True):
            gradient[..., :-1] += arrays.network.l2 * block[..., :-1]


def propagate_back(blocks: Sequence[Array], arrays: Pass) -> None:
    """Fills the hidden layers' delta from the last one's."""
    delta, skips = arrays.delta, arrays.network.skips
    derivative = arrays.network.activation.derivative
    for number in range(len(blocks) - 1, 0, -1):
        below, slope = delta[number - 1], arrays.slopes[number - 1]
        _times_transposed(blocks[number][..., :-1], delta[number], out=below)
        if number < len(skips) and skips[number]:
            np.add(below, arrays.carried[number], out=below)
        if skips[number - 1]:
            np.copyto(arrays.carried[number - 1], below)
        derivative(arrays.z[number - 1], arrays.values[number - 1], slope)
        np.multiply(below, slope, out=below)


def _times_transposed(W: Array, delta: Array, out: Array) -> None:
    if W.shape[-2] == 1:  # an outer product: multiplying is faster than a matrix product
        np.multiply(W.mT, delta, out=out)
    else:
        np.matmul(W.mT, delta, out=out)


def predict(network: Network, flat: Array, X: Array) -> Array:
    """Returns what the parameters (R, P) answer for X (n_x, m) or (R, n_x, m): (R, n_y, m)."""
    arrays = Pass(network, len(flat), X.shape[-1], flat.dtype)
    arrays.inputs[0] = with_ones(X)
    forward(network.blocks(flat), arrays)
    return arrays.answers


def passed(network: Network, flat: Array, X1: Array, targets: Array) -> Pass:
    """Returns the arrays of a pass forward and backward with the parameters (R, P), over data as ``load``
    takes them.
    """
    arrays = Pass(network, len(flat), X1.shape[-1], flat.dtype)
    arrays.load(X1, targets)
    blocks = network.blocks(flat)
    forward(blocks, arrays)
    cost(arrays)
    backward(blocks, arrays)
    return arrays


def evaluate(network: Network, flat: Array, X: Array, Y: Array) -> tuple[Array, Array]:
    """Returns cost and score, each (R,), of the parameters (R, P); a probability of exactly 0.5 means
    class 0.
    """
    arrays = Pass(network, len(flat), X.shape[-1], flat.dtype)
    arrays.load(with_ones(X), network.output.targets(Y))
    forward(network.blocks(flat), arrays)
    score = network.output.score(arrays.answers, Y)
    return cost(arrays), score
