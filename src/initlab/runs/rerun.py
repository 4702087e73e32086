"""A tracked run trained again from its own artifacts: the same bits, or where they part and why they may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from initlab.config.trust import trusting
from initlab.runs.job import Job, job_of
from initlab.runs.record import description_of
from initlab.runs.stored import Stored, read_back
from initlab.runs.throttle import Progress
from initlab.runs.train import train_untracked
from initlab.tracking.description import environment_tags

AT_THE_START = -1

# What numbers follow from beside their settings, by the tags that say it of a run.
CAUSES = {
    "data": "data",
    "code": "numerical code",
    "version.initlab": "Initlab",
    "version.numpy": "NumPy",
    "version.scipy": "SciPy",
    "version.scikit-learn": "scikit-learn",
    "version.python": "Python",
    "blas": "BLAS kernel",
    "simd": "NumPy's instructions",
    "cpu": "processor",
    "os": "operating system",
}


class Parting(NamedTuple):
    """An array that has other bits now: its name, the iteration at which they part first, AT_THE_START where
    that is before training, and what stands there then and now, None where there is nothing.
    """

    array: str
    iteration: int
    then: float | None
    now: float | None


class Cause(NamedTuple):
    """What numbers follow from, as it was when the run was trained, None if it does not say, and as it is."""

    name: str
    then: str | None
    now: str


@dataclass(frozen=True)
class Rerun:
    """What came of it: the run's name and its number of iterations, how many arrays it left, those that have
    other bits now, in the order in which they part, and what is no longer, or may not be, as it was.
    """

    name: str
    iterations: int
    arrays: int
    partings: Sequence[Parting]
    causes: Sequence[Cause]


def rerun(run_id: str, uri: str, allow_targets: Sequence[str], progress: Progress | None = None) -> Rerun:
    """Returns how a finished run of the store at uri (absolute) comes out when it is trained again.

    Its config names functions; only Initlab's own and those of the modules in ``allow_targets`` are called.
    Raises TrackingError where there is no such store or run, or where it has not finished, and ConfigError
    where its config, or its data, cannot be used any more.
    """
    stored = read_back(run_id, uri)
    job = _job_of(stored, allow_targets)
    again = train_untracked(job, progress)
    now = {**again.history, **again.weights}
    then = {**stored.history, **stored.weights}
    causes = _causes(stored.summary.tags, {**environment_tags(Path.cwd()), **description_of(job).tags})
    return Rerun(job.name, len(stored.history["cost"]), len(then), partings(then, now), causes)


def _job_of(stored: Stored, allow_targets: Sequence[str]) -> Job:
    """Returns the run's job, tracked nowhere and begun anew."""
    changes: dict[str, Any] = {"allow_targets": [], "resume": False, "dry_run": False}
    no_store = {"uri": None, "model": False}
    inside: dict[str, dict[str, Any]] = {"tracking": no_store, "train": {"checkpoint": None}}
    for section, settings in inside.items():
        if isinstance(found := stored.values.get(section), Mapping):
            changes[section] = {**found, **settings}
    with trusting(allow_targets):
        return job_of({**stored.values, **changes}, stored.summary.tags)


def partings(then: Mapping[str, NDArray[Any]], now: Mapping[str, NDArray[Any]]) -> list[Parting]:
    """Returns which arrays of a history and of weights, by name, have other bits, the first to part first."""
    moments = _moments(then if len(then["cost"]) >= len(now["cost"]) else now)
    found: list[Parting] = []
    for name in dict.fromkeys(chain(then, now)):
        one, other = (arrays.get(name, np.empty(0)).ravel() for arrays in (then, now))
        if (place := _first_difference(one, other)) is not None:
            at = moments.get(name, np.empty(0, np.int64))
            iteration = int(at[place]) if place < len(at) else len(moments["cost"])
            numbers = (float(array[place]) if place < len(array) else None for array in (one, other))
            found.append(Parting(name, iteration, *numbers))
    return sorted(found, key=lambda parting: parting.iteration)


def _moments(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.int64]]:
    """Returns at which iteration each number of each array was taken; none of the trained weights."""
    found = {"cost": np.arange(len(arrays["cost"]))}
    steps = found["cost"]
    for name, array in arrays.items():
        if name.endswith("measured_at"):
            steps = array
        if "/" in name or name.endswith("measured_at"):
            found[name] = steps
        elif name.endswith("_initial"):
            found[name] = np.full(array.size, AT_THE_START)
    return found


def _first_difference(one: NDArray[Any], other: NDArray[Any]) -> int | None:
    """Returns where two arrays (n,) first have other bits, None where they are the same."""
    if one.dtype != other.dtype:
        return 0
    common = min(len(one), len(other))
    shape = (common, one.itemsize)
    bits = [np.ascontiguousarray(array[:common]).view(np.uint8).reshape(shape) for array in (one, other)]
    differ = np.flatnonzero((bits[0] != bits[1]).any(axis=1))
    if len(differ):
        return int(differ[0])
    return None if len(one) == len(other) else common


def _causes(then: Mapping[str, str], now: Mapping[str, str]) -> list[Cause]:
    return [
        Cause(name, then.get(tag), now[tag])
        for tag, name in CAUSES.items()
        if tag in now and then.get(tag) != now[tag]
    ]
