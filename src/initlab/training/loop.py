"""The training loop: a generator of records. It writes nothing; its consumer decides what to keep."""

import math
from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from initlab.networks.network import Network
from initlab.networks.tape import Tape, with_ones
from initlab.optimizers.rules import Update
from initlab.streams import BATCHES, stream
from initlab.training.standing import Standing
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
    runs: Standing,
    data: tuple[Array, Array],
    update: Update,
    *,
    iterations: int,
    batches: Batches | None = None,
    steps_at: Container[int] = (),
) -> Iterator[Record]:
    """Trains R runs at once, from where they stand up to so many ``iterations``, and yields a Record for each
    of those, with a Step at those in ``steps_at``.

    ``runs`` are updated in place, and with every record they are as they stand after it. ``data`` are X
    (n_x, m), shared, or (R, n_x, m), and Y likewise. ``batches`` yields the examples (R, b) of each iteration
    that is left; without it every iteration sees all of them. A step is to be measured before the next record
    is asked for, because its arrays are used again. Ends early when every run has diverged.
    """
    (X, Y), parameters, state, frozen = data, runs.parameters, runs.state, runs.frozen
    trained = parameters[:, : network.trained]
    tapes = _tapes(network, parameters, with_ones(X), network.output.targets(Y), batches)
    for iteration in range(runs.iteration, iterations):
        if len(frozen) == len(parameters):
            return
        tape = next(tapes)
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
        step = None
        if looking:
            step = Step(network, runs.start, before, gradient, parameters, tape, iteration, runs.seeds)
        yield Record(iteration, costs, step, parameters, tuple(frozen))


def _tapes(
    network: Network, parameters: Array, X1: Array, targets: Array, batches: Batches | None
) -> Iterator[Tape]:
    """Yields the tape of each iteration, loaded with all examples or those of each run's batch (R, b)."""
    if batches is None:
        tape = Tape(network, parameters, X1.shape[-1])
        tape.load(X1, targets)
        while True:
            yield tape
    # Each example is a row, which is then taken as one piece of memory: (m, n), or (R, m, n).
    rows = [np.ascontiguousarray(examples.mT) for examples in (X1, targets)]
    runs, by_size = np.arange(len(parameters))[:, np.newaxis], dict[int, Tape]()
    for chosen in batches:
        size = chosen.shape[-1]
        if size not in by_size:
            by_size[size] = Tape(network, parameters, size)
        X1, targets = ((each[chosen] if each.ndim == 2 else each[runs, chosen]).mT for each in rows)
        by_size[size].load(X1, targets)
        yield by_size[size]


def minibatches(seeds: Sequence[int], examples: int, batch_size: int, first: int = 0) -> Batches:
    """Yields the examples (R, b) of one iteration after another from the ``first``, every epoch in a new
    order.

    Each run shuffles with a stream of its own. The last batch of an epoch is smaller where batch_size does
    not divide the number of examples.
    """
    shuffles, epoch = [stream(seed, BATCHES) for seed in seeds], range(0, examples, batch_size)
    for _ in range(first // len(epoch)):  # drawing what is past takes next to no time
        for shuffle in shuffles:
            shuffle.permutation(examples)
    begin = first % len(epoch)
    while True:
        order = np.stack([shuffle.permutation(examples) for shuffle in shuffles])
        for start in epoch[begin:]:
            yield order[:, start : start + batch_size]
        begin = 0
