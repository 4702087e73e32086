"""What a stack of runs left behind: costs, measurements and snapshots, kept in arrays as they come."""

import time
from bisect import bisect_left
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initlab.training.loop import Record
from initlab.types import Array


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
        self.measures, self.rare = Measured(), Measured()
        self.snapshots: dict[int, Array] = {}
        self.stopped_at: dict[int, int] = {}
        self._snapshot_at = frozenset(snapshot_at)

    def add(self, record: Record) -> None:
        """Keeps a record."""
        iteration = record.iteration
        self.costs[iteration] = record.cost
        self.times[iteration] = time.time_ns() // 1_000_000
        self.length = iteration + 1
        self.measures.add(iteration, record.measures)
        self.rare.add(iteration, record.rare)
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
        name, ``rarely_measured_at`` (j,) and each rare measurement (j,) by name.
        """
        n = self.iterations_of(run)
        found: dict[str, NDArray[Any]] = {"cost": self.costs[:n, run].copy()}
        for name, measured in (("measured_at", self.measures), ("rarely_measured_at", self.rare)):
            steps, tables = measured.tables()
            k = int(np.searchsorted(steps, n))
            found |= {name: steps[:k].copy()} | {key: t[:k, run].copy() for key, t in tables.items()}
        return found


class Measured:
    """Measurements of R runs that are taken together, at the same iterations."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._rows: dict[str, list[Array]] = {}
        self._tables: tuple[int, dict[str, Array]] = 0, {}

    def add(self, iteration: int, values: Mapping[str, Array]) -> None:
        """Keeps what was measured, if anything was."""
        if values:
            self._steps.append(iteration)
            for key, value in values.items():
                self._rows.setdefault(key, []).append(value)

    def tables(self, since: int = 0) -> tuple[NDArray[np.int64], dict[str, Array]]:
        """Returns the iterations (k,) from ``since`` on, and by name what was measured at those (k, R)."""
        first = bisect_left(self._steps, since)
        steps = np.array(self._steps[first:], np.int64)
        if first == len(self._steps):
            return steps, {}
        if first:
            return steps, {key: np.stack(rows[first:]) for key, rows in self._rows.items()}
        if self._tables[0] != len(steps):  # each run of a stack asks for the same
            self._tables = len(steps), {key: np.stack(rows) for key, rows in self._rows.items()}
        return steps, self._tables[1]
