"""What the store should hold of a run's series, by its ``history.npz``."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from initlab.doctor.patient import Patient
from initlab.errors import TrackingError
from initlab.runs.logged import logged_steps
from initlab.runs.stored import HISTORY
from initlab.tracking.inspection import TrackedRun
from initlab.tracking.stored_series import THINNED
from initlab.types import Array

Steps = NDArray[np.int64]


class Curve(NamedTuple):
    """The finite values (n,) of a metric, and the iterations (n,) that they are of, in rising order."""

    steps: Steps
    values: Array

    def at(self, where: NDArray[Any]) -> "Curve":
        """Returns a part of it."""
        return Curve(self.steps[where], self.values[where])


def history_of(patient: Patient, run: TrackedRun) -> dict[str, Curve]:
    """Returns all curves of a run's exact history; raises TrackingError where it cannot be read."""
    arrays = patient.arrays(run, HISTORY)
    try:
        return {key: Curve(at, values).at(np.isfinite(values)) for key, at, values in _curves(arrays)}
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise TrackingError(f"run {run.run_id}: {HISTORY}: is not a history of Initlab's") from error


def _curves(arrays: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, Steps, Array]]:
    at = np.arange(len(arrays["cost"]))
    for key, values in arrays.items():
        if key.endswith("measured_at"):  # each array of iterations is followed by what was measured then
            at = values.astype(np.int64)
        elif values.shape != at.shape:
            raise ValueError
        else:
            yield key, at, values.astype(np.float64)


def expected_of(run: TrackedRun, history: Mapping[str, Curve]) -> dict[str, Curve]:
    """Returns the curves that the store should hold: those of the history, the cost only at the iterations
    that ``tracking.every`` names, and thinned if the run's tag says so.
    """
    curves = {**history, "cost": _logged(history["cost"], run.parameters.get("tracking.every", "1"))}
    if THINNED in run.tags:
        curves = {key: thinned(curve) for key, curve in curves.items()}
    return {key: curve for key, curve in curves.items() if len(curve.steps)}


def _logged(cost: Curve, every: str) -> Curve:
    if every == "log":
        return (
            cost.at(np.isin(cost.steps, logged_steps(int(cost.steps[-1]) + 1))) if len(cost.steps) else cost
        )
    return cost.at(cost.steps % int(every) == 0) if every.isdecimal() and int(every) else cost


def thinned(curve: Curve) -> Curve:
    """Returns of a curve what stays of it: for each iteration that ``tracking.every=log`` logs the value that
    was measured then or next, so that a curve of all iterations is left as if it had been logged so.
    """
    if not len(curve.steps):
        return curve
    wanted = logged_steps(int(curve.steps[-1]) + 1)
    return curve.at(np.unique(np.searchsorted(curve.steps, wanted)))
