"""Learning-rate schedules: functions that return the factor on the learning rate at an iteration.

Every schedule takes ``(iteration, iterations, *, hyper-parameters)``: the number of this iteration,
counted from 0, and of all there will be. Hyper-parameters are numbers or (R, 1), and so is the factor. All
begin with ``warmup`` iterations of linear growth, 1 / warmup, 2 / warmup, …, 1 (Goyal et al. 2017,
arXiv:1706.02677); 0 and 1 mean none.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from initlab.config.rules import Count, NonNegative, Positive, Size
from initlab.optimizers.rules import State, Update
from initlab.types import Array

Factor = float | Array
Schedule = Callable[[int, int], Factor]


def constant(iteration: int, iterations: int, *, warmup: Size) -> Factor:
    """Returns 1 after the warm-up."""
    factor: Factor = np.minimum(1, (iteration + 1) / np.maximum(warmup, 1))
    return factor


def step(iteration: int, iterations: int, *, factor: Positive, every: Count, warmup: Size) -> Factor:
    """Returns 1, factor, factor², …: the next power after every ``every`` iterations, warm-up included."""
    power: Factor = np.power(factor, np.floor_divide(iteration, every))
    return power * constant(iteration, iterations, warmup=warmup)


def cosine(iteration: int, iterations: int, *, final_factor: NonNegative, warmup: Size) -> Factor:
    """Returns half a cosine, from 1 where the warm-up ends to final_factor at the last iteration.

    Loshchilov & Hutter 2017, 'SGDR: Stochastic gradient descent with warm restarts', arXiv:1608.03983,
    eq. 5, without restarts.
    """
    first = np.maximum(warmup, 1) - 1
    progress = np.clip((iteration - first) / np.maximum(iterations - 1 - first, 1), 0, 1)
    share = (1 + np.cos(np.pi * progress)) / 2
    decayed: Factor = share + (1 - share) * final_factor
    return decayed * constant(iteration, iterations, warmup=warmup)


def scheduled(update: "partial[Any]", schedule: Schedule, iterations: int) -> Update:
    """Returns the update rule with its learning rate times the schedule's factor at ``state.step``."""
    if "learning_rate" not in update.keywords:
        raise ValueError(f"{update.func.__name__}: has no learning_rate, which a schedule would change")
    rate = update.keywords["learning_rate"]

    def scheduled_update(parameters: Array, gradient: Array, state: State) -> None:
        factor = schedule(state.step, iterations)
        if np.ndim(factor) == 0:  # a NumPy scalar would make float64 of float32
            factor = float(factor)
        update(parameters, gradient, state, learning_rate=rate * factor)

    return scheduled_update
