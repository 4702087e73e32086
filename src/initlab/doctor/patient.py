"""The store that is examined, and what the checks ask of it."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from initlab.errors import TrackingError, first_line
from initlab.tracking.inspection import TrackedRun, all_runs
from initlab.tracking.reading import file_of


@dataclass(frozen=True)
class Patient:
    """A store at uri (absolute), of which all runs are examined or those of one experiment.

    ``folder`` is where the command was started. What is read is kept: after a change take another Patient.
    """

    uri: str
    folder: Path
    experiment: str = ""

    @cached_property
    def runs(self) -> Sequence[TrackedRun]:
        """The runs, the oldest first."""
        return all_runs(self.uri, self.experiment)

    @property
    def trained(self) -> list[TrackedRun]:
        """The training runs that have finished."""
        return [run for run in self.runs if run.trained]

    def arrays(self, run: TrackedRun, name: str) -> dict[str, NDArray[Any]]:
        """Returns the arrays of an npz file of a run; raises TrackingError where it cannot be read."""
        with file_of(self.uri, run.run_id, run.place, name) as path:
            try:
                # NumPy leaves a file that it opens itself open where it is broken.
                with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                    return dict(arrays)
            except (ValueError, OSError, EOFError, BadZipFile, NotImplementedError, zlib.error) as error:
                raise TrackingError(
                    f"run {run.run_id}: {name}: cannot be read: {first_line(error)}"
                ) from error
