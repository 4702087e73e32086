"""A network at work: its layers, bound to the parameters of R runs and to the arrays of m examples.

As on a tape, what the way forward leaves is what the way back needs. The arrays are reused at every
iteration.
"""

import numpy as np

from initlab.networks.layers import Elementwise, Layer, Linear, Normalization, Residual
from initlab.networks.network import Network
from initlab.networks.outputs import OutputBuffers
from initlab.types import Array


class Tape:
    """The layers of a network over R runs' parameters (R, P), which may change in place, and m examples.

    * ``hidden[l]`` (R, n_{l+1}, m): the activations of hidden layer l + 1
    * ``values[l]``: φ(z); the activations themselves but where a residual adds to them
    * ``z[l]`` and ``delta[l]``: pre-activations, of hidden layers overwritten by φ(z) where that suffices for
      the slope and ``keeps_z`` is not set, and the derivative of the cost by them; the output's are the last
    * ``output``: the last layer's arrays
    * ``layers``, from the first up; ``blocks[l]`` are those of layer l + 1, and ``branches[l]`` those of
      hidden layer l + 1 without what a residual adds
    * ``gradient`` (R, trained): the derivative of the cost by the parameters

    ``statistics`` are those that batch normalization uses, see ``Normalization``.
    """

    def __init__(
        self,
        network: Network,
        parameters: Array,
        examples: int,
        *,
        statistics: str = "batch",
        keeps_z: bool = False,
    ) -> None:
        self.network, self.parameters, self.examples = network, parameters, examples
        self._statistics, self._keeps_z = statistics, keeps_z
        self.gradient = np.empty((len(parameters), network.trained), parameters.dtype)
        self.output = OutputBuffers(len(parameters), network.sizes[-1], examples, parameters.dtype)
        self.blocks: list[list[Layer]] = []
        self.linears: list[Linear] = []
        self.normalizations: list[Normalization] = []
        self.elementwise: list[Elementwise] = []
        self.hidden: list[Array] = []
        self.branches: list[list[Layer]] = []
        self._bind()
        self.layers = [layer for block in self.blocks for layer in block]
        self.values = [layer.out for layer in self.elementwise]
        self.z = [*(layer.z for layer in self.elementwise), self.output.z]
        self.delta = [*(layer.delta for layer in self.elementwise), self.output.delta]
        self._forward = [layer.forward for layer in self.layers]
        self._backward = [layer.backward for layer in reversed(self.layers[1:])]
        self._collect = [layer.collect for layer in self.layers if not isinstance(layer, Elementwise)]
        self._penalty: Array | float = 0.0

    def load(self, X1: Array, targets: Array) -> None:
        """Takes inputs X1 (n_x + 1, m), last row ones, and targets (n_y, m) as the network's output takes
        them, or a stack (R, …) of each.
        """
        self.read(X1)
        self.output.load(targets)

    def read(self, X1: Array) -> None:
        """Takes inputs alone, for a way forward without a cost."""
        self.linears[0].read(X1)

    def forward(self) -> None:
        """Fills pre-activations and activations."""
        for step in self._forward:
            step()

    def cost(self) -> Array:
        """Returns the mean cost over the examples (R,), with the penalty of large weights if there is one."""
        self.network.output.loss(self.output)
        loss = self.output.loss
        mean: Array = np.add.reduce(loss, axis=(-2, -1)) / loss.shape[-1]
        if not self.network.l2:
            return mean
        squares = [np.add.reduce(np.square(linear.W), axis=(-2, -1)) for linear in self.linears]
        penalty: Array = sum(squares[1:], squares[0]) * (0.5 * self.network.l2)
        return mean + penalty

    def backward(self) -> None:
        """Fills the gradient; ``cost`` must have run."""
        self.network.output.slope(self.output)
        self.propagate_back()
        for step in self._collect:
            step()
        if self.network.l2:
            for linear in self.linears:
                linear.gradient[..., :-1] += self.network.l2 * linear.W

    def propagate_back(self) -> None:
        """Fills the hidden layers' delta from the output's."""
        for step in self._backward:
            step()

    def keep_statistics(self) -> None:
        """Moves the statistics that batch normalization keeps towards those of these examples."""
        for layer in self.normalizations:
            layer.keep_statistics()

    @property
    def answers(self) -> Array:
        """What the network says, (R, n_y, m): probabilities of classes, or numbers."""
        return self.network.output.answers(self.output.z)

    @property
    def inputs(self) -> list[Array]:
        """What each linear layer reads, (R, n_l + 1, m), last row ones."""
        return [linear.x for linear in self.linears]

    def _bind(self) -> None:
        network, widths = self.network, self.network.sizes[1:-1]
        dtype = bool if network.activation.rectifies else self.parameters.dtype
        # One array of slopes, just large enough for the largest layer, stays in the cache.
        largest = np.empty(len(self.parameters) * max(widths, default=0) * self.examples, dtype)
        below: Array | None = None
        for number, (width, skip) in enumerate(zip(widths, network.skips, strict=True)):
            delta = self._empty(width)
            slope = largest[: delta.size].reshape(delta.shape)
            below = self._bind_hidden(number, skip, delta, slope, below)
        linear = self._linear(len(widths))
        linear.connect(self.output.z, self.output.delta, below)
        self.blocks.append([linear])

    def _bind_hidden(self, number: int, skip: bool, delta: Array, slope: Array, below: Array | None) -> Array:
        """Adds a hidden layer; returns its delta, which the layer above fills."""
        width = self.network.sizes[number + 1]
        with_ones = np.ones((len(self.parameters), width + 1, self.examples), self.parameters.dtype)
        out = with_ones[:, :-1]
        value = self._empty(width) if skip else out
        shared = self.network.activation.from_value and not self._keeps_z
        z = value if shared else self._empty(width)
        linear = self._linear(number)
        branch: list[Layer] = [linear]
        if self.network.normalization == "none":
            linear.connect(z, delta, below)
        else:
            y, dy = self._empty(width), self._empty(width)
            linear.connect(y, dy, below)
            branch.append(self._normalization(number, y, z, delta, dy))
        self.elementwise.append(Elementwise(self.network.activation, z, value, delta, slope))
        branch.append(self.elementwise[-1])
        self.branches.append(branch)
        if skip and below is not None:
            residual = Residual(branch, self.hidden[-1], value, out, self.network.branch_scale)
            residual.connect(delta, below)
            self.blocks.append([residual])
        else:
            self.blocks.append(branch)
        self.hidden.append(out)
        self._next_input = with_ones
        return delta

    def _linear(self, number: int) -> Linear:
        place = int(self.network.offsets[number]), *self.network.shapes[number]
        linear = Linear(self.parameters, self.gradient, place)
        if number:
            linear.read(self._next_input)
        self.linears.append(linear)
        return linear

    def _normalization(self, number: int, y: Array, z: Array, delta: Array, below: Array) -> Normalization:
        network, width = self.network, self.network.sizes[number + 1]
        kept = network.trained + 2 * sum(network.sizes[1 : number + 1])
        place = int(network.offsets[number + 1]) - 2 * width, width, kept
        kind, statistics = network.normalization, self._statistics
        layer = Normalization(kind, statistics, self.parameters, self.gradient, place)
        layer.connect(y, z, delta, below)
        self.normalizations.append(layer)
        return layer

    def _empty(self, width: int) -> Array:
        return np.empty((len(self.parameters), width, self.examples), self.parameters.dtype)


def with_ones(X: Array) -> Array:
    """Returns X (..., n, m) with a last row of ones: (..., n + 1, m)."""
    return np.concatenate([X, np.ones_like(X[..., :1, :])], axis=-2)


def predict(network: Network, flat: Array, X: Array) -> Array:
    """Returns what the parameters (R, P) answer for X (n_x, m) or (R, n_x, m): (R, n_y, m)."""
    tape = Tape(network, flat, X.shape[-1], statistics="kept")
    tape.read(with_ones(X))
    tape.forward()
    return tape.answers


def evaluate(network: Network, flat: Array, X: Array, Y: Array) -> tuple[Array, Array]:
    """Returns cost and score, each (R,), of the parameters (R, P) on examples X with labels Y."""
    tape = Tape(network, flat, X.shape[-1], statistics="kept")
    tape.load(with_ones(X), network.output.targets(Y))
    tape.forward()
    score = network.output.score(tape.answers, Y)
    return tape.cost(), score


def passed(network: Network, flat: Array, X1: Array, targets: Array, statistics: str = "batch") -> Tape:
    """Returns a tape that has gone forward and back with the parameters (R, P), over data as ``load`` takes
    them.
    """
    tape = Tape(network, flat, X1.shape[-1], statistics=statistics)
    tape.load(X1, targets)
    tape.forward()
    tape.cost()
    tape.backward()
    return tape
