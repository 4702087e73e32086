"""What is written into a store, and the one interface of the two ways to write it.

``BulkWriter`` fills MLflow's own tables, one transaction for a whole stack; ``ClientWriter`` makes calls of
MLflow's client, for a server or for tables that Initlab does not know. Both leave the same.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from initlab.tracking.record import Record

Row = tuple[str, float, int, int, bool, str]
COLUMNS = ("key", "value", "timestamp", "step", "is_nan", "run_uuid")
"""What a Row holds, by MLflow's names of the columns."""

ROWS_AT_ONCE = 10_000
ENDED_BECAUSE = "ended_because"  # the tag of a run that was ended from outside
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Series(NamedTuple):
    """One metric of one run: values (n,), steps (n,) in rising order and timestamps (n,) in ms since 1970."""

    run_id: str
    key: str
    values: NDArray[Any]
    steps: NDArray[np.int64]
    timestamps: NDArray[np.int64]

    def at(self, where: slice | NDArray[np.bool_]) -> "Series":
        """Returns a part of the series."""
        return Series(self.run_id, self.key, self.values[where], self.steps[where], self.timestamps[where])

    def finite(self) -> "Series":
        """Returns the series without its values that are NaN or infinite."""
        keep = np.isfinite(self.values)
        return self if keep.all() else self.at(keep)

    def rows(self) -> Iterator[Row]:
        """Yields the values as rows of MLflow's table of metrics, of which few exist at a time."""
        for start in range(0, len(self.values), ROWS_AT_ONCE):
            part = self.at(slice(start, start + ROWS_AT_ONCE))
            columns = (array.tolist() for array in (part.values, part.timestamps, part.steps))
            yield from zip(repeat(self.key), *columns, repeat(False), repeat(self.run_id), strict=False)


class Ending(NamedTuple):
    """How a run ends: FINISHED, FAILED or KILLED, with the numbers that it has once and its last tags.

    The tags do not hold the run's name. ``time`` is in ms since 1970; None: when it is written.
    """

    run_id: str
    status: str
    metrics: Mapping[str, float] = NOTHING
    tags: Mapping[str, str] = NOTHING
    time: int | None = None

    def series(self, timestamp: int) -> list[Series]:
        """Returns the finite metrics as series of one value.

        They are at step 0, which is MLflow's own default: then the UI compares them by bars.
        """
        step, times = np.array([0]), np.array([timestamp])
        ones = [Series(self.run_id, key, np.array([v]), step, times) for key, v in self.metrics.items()]
        return [one for one in ones if np.isfinite(one.values).all()]


class Writer(Protocol):
    """Writes the runs of a stack. The errors are those of MLflow, the database or the network."""

    def start(self, experiment_id: str, records: "Sequence[Record]") -> list[tuple[str, str]]:
        """Makes RUNNING runs and returns the id and the place of the files of each, in order.

        Names and lengths are within MLflow's limits. When it fails, none of the runs is left RUNNING, unless
        the store went away: then they are found again by ``locate``.
        """

    def log(self, series: Sequence[Series]) -> None:
        """Writes series whose values are all finite; each has one at least."""

    def close(self, endings: Sequence[Ending]) -> None:
        """Ends the runs."""

    def locate(self, experiment_id: str, records: "Sequence[Record]") -> list[tuple[str, str]]:
        """Returns the id and the place of the files of each run, which need not be there yet."""

    def deliver(self, experiment_id: str, records: "Sequence[Record]") -> None:
        """Writes located runs as they are recorded, whatever of them is there: done twice, it is the same."""

    def missing(self, run_ids: Sequence[str]) -> set[str]:
        """Returns those of the runs that were deleted."""


def now() -> int:
    """Returns the time in ms since 1970."""
    return time.time_ns() // 1_000_000


def start_times(runs: int) -> range:
    """Returns a time for each of the runs that start now: MLflow lists runs by it, and so in their order."""
    end = now()
    return range(end - runs, end)
