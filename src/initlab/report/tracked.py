"""A sweep, or several together, read back from what MLflow holds of its runs."""

import json
from collections.abc import Mapping, Sequence
from json import JSONDecodeError

from initlab.config.targets import GROUPS
from initlab.errors import TrackingError
from initlab.report.sweep import Sweep
from initlab.runs.outcome import Outcome
from initlab.runs.stored import summary_of
from initlab.tracking.reading import StoredRun, newest_sweeps, runs_of_sweep

MOST_NAMED = 5  # sweeps in an error
WITHOUT_EFFECT = ("diagnostics", "plots", "report", "tracking")  # on what a run comes to


def tracked_sweep(uri: str, experiment: str, names: Sequence[str] = ()) -> tuple[Sweep, Mapping[str, str]]:
    """Returns the sweeps of those names as one, and the parameters of one of its runs.

    Without names it is the experiment's last. Raises TrackingError, in one line, where the store at uri
    (absolute) cannot be read, has no such sweep, or no run of it has finished.
    """
    names = names or newest_sweeps(uri, experiment, 1)
    if not names:
        raise TrackingError(f"experiment={experiment}: has no sweep in {uri}")
    sweeps = {name: _runs(uri, experiment, name) for name in names}
    runs = [run for some in sweeps.values() for run in some]
    outcomes = _outcomes(uri, runs, several=len(names) > 1)
    finished = next((run for run in runs if run.status == "FINISHED"), None)
    if finished is None:
        raise TrackingError(f"sweep={','.join(names)}: none of its {len(runs)} runs has finished")
    command = "\n".join(_command(uri, experiment, name) for name in names)
    return Sweep(", ".join(names), experiment, command, outcomes), finished.parameters


def _runs(uri: str, experiment: str, name: str) -> list[StoredRun]:
    runs = runs_of_sweep(uri, experiment, name)
    if not runs:
        newest = newest_sweeps(uri, experiment, MOST_NAMED)
        there = f"the newest are {', '.join(newest)}" if newest else "it has none"
        raise TrackingError(f"sweep={name}: no such sweep in the experiment {experiment}; {there}")
    return runs


def _outcomes(uri: str, runs: Sequence[StoredRun], several: bool) -> list[Outcome]:
    """Returns the outcome of each run; of two with the same settings in several sweeps, that of the later."""
    settings = [_settings(run) for run in runs]
    every_key = dict.fromkeys(key for own in settings for key in own)
    keys = [key for key in every_key if key.lstrip("+").partition(".")[0] not in WITHOUT_EFFECT]
    outcomes: dict[object, Outcome] = {}
    for number, (run, own) in enumerate(zip(runs, settings, strict=True)):
        whole = {key: own.get(key) or _value(run, key) for key in keys} if several else own
        overrides = [f"{key}={value}" for key, value in whole.items() if value is not None]
        finished = run.status == "FINISHED"
        summary = summary_of(run.run_id, uri, run) if finished else None
        error = None if finished else f"the run {run.run_id} is {run.status}"
        outcomes[tuple(overrides) if several else number] = Outcome(overrides, summary, error)
    return list(outcomes.values())


def _settings(run: StoredRun) -> dict[str, str]:
    """Returns a run's overrides by their keys. A run from before there was the tag ``overrides``, or of which
    it is too long for MLflow, has what its other tags tell.
    """
    try:
        overrides = json.loads(run.tags.get("overrides", ""))
    except JSONDecodeError:
        overrides = [f"{key}={run.tags[key]}" for key in ("init", "seed") if key in run.tags]
        overrides += run.tags.get("variant", "").split()
    return dict(str(override).partition("=")[::2] for override in overrides)


def _value(run: StoredRun, key: str) -> str | None:
    """Returns what a key that a sweep did not vary was in a run, None if it has no such key."""
    key = key.lstrip("+")
    return run.tags.get(key) if key in GROUPS else run.parameters.get(key)


def _command(uri: str, experiment: str, name: str) -> str:
    """Returns the command that made a sweep, as its summary run keeps it."""
    kept = runs_of_sweep(uri, f"{experiment}-sweeps", name)
    return kept[-1].parameters["command"] if kept else f"(the command of {name} was not kept)"
