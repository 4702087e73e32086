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

from initlab.activations import ACTIVATIONS, Activation, Array, sigmoid
from initlab.checks import Widths, one_of


@dataclass(frozen=True)
class Network:
    """The shape of a network: layer sizes n_0 … n_L and the name of its hidden activation."""

    sizes: tuple[int, ...]
    activation_name: str

    @cached_property
    def activation(self) -> Activation:
        """The hidden activation."""
        return ACTIVATIONS[self.activation_name]

    @cached_property
    def shapes(self) -> list[tuple[int, int]]:
        """The weight shape (n_l, n_{l-1}) of every layer."""
        return [(n_out, n_in) for n_in, n_out in pairwise(self.sizes)]

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


def mlp(
    n_x: int,
    n_y: int = 1,
    *,
    hidden: Widths,
    activation: Annotated[str, one_of(*ACTIVATIONS)],
) -> Network:
    """Returns a fully connected network n_x → hidden → n_y with a sigmoid output."""
    return Network((n_x, *hidden, n_y), activation)


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
    * ``z[l]`` and ``delta[l]`` (R, n_{l+1}, m): pre-activations, in hidden layers overwritten by the
      activations where those suffice for the slope, and the derivative of the cost by them
    * ``slopes[l]`` (R, n_{l+1}, m): scratch for φ'(z); bool for ReLU, where it is 0 or 1
    * ``margin`` and ``loss`` (R, 1, m): each example's u and log(1 + exp(u)), see ``cost``
    * ``gradient`` (R, P): the derivative of the cost by the parameters; ``gradients`` are its blocks
    """

    def __init__(self, network: Network, runs: int, examples: int, dtype: Any) -> None:
        outputs = network.sizes[1:]
        self.network = network
        self.inputs: list[Array] = [np.empty(0, dtype)]  # the first is set by load
        self.inputs += [np.ones((runs, n + 1, examples), dtype) for n in outputs[:-1]]
        self.hidden = [a[:, :-1] for a in self.inputs[1:]]
        self.delta = [np.empty((runs, n, examples), dtype) for n in outputs]
        self.margin, self.loss = np.empty_like(self.delta[-1]), np.empty_like(self.delta[-1])
        self.z = [*self._hidden_z(), np.empty_like(self.delta[-1])]
        # One array of slopes, just large enough for the largest layer, stays in the cache.
        largest = np.empty(max(d.size for d in self.delta), bool if network.activation.rectifies else dtype)
        self.slopes = [largest[: d.size].reshape(d.shape) for d in self.delta]
        self.gradient = np.empty((runs, network.offsets[-1]), dtype)
        self.gradients = network.blocks(self.gradient)

    def _hidden_z(self) -> list[Array]:
        return self.hidden if self.network.activation.from_value else [np.empty_like(a) for a in self.hidden]

    def load(self, X1: Array, S: Array) -> None:
        """Takes inputs X1 (n_x + 1, m), last row ones, and signs S (1, m) of labels, or a stack (R, …) of
        each.
        """
        self.inputs[0], self.signs, self.mean_signs = X1, S, S / S.shape[-1]

    def probabilities(self) -> Array:
        """Returns the predicted probability of class 1, (R, 1, m)."""
        probabilities = np.empty_like(self.z[-1])
        sigmoid(self.z[-1], probabilities)
        return probabilities


def forward(blocks: Sequence[Array], arrays: Pass) -> None:
    """Fills arrays with the pre-activations and activations of the examples it was loaded with."""
    value = arrays.network.activation.value
    for block, a, z, out in zip(blocks, arrays.inputs, arrays.z, arrays.hidden, strict=False):
        np.matmul(block, a, out=z)
        value(z, out)
    np.matmul(blocks[-1], arrays.inputs[-1], out=arrays.z[-1])


def signs(Y: Array) -> Array:
    """Returns 1 − 2y for labels y: −1 for class 1 and 1 for class 0, the form in which the cost takes
    them.
    """
    return 1 - 2 * Y


def cost(arrays: Pass) -> Array:
    """Returns the mean binary cross-entropy (R,) from the logits z and the labels' signs S.

    It is mean(log(1 + exp(u))) with u = S z, in the form max(u, 0) + log1p(exp(−|u|)) that neither
    overflows nor loses a saturated example.
    """
    u, loss, positive = arrays.margin, arrays.loss, arrays.delta[-1]
    np.multiply(arrays.signs, arrays.z[-1], out=u)
    np.abs(u, out=loss)
    np.negative(loss, out=loss)
    np.exp(loss, out=loss)
    np.log1p(loss, out=loss)
    np.maximum(u, 0, out=positive)
    np.add(loss, positive, out=loss)
    mean: Array = np.add.reduce(loss, axis=(-2, -1)) / loss.shape[-1]
    return mean


def backward(blocks: Sequence[Array], arrays: Pass) -> None:
    """Fills arrays.gradient with the derivative of the cost by the parameters; ``cost`` must have run.

    By the logits the derivative is S σ(u) / m, the familiar (σ(z) − y) / m; and as the loss is
    log(1 + exp(u)), σ(u) = exp(u − loss).
    """
    delta, top = arrays.delta, arrays.delta[-1]
    np.subtract(arrays.margin, arrays.loss, out=top)
    np.exp(top, out=top)
    np.multiply(top, arrays.mean_signs, out=top)
    derivative = arrays.network.activation.derivative
    for number in range(len(blocks) - 1, 0, -1):
        below, a, slope = delta[number - 1], arrays.hidden[number - 1], arrays.slopes[number - 1]
        np.matmul(delta[number], arrays.inputs[number].mT, out=arrays.gradients[number])
        _times_transposed(blocks[number][..., :-1], delta[number], out=below)
        derivative(arrays.z[number - 1], a, slope)
        np.multiply(below, slope, out=below)
    np.matmul(delta[0], arrays.inputs[0].mT, out=arrays.gradients[0])


def _times_transposed(W: Array, delta: Array, out: Array) -> None:
    if W.shape[-2] == 1:  # an outer product: multiplying is faster than a matrix product
        np.multiply(W.mT, delta, out=out)
    else:
        np.matmul(W.mT, delta, out=out)


def predict(network: Network, flat: Array, X: Array) -> Array:
    """Returns the probabilities (R, 1, m) that the parameters (R, P) give for X (n_x, m) or (R, n_x, m)."""
    return _pass_of(network, flat, X, np.zeros_like(X[..., :1, :])).probabilities()


def evaluate(network: Network, flat: Array, X: Array, Y: Array) -> tuple[Array, Array]:
    """Returns cost and accuracy, each (R,), of the parameters (R, P); a probability of exactly 0.5 means
    class 0.
    """
    arrays = _pass_of(network, flat, X, Y)
    accuracy = np.mean((arrays.probabilities() > 0.5) == (Y > 0.5), axis=(-2, -1))
    return cost(arrays), accuracy


def _pass_of(network: Network, flat: Array, X: Array, Y: Array) -> Pass:
    arrays = Pass(network, len(flat), X.shape[-1], flat.dtype)
    arrays.load(with_ones(X), signs(Y))
    forward(network.blocks(flat), arrays)
    return arrays
