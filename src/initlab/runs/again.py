"""A run trained again, for what was not kept of it: its parameters along the way.

Training is deterministic, so they are those that it had.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from initlab.networks.tape import evaluate
from initlab.runs.job import Job, stack_of
from initlab.training.loop import fit
from initlab.training.standing import at_start
from initlab.types import Array

Seen = TypeVar("Seen")


class Moment(NamedTuple):
    """A run after so many ``updates``: its parameters (P,), their cost, and whether it has diverged.

    The cost is that of all training examples, as the final cost is, and not that of a mini-batch.
    """

    updates: int
    parameters: Array
    cost: float
    diverged: bool


def watched(job: Job, after: Collection[int], look: Callable[[Moment], Seen]) -> list[Seen]:
    """Returns what ``look`` makes of a job's run after each of the numbers of updates, in rising order.

    A run that diverges is looked at when that shows, and then no more.
    """
    stack = stack_of([job])
    network, runs, data = stack.network, at_start(stack.start.copy()), stack.data
    X, Y = data.X_train, data.Y_train
    iterations = job.settings.train.iterations

    def moment(updates: int, diverged: bool = False) -> Moment:
        [cost], _ = evaluate(network, runs.parameters, X, Y)
        return Moment(updates, runs.parameters[0].copy(), float(cost), diverged or not np.isfinite(cost))

    # As it was trained: see runs/train.py.
    with threadpool_limits(job.settings.train.threads), np.errstate(all="ignore"):
        seen = [look(moment(0))] if 0 in after else []
        records = fit(network, runs, (X, Y), stack.update, iterations=iterations, batches=stack.batches())
        for record in records:
            if record.diverged:
                return [*seen, look(moment(record.iteration, diverged=True))]
            if record.iteration + 1 in after:
                seen.append(look(moment(record.iteration + 1)))
    return seen
