"""What a stack of runs leaves behind: costs, measurements and snapshots, kept in arrays as they come."""

import time
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initlab.training.loop import Record
from initlab.training.probe import Probe
from initlab.types import Array


class History:
    """The records of R runs. ``costs`` is (iterations, R), of which ``length`` rows are filled.

    A record's step is measured by each probe whose iteration it is.
    """

    def __init__(
        self, runs: int, iterations: int, probes: Sequence[Probe] = (), snapshot_at: Collection[int] = ()
    ) -> None:
        self.costs = np.empty((iterations, runs))
        self.times = np.empty(iterations, np.int64)
        self.length = 0
        self.measured = [(probe, Measured()) for probe in probes]
        self.snapshots: dict[int, Array] = {}
        self.stopped_at: dict[int, int] = {}
        self._snapshot_at = frozenset(snapshot_at)

    def add(self, record: Record) -> None:
        """Keeps a record."""
        iteration = record.iteration
        if record.step is not None:
            for probe, measured in self.measured:
                if probe.measurements and iteration in probe.iterations:
                    measured.add(iteration, probe.measure(record.step))
        self.costs[iteration] = record.cost
        self.times[iteration] = time.time_ns() // 1_000_000
        self.length = iteration + 1
        if iteration in self._snapshot_at:
            self.snapshots[iteration] = record.parameters.copy()
        if len(record.diverged) > len(self.stopped_at):
            for run in record.diverged:
                self.stopped_at.setdefault(run, iteration)

    def of(self, run: int) -> dict[str, NDArray[Any]]:
        """Returns all that is kept of one run so far, as arrays by name, for ``take``."""
        kept: dict[str, NDArray[Any]] = {
            "costs": self.costs[: self.length, run],
            "times": self.times[: self.length],
        }
        kept |= {f"snapshot/{iteration}": taken[run] for iteration, taken in self.snapshots.items()}
        if run in self.stopped_at:
            kept["stopped_at"] = np.array(self.stopped_at[run])
        for probe, measured in self.measured:
            steps, tables = measured.tables()
            kept[probe.name] = steps
            kept |= {f"{probe.name}/{key}": table[:, run] for key, table in tables.items()}
        return kept

    def take(self, runs: Sequence[Mapping[str, NDArray[Any]]]) -> None:
        """Goes on from what was kept of runs that all stand before the same iteration, by ``of``."""
        costs, self.times[: len(runs[0]["times"])] = _whole(runs, "costs"), runs[0]["times"]
        self.costs[: len(costs)], self.length = costs, len(costs)
        for iteration in self._snapshot_at:
            if (key := f"snapshot/{iteration}") in runs[0]:
                self.snapshots[iteration] = np.stack([run[key] for run in runs])
        self.stopped_at = {i: int(run["stopped_at"]) for i, run in enumerate(runs) if "stopped_at" in run}
        for probe, measured in self.measured:
            prefix = f"{probe.name}/"
            names = [key for key in runs[0] if key.startswith(prefix)]
            tables = {key.removeprefix(prefix): _whole(runs, key) for key in names}
            measured.take(runs[0][probe.name], tables)

    @property
    def steps_at(self) -> frozenset[int]:
        """The iterations whose steps are measured."""
        return frozenset().union(*(probe.iterations for probe, _ in self.measured if probe.measurements))

    def iterations_of(self, run: int) -> int:
        """Returns how many iterations a run made, its last one included if it diverged there."""
        return self.stopped_at.get(run, self.length - 1) + 1

    def arrays(self, run: int) -> dict[str, NDArray[Any]]:
        """Returns a run's exact history: ``cost`` (n,) and for each probe its iterations (k,) by the probe's
        name and each of its measurements (k,) by metric name.
        """
        n = self.iterations_of(run)
        found: dict[str, NDArray[Any]] = {"cost": self.costs[:n, run].copy()}
        for probe, measured in self.measured:
            steps, tables = measured.tables()
            k = int(np.searchsorted(steps, n))
            found |= {probe.name: steps[:k].copy()} | {key: t[:k, run].copy() for key, t in tables.items()}
        return found


def _whole(parts: Sequence[Mapping[str, NDArray[Any]]], key: str) -> NDArray[Any]:
    return np.stack([part[key] for part in parts], axis=-1)


class Measured:
    """Measurements of R runs that are taken together, at the same iterations."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._rows: dict[str, list[Array]] = {}
        self._asked, self._tables = (0, 0), dict[str, Array]()

    def add(self, iteration: int, values: Mapping[str, Array]) -> None:
        """Keeps what was measured."""
        self._steps.append(iteration)
        for key, value in values.items():
            self._rows.setdefault(key, []).append(value)

    def take(self, steps: NDArray[np.int64], tables: Mapping[str, Array]) -> None:
        """Goes on from what ``tables`` once returned."""
        self._steps = steps.tolist()
        self._rows = {key: list(table) for key, table in tables.items()}

    def tables(self, since: int = 0) -> tuple[NDArray[np.int64], dict[str, Array]]:
        """Returns the iterations (k,) from ``since`` on, and by name what was measured at those (k, R)."""
        first, end = bisect_left(self._steps, since), len(self._steps)
        if self._asked != (first, end):  # each run of a stack asks for the same
            self._asked = first, end
            self._tables = {key: np.stack(rows[first:]) for key, rows in self._rows.items() if first < end}
        return np.array(self._steps[first:], np.int64), self._tables
