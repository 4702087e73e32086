"""A network at work: its layers, bound to the parameters of R runs and to the arrays of m examples.

As on a tape, what the way forward leaves is what the way back needs. The arrays are reused at every
iteration.
"""

import numpy as np

from initlab.networks.layers import (
    Elementwise,
    Fork,
    Join,
    Layer,
    Linear,
    Normalization,
    ScalarBias,
    ScalarMultiplier,
)
from initlab.networks.network import Network
from initlab.networks.outputs import OutputBuffers
from initlab.types import Array


class Tape:
    """The layers of a network over R runs' parameters (R, P), which may change in place, and m examples.

    * ``hidden[l]`` (R, n_{l+1}, m): the activations of hidden layer l + 1
    * ``values[l]``: φ(z); the activations themselves but where a branch of one layer is added to
    * ``z[l]`` and ``delta[l]``: pre-activations, of hidden layers overwritten by φ(z) where that suffices for
      the slope and ``keeps_z`` is not set, and the derivative of the cost by them; the output's are the last
    * ``output``: the last layer's arrays
    * ``layers``, from the first up; ``blocks[l]`` are those of layer l + 1
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
        self.scalars: list[ScalarBias | ScalarMultiplier] = []
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
        self._begins = {branch[0] for branch in network.branches}
        below: Array | None = None
        for number, (width, skip) in enumerate(zip(widths, network.skips, strict=True)):
            delta = self._empty(width)
            slope = largest[: delta.size].reshape(delta.shape)
            below = self._bind_hidden(number, skip, delta, slope, below)
        self.blocks.append(self._linear(len(widths), self.output.z, self.output.delta, below))

    def _bind_hidden(self, number: int, skip: bool, delta: Array, slope: Array, below: Array | None) -> Array:
        """Adds a hidden layer; returns its delta, which the layer above fills."""
        network, width = self.network, self.network.sizes[number + 1]
        with_ones = np.ones((len(self.parameters), width + 1, self.examples), self.parameters.dtype)
        out, after = with_ones[:, :-1], skip and network.branch_depth == 1
        value = self._empty(width) if after else out
        shared = network.activation.from_value and not self._keeps_z
        z = value if shared else self._empty(width)
        block: list[Layer] = []
        if below is not None and number in self._begins:
            self._fork = Fork(self.hidden[-1], below)
            block.append(self._fork)
        block += self._pre_activation(number, z, delta, below, joins=skip and not after)
        self.elementwise.append(Elementwise(network.activation, z, value, delta, slope))
        block.append(self.elementwise[-1])
        if after:
            block.append(self._join(value, out, delta, delta))
        self.blocks.append(block)
        self.hidden.append(out)
        self._next_input = with_ones
        return delta

    def _pre_activation(
        self, number: int, z: Array, delta: Array, below: Array | None, *, joins: bool
    ) -> list[Layer]:
        """Returns what makes a hidden layer's pre-activations z, from the layer below up."""
        network, width = self.network, self.network.sizes[number + 1]
        upper: list[Layer] = []
        if joins:
            y, dy = self._empty(width), self._empty(width)
            upper.append(self._join(y, z, delta, dy))
            z, delta = y, dy
        for name in reversed(network.scalar_names[number]):
            if name != "bias_in":
                y, dy = self._empty(width), self._empty(width)
                upper.append(self._scalar(number, name, y, z, delta, dy))
                z, delta = y, dy
        if network.normalization != "none":
            y, dy = self._empty(width), self._empty(width)
            upper.append(self._normalization(number, y, z, delta, dy))
            z, delta = y, dy
        return [*self._linear(number, z, delta, below), *reversed(upper)]

    def _linear(self, number: int, z: Array, delta: Array, below: Array | None) -> list[Layer]:
        """Returns a linear layer and, below it, the scalar bias of what it reads if there is one."""
        place = int(self.network.offsets[number]), *self.network.shapes[number]
        linear = Linear(self.parameters, self.gradient, place)
        self.linears.append(linear)
        if below is None or not self.network.scalars:
            linear.connect(z, delta, below)
            if below is not None:
                linear.read(self._next_input)
            return [linear]
        shifted, from_linear = np.ones_like(self._next_input), np.empty_like(below)
        linear.connect(z, delta, from_linear)
        linear.read(shifted)
        bias = self._scalar(number, "bias_in", self.hidden[-1], shifted[:, :-1], from_linear, below)
        return [bias, linear]

    def _join(self, y: Array, z: Array, delta: Array, below: Array) -> Join:
        join = Join(self._fork, self.network.branch_scale)
        join.connect(y, z, delta, below)
        return join

    def _scalar(self, number: int, name: str, y: Array, z: Array, delta: Array, below: Array) -> Layer:
        kind = ScalarMultiplier if name == "multiplier" else ScalarBias
        layer = kind(self.parameters, self.gradient, self.network.scalar_places(number)[name])
        layer.connect(y, z, delta, below)
        self.scalars.append(layer)
        return layer

    def _normalization(self, number: int, y: Array, z: Array, delta: Array, below: Array) -> Normalization:
        network, (width, n_in) = self.network, self.network.shapes[number]
        kept = network.trained + 2 * sum(network.sizes[1 : number + 1])
        place = int(network.offsets[number]) + width * (n_in + 1), width, kept
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
