"""How the boundary of a run forms: its training once more, seen at iterations that are chosen now."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from initlab.runs.job import Job, stack_of
from initlab.runs.pictures import boundary_at
from initlab.training.loop import fit
from initlab.types import Array

if TYPE_CHECKING:
    from PIL.Image import Image


def film(job: Job, costs: Array, frames: int) -> "list[Image]":
    """Returns at most so many pictures of a run's boundary, from its start to its end.

    ``costs`` are those that the run has left, after 0, 1, … updates, the last infinite if it diverged. Each
    picture names the iteration and its cost.
    """
    found = parameters_along(job, spread_out(len(costs) - 1, frames))
    return [boundary_at(job, n, float(costs[n]), parameters) for n, parameters in found.items()]


def spread_out(last: int, count: int) -> list[int]:
    """Returns at most so many iterations from 0 to the last one, closer to each other at the beginning."""
    if count == 1:
        return [last]
    return sorted({round(last * (n / (count - 1)) ** 2) for n in range(count)})


def parameters_along(job: Job, iterations: Sequence[int]) -> dict[int, Array]:
    """Returns by iteration the parameters (P,) that so many updates of a job's training have made.

    Training is deterministic, so these are the parameters of the run that the job's config has made.
    """
    stack, found = stack_of([job]), {0: job.initial}
    parameters, data = stack.start.copy(), (stack.data.X_train, stack.data.Y_train)
    train = stack.settings.train
    with threadpool_limits(train.threads), np.errstate(all="ignore"):  # as when it was trained
        records = fit(
            stack.network,
            parameters,
            data,
            stack.update,
            iterations=max(iterations),
            batches=stack.batches(),
        )
        for record in records:
            if record.iteration + 1 in iterations:
                found[record.iteration + 1] = record.parameters[0].copy()
    return {iteration: found[iteration] for iteration in iterations if iteration in found}
