"""How much of a job group's work is done: a run is trained, and then it is written and drawn."""

import time
from collections.abc import Callable
from math import inf
from typing import Any

SECONDS_TO_KEEP = (
    0.15  # a run of the notebook's network, roughly; where training is short, that is most of it
)


class Work:
    """Reports which share of a group's work is done, from what its stacks say one after another."""

    def __init__(self, jobs: int, report: Callable[[float], None]) -> None:
        self._jobs, self._report = jobs, report
        self._kept, self._waiting = 0, 0.0  # runs that are kept, and runs' worth of training that is not
        self._training_share = 1.0  # of a run's work
        self._began, self._first, self._last = time.monotonic(), 0, inf  # of the stack that trains

    def trained(self, label: str, iteration: int, iterations: int, costs: Any) -> None:
        """Takes how far a stack is, as ``Progress`` does."""
        now, runs = time.monotonic(), len(costs)
        if iteration <= self._last:
            self._began, self._first = now, iteration - 1
        self._last = iteration
        training = (now - self._began) * iterations / (iteration - self._first)
        self._training_share = training / (training + runs * SECONDS_TO_KEEP)
        self._waiting = runs * iteration / iterations
        self._tell()

    def kept(self, runs: int) -> None:
        """Takes that so many more runs of the stack are written and drawn."""
        self._kept += runs
        self._last = inf
        self._waiting = max(0.0, self._waiting - runs)
        self._tell()

    def _tell(self) -> None:
        self._report((self._kept + self._training_share * self._waiting) / self._jobs)
