"""The training loop: a generator of records. It writes nothing; its consumer decides what to keep."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from initlab.activations import Array
from initlab.diagnostics import Measurement, Step, measure
from initlab.network import Network, Pass, backward, cost, forward, signs, with_ones

Update = Callable[[Array, Array, dict[str, Array]], None]
Batches = Iterator[NDArray[np.intp]]


class Record(NamedTuple):
    """What one iteration leaves: its cost (R,) before the update, what was measured, and who has diverged.

    ``parameters`` (R, P) are the loop's own, after the update: copy them to keep them. ``diverged`` lists the
    runs whose cost is no longer finite; their parameters stay as they were when that showed.
    """

    iteration: int
    cost: Array
    measures: dict[str, Array]
    parameters: Array
    diverged: Sequence[int]


def fit(
    network: Network,
    parameters: Array,
    X: Array,
    Y: Array,
    update: Update,
    *,
    iterations: int,
    batches: Batches | None = None,
    measure_every: int = 1,
    diagnostics: tuple[Measurement, ...] = (),
) -> Iterator[Record]:
    """Trains R runs at once and yields a Record for every iteration.

    ``parameters`` (R, P) are updated in place. X is (n_x, m), shared, or (R, n_x, m); Y likewise.
    ``batches`` yields the examples (R, b) of each iteration; without it every iteration sees all of them.
    Ends early when every run has diverged.
    """
    blocks, state = network.blocks(parameters), dict[str, Array]()
    frozen: dict[int, Array] = {}
    X1, S = with_ones(X), signs(Y)
    whole = Pass(network, len(parameters), X.shape[-1], parameters.dtype)
    whole.load(X1, S)
    passes: dict[int, Pass] = {}
    arrays = whole
    for iteration in range(iterations):
        if batches is not None:
            examples = next(batches)
            size = examples.shape[-1]
            if size not in passes:
                passes[size] = Pass(network, len(parameters), size, parameters.dtype)
            arrays = passes[size]
            arrays.load(_take(X1, examples), _take(S, examples))
        forward(blocks, arrays)
        costs = cost(arrays)
        backward(blocks, arrays)
        measures: dict[str, Array] = {}
        if diagnostics and iteration % measure_every == 0:
            if arrays is not whole:
                forward(blocks, whole)
            measures = measure(Step(network, parameters, arrays.gradient, whole), diagnostics)
        # The sum of the costs is finite only if each of them is: one cheap test for the usual case.
        if not math.isfinite(np.add.reduce(costs)):
            for run in np.flatnonzero(~np.isfinite(costs)).tolist():
                frozen.setdefault(run, parameters[run].copy())
        update(parameters, arrays.gradient, state)
        for run, values in frozen.items():
            parameters[run] = values
        yield Record(iteration, costs, measures, parameters, tuple(frozen))
        if len(frozen) == len(parameters):
            return


def minibatches(seeds: Sequence[int], examples: int, batch_size: int) -> Batches:
    """Yields the examples (R, b) of one iteration after another, every epoch in a new order.

    Each run shuffles with a stream of its own, derived from its seed and separate from its weights'. The
    last batch of an epoch is smaller where batch_size does not divide the number of examples.
    """
    streams = [np.random.RandomState([seed, 1]) for seed in seeds]
    while True:
        order = np.stack([stream.permutation(examples) for stream in streams])
        for start in range(0, examples, batch_size):
            yield order[:, start : start + batch_size]


def _take(values: Array, examples: NDArray[np.intp]) -> Array:
    stacked = values if values.ndim == 3 else values[np.newaxis]
    taken: Array = np.take_along_axis(stacked, examples[:, np.newaxis, :], axis=-1)
    return taken
