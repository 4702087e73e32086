"""Closing a search: its own run in MLflow, beside the summary runs of sweeps, in '<experiment>-sweeps'."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from initlab.errors import InitlabError
from initlab.runs.summary import Summary
from initlab.search.found import FILE, Candidate, Found
from initlab.statistics.intervals import median, median_interval
from initlab.sweeps.closing import settings_of_report
from initlab.sweeps.resume import command_of
from initlab.sweeps.task import name_of_sweep
from initlab.tracking import Description, Tracker
from initlab.tracking.claims import supersede
from initlab.tracking.reading import experiment_of, runs_of_sweep

STUDY = "study.db"
WHAT = "found"  # the tag with a digest of what was found


@dataclass(frozen=True)
class OwnRun:
    """Where the run of a search can be seen, and what went wrong in keeping it; neither if it has none."""

    address: str | None = None
    problem: str | None = None


def close(folder: Path, found: Found, runs: Sequence[Summary], note: str) -> OwnRun:
    """Keeps what a search in a folder has found in a run of its own, with a note in markdown as description.

    None is made while trials are missing, where its ``runs`` are tracked nowhere, or if that is not wanted.
    The run of an earlier end, after which more was found, is left out of the sweep.
    """
    tracked = next((run for run in runs if run.run_id and run.store), None)
    whole = found.ended + found.failed >= found.wanted and found.best
    if tracked is None or not whole or not settings_of_report(folder).keep:
        return OwnRun()
    try:
        return OwnRun(address=_kept(folder, found, tracked, note))
    except InitlabError as error:
        return OwnRun(problem=f"The search's own run was not kept: {error}")


def _kept(folder: Path, found: Found, first: Summary, note: str) -> str:
    assert first.store is not None
    assert first.run_id is not None
    experiment, name = experiment_of(first.store, first.run_id), name_of_sweep(folder)
    tracker = Tracker(first.store, f"{experiment}-sweeps", Path.cwd())
    earlier = runs_of_sweep(first.store, tracker.experiment, name)
    content = (folder / FILE).read_bytes()
    tags = {"sweep": name, WHAT: sha256(content).hexdigest()[:32]}
    for one in earlier:
        if one.status == "FINISHED" and one.tags.get(WHAT) == tags[WHAT]:
            return tracker.page_address(one.run_id)
    supersede(tracker.client, [one.run_id for one in earlier])
    command = shlex.join(["initlab", "-m", *command_of(folder)])
    about = {"trials": str(found.wanted), "experiment": experiment, "command": command}
    about |= {f"best/{place}": " ".join(best.overrides) for place, best in enumerate(found.best, start=1)}
    with tracker.runs([Description(f"search {name}", about, tags)]) as [run]:
        run.write({FILE: content, STUDY: (folder / STUDY).read_bytes()})
        run.finish(metrics_of(found), {"mlflow.note.content": note})
    return tracker.page_address(run.run_id)


def metrics_of(found: Found) -> dict[str, float]:
    """Returns how many trials there were of each kind and, of each of the best settings by its place, its
    value in the search and the median of fresh seeds with its interval: ``validation.median/1``.
    """
    pruned = found.behind + sum(found.diagnosed.values())
    counts = {"whole": found.whole, "pruned": pruned, "failed": found.failed}
    metrics = {f"trials.{fate}": float(count) for fate, count in counts.items()}
    metrics["training_saved"] = found.saved
    for place, one in enumerate(found.best, start=1):
        metrics |= {f"{key}/{place}": value for key, value in _of_candidate(one).items()}
    return metrics


def _of_candidate(one: Candidate) -> dict[str, float]:
    numbers = {"value": one.value}
    for part, scores in (("validation", one.validation), ("test", one.test)):
        if scores:
            numbers[f"{part}.median"] = median(scores)
            interval = median_interval(scores) or ()
            numbers |= {f"{part}.{edge}": end for edge, end in zip(("low", "high"), interval, strict=False)}
    return numbers
