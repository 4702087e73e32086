"""The training loop: a generator of records. It writes nothing; its consumer decides what to keep."""

import math
from collections.abc import Container, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from initlab.networks.network import Network
from initlab.networks.tape import Tape, with_ones
from initlab.optimizers.rules import State, Update
from initlab.streams import BATCHES, stream
from initlab.training.step import Step
from initlab.types import Array

Batches = Iterator[NDArray[np.intp]]


class Record(NamedTuple):
    """What one iteration leaves: its cost (R,) before the update and, where one was asked for, its step.

    ``parameters`` (R, P) are the loop's own, after the update: copy them to keep them. ``diverged`` lists the
    runs whose cost is no longer finite; their parameters stay as they were when that showed.
    """

    iteration: int
    cost: Array
    step: Step | None
    parameters: Array
    diverged: Sequence[int]


def fit(
    network: Network,
    parameters: Array,
    data: tuple[Array, Array],
    update: Update,
    *,
    iterations: int,
    batches: Batches | None = None,
    steps_at: Container[int] = (),
) -> Iterator[Record]:
    """Trains R runs at once and yields a Record for every iteration, with a Step at those in ``steps_at``.

    ``parameters`` (R, P) are updated in place. ``data`` are X (n_x, m), shared, or (R, n_x, m), and Y
    likewise. ``batches`` yields the examples (R, b) of each iteration; without it every iteration sees all of
    them. A step is to be measured before the next record is asked for, because its arrays are used again.
    Ends early when every run has diverged.
    """
    X, Y = data
    state, start, trained = State(), parameters.copy(), parameters[:, : network.trained]
    frozen: dict[int, Array] = {}
    examples = Examples(network, parameters, with_ones(X), network.output.targets(Y))
    for iteration in range(iterations):
        tape = examples.all() if batches is None else examples.some(next(batches))
        tape.forward()
        costs = tape.cost()
        tape.backward()
        looking = iteration in steps_at
        if looking:  # the update changes both
            before, gradient = parameters.copy(), tape.gradient.copy()
        # The sum of the costs is finite only if each of them is: one cheap test for the usual case.
        if not math.isfinite(np.add.reduce(costs)):
            for run in np.flatnonzero(~np.isfinite(costs)).tolist():
                frozen.setdefault(run, parameters[run].copy())
        update(trained, tape.gradient, state)
        state.step += 1
        tape.keep_statistics()
        for run, values in frozen.items():
            parameters[run] = values
        step = Step(network, start, before, gradient, parameters, tape) if looking else None
        yield Record(iteration, costs, step, parameters, tuple(frozen))
        if len(frozen) == len(parameters):
            return


class Examples:
    """The examples that iterations see: all of them, or some, each number of them with a tape of its own."""

    def __init__(self, network: Network, parameters: Array, X1: Array, targets: Array) -> None:
        self._network, self._parameters = network, parameters
        self._X1, self._targets = X1, targets
        self._tapes: dict[int, Tape] = {}

    def all(self) -> Tape:
        """Returns the tape that is loaded with all examples."""
        size = self._X1.shape[-1]
        if size not in self._tapes:
            self._tape(size).load(self._X1, self._targets)
        return self._tapes[size]

    def some(self, chosen: NDArray[np.intp]) -> Tape:
        """Returns a tape that is loaded with each run's chosen examples (R, b)."""
        tape = self._tape(chosen.shape[-1])
        tape.load(self._taken(self._rows[0], chosen), self._taken(self._rows[1], chosen))
        return tape

    def _tape(self, size: int) -> Tape:
        if size not in self._tapes:
            self._tapes[size] = Tape(self._network, self._parameters, size)
        return self._tapes[size]

    @cached_property
    def _rows(self) -> tuple[Array, Array]:
        """Each example as a row, which is then taken as one piece of memory: (m, n), or (R, m, n)."""
        return np.ascontiguousarray(self._X1.mT), np.ascontiguousarray(self._targets.mT)

    @staticmethod
    def _taken(rows: Array, chosen: NDArray[np.intp]) -> Array:
        runs = np.arange(len(chosen))[:, np.newaxis]
        taken: Array = rows[chosen] if rows.ndim == 2 else rows[runs, chosen]
        return taken.mT


def minibatches(seeds: Sequence[int], examples: int, batch_size: int) -> Batches:
    """Yields the examples (R, b) of one iteration after another, every epoch in a new order.

    Each run shuffles with a stream of its own. The last batch of an epoch is smaller where batch_size does
    not divide the number of examples.
    """
    shuffles = [stream(seed, BATCHES) for seed in seeds]
    while True:
        order = np.stack([shuffle.permutation(examples) for shuffle in shuffles])
        for start in range(0, examples, batch_size):
            yield order[:, start : start + batch_size]
