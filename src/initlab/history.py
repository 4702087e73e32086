"""What a stack of runs left behind: costs, measurements and snapshots, kept in arrays as they come."""

import time
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initlab.activations import Array
from initlab.loop import Record


def frame_iterations(iterations: int, frames: int) -> list[int]:
    """Returns at most ``frames`` log-spaced iterations, the last one included, in rising order."""
    if frames == 0:
        return []
    made = np.geomspace(iterations, 1, frames)  # from the end, so that one frame is the last
    return sorted({round(n) - 1 for n in made.tolist()})


class History:
    """The records of R runs. ``costs`` is (iterations, R), of which ``length`` rows are filled."""

    def __init__(self, runs: int, iterations: int, snapshot_at: Collection[int]) -> None:
        self.costs = np.empty((iterations, runs))
        self.times = np.empty(iterations, np.int64)
        self.length = 0
        self.measured_at: list[int] = []
        self.measures: dict[str, list[Array]] = {}
        self.snapshots: dict[int, Array] = {}
        self.stopped_at: dict[int, int] = {}
        self._snapshot_at = frozenset(snapshot_at)

    def add(self, record: Record) -> None:
        """Keeps a record."""
        iteration = record.iteration
        self.costs[iteration] = record.cost
        self.times[iteration] = time.time_ns() // 1_000_000
        self.length = iteration + 1
        if record.measures:
            self.measured_at.append(iteration)
            for key, values in record.measures.items():
                self.measures.setdefault(key, []).append(values)
        if iteration in self._snapshot_at:
            self.snapshots[iteration] = record.parameters.copy()
        if len(record.diverged) > len(self.stopped_at):
            for run in record.diverged:
                self.stopped_at.setdefault(run, iteration)

    def iterations_of(self, run: int) -> int:
        """Returns how many iterations a run made, its last one included if it diverged there."""
        return self.stopped_at.get(run, self.length - 1) + 1

    def arrays(self, run: int) -> dict[str, NDArray[Any]]:
        """Returns a run's exact history: ``cost`` (n,), ``measured_at`` (k,) and each measurement (k,) by
        name.
        """
        n = self.iterations_of(run)
        measured_at = np.array([i for i in self.measured_at if i < n], np.int64)
        k = len(measured_at)
        measures = {key: np.array([row[run] for row in rows[:k]]) for key, rows in self.measures.items()}
        return {"cost": self.costs[:n, run].copy(), "measured_at": measured_at, **measures}
