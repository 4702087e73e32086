"""What a stack of runs left behind: costs, measurements and snapshots, kept in arrays as they come."""

import time
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initlab.activations import Array
from initlab.loop import Record


def log_spaced(iterations: int, points: int) -> list[int]:
    """Returns at most ``points`` log-spaced iterations, the last one included, in rising order."""
    if points == 0:
        return []
    made = np.geomspace(iterations, 1, points)  # from the end, so that one point is the last
    return sorted({round(n) - 1 for n in made.tolist()})


class History:
    """The records of R runs. ``costs`` is (iterations, R), of which ``length`` rows are filled."""

    def __init__(self, runs: int, iterations: int, snapshot_at: Collection[int]) -> None:
        self.costs = np.empty((iterations, runs))
        self.times = np.empty(iterations, np.int64)
        self.length = 0
        self.measures: dict[str, dict[int, Array]] = {}
        self.snapshots: dict[int, Array] = {}
        self.stopped_at: dict[int, int] = {}
        self._snapshot_at = frozenset(snapshot_at)
        self._made_of, self._tables = -1, (np.empty(0, np.int64), dict[str, Array]())

    def add(self, record: Record) -> None:
        """Keeps a record."""
        iteration = record.iteration
        self.costs[iteration] = record.cost
        self.times[iteration] = time.time_ns() // 1_000_000
        self.length = iteration + 1
        for key, values in record.measures.items():
            self.measures.setdefault(key, {})[iteration] = values
        if iteration in self._snapshot_at:
            self.snapshots[iteration] = record.parameters.copy()
        if len(record.diverged) > len(self.stopped_at):
            for run in record.diverged:
                self.stopped_at.setdefault(run, iteration)

    def iterations_of(self, run: int) -> int:
        """Returns how many iterations a run made, its last one included if it diverged there."""
        return self.stopped_at.get(run, self.length - 1) + 1

    def measured(self, key: str, since: int = 0) -> tuple[NDArray[np.int64], Array]:
        """Returns the iterations (k,), from ``since`` on, at which something was measured, and it (k, R)."""
        rows = self.measures[key]
        steps = [step for step in rows if step >= since]
        if not steps:
            return np.empty(0, np.int64), np.empty((0, self.costs.shape[1]))
        return np.array(steps, np.int64), np.stack([rows[step] for step in steps])

    def arrays(self, run: int) -> dict[str, NDArray[Any]]:
        """Returns a run's exact history: ``cost`` (n,), ``measured_at`` (k,) and each measurement (k,) by
        name, NaN where that one was not measured.
        """
        n = self.iterations_of(run)
        steps, values = self._aligned
        k = int(np.searchsorted(steps, n))
        measures = {key: table[:k, run].copy() for key, table in values.items()}
        return {"cost": self.costs[:n, run].copy(), "measured_at": steps[:k].copy(), **measures}

    @property
    def _aligned(self) -> tuple[NDArray[np.int64], dict[str, Array]]:
        """All iterations at which anything was measured (k,), and each measurement (k, R) at those."""
        if self._made_of != self.length:
            steps = np.unique([step for rows in self.measures.values() for step in rows]).astype(np.int64)
            tables = {}
            for key in self.measures:
                at, values = self.measured(key)
                tables[key] = np.full(
                    (len(steps), values.shape[1]), np.nan, np.result_type(values, np.float32)
                )
                tables[key][np.searchsorted(steps, at)] = values
            self._made_of, self._tables = self.length, (steps, tables)
        return self._tables
