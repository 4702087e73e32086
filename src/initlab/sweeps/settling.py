"""Runs of a sweep that waited for their store: once it answers again they are delivered, and their outcomes
say where they are.
"""

from dataclasses import replace
from pathlib import Path

from omegaconf import OmegaConf

from initlab.errors import TrackingError
from initlab.runs.outcome import folders_of_jobs, forget_together, read_outcome, read_outcomes, write_outcome
from initlab.runs.summary import Summary


def settle(folder: Path) -> None:
    """Delivers what waits of the sweep in a folder, if its store answers, and brings its outcomes up to that.

    Where the store does not answer nothing changes; the closing words say that runs wait.
    """
    if not any(one.summary and one.summary.waits for one in read_outcomes(folder)):
        return
    forget_together(folder)
    left = {place: read_outcome(place) for place in folders_of_jobs(folder)}
    waiting = {place: one.summary for place, one in left.items() if one.summary and one.summary.waits}
    from initlab.tracking.delivery import deliver_waiting

    stores = {place: (str(summary.store), _experiment_of(place)) for place, summary in waiting.items()}
    for uri in {uri for uri, _ in stores.values()}:
        deliver_waiting(uri, Path.cwd())
    held = {where: _held(*where, folder.name) for where in set(stores.values())}
    for place, summary in waiting.items():
        if known := held[stores[place]].get(summary.tags.get("sweep_job", "")):
            where = replace(summary, run_id=known.run_id, address=known.address, place=known.place)
            write_outcome(place, replace(left[place], summary=where))


def _experiment_of(job: Path) -> str:
    """Returns the experiment that a job's runs are tracked in, as Hydra has left it in the job's folder."""
    tracking = OmegaConf.load(job / ".hydra" / "config.yaml").tracking
    return str(tracking.experiment)


def _held(uri: str, experiment: str, sweep: str) -> dict[str, Summary]:
    """Returns the finished runs of a sweep that a store holds, by the numbers of their jobs."""
    from initlab.runs.stored import summary_of
    from initlab.tracking.reading import runs_of_sweep

    try:
        runs = runs_of_sweep(uri, experiment, sweep)
    except TrackingError:  # it is away still
        return {}
    finished = [run for run in runs if run.status == "FINISHED"]
    return {run.tags["sweep_job"]: summary_of(run.run_id, uri, run) for run in finished}
