"""A sweep's own run in MLflow: what it answers as description and metrics, its pictures and its report.

It lives in an experiment beside the sweep's, '<experiment>-sweeps', because a run without a cost among
the runs to compare would only be in the way of their charts.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from initlab.report.about import describe_experiments
from initlab.report.answer import Answer
from initlab.report.files import report_files
from initlab.report.markdown import markdown_of
from initlab.report.pictures import pictures_of
from initlab.report.sweep import Sweep
from initlab.report.table import Spread, table_of
from initlab.report.views import save_views
from initlab.runs.record import data_of
from initlab.runs.stored import RunFiles
from initlab.statistics.intervals import share_interval
from initlab.tracking import Description, Tracker
from initlab.tracking.claims import supersede
from initlab.tracking.reading import runs_of_sweep

PICTURES = ("comparison.png", "boundaries.png", "boundaries-1.png")


@dataclass(frozen=True)
class Kept:
    """What was kept of a sweep: the id of its summary run, addresses in MLflow's UI, by what they show, the
    report's files, and what went wrong on the way.
    """

    run_id: str
    addresses: Mapping[str, str]
    files: Mapping[str, bytes]
    problem: str | None


def keep(sweep: Sweep, answer: Answer) -> Kept:
    """Tracks a sweep's summary run and saves its views; raises InitlabError where the store fails."""
    read, first = partial(RunFiles, allow_targets=sweep.allow_targets), answer.runs[0]
    assert first.store is not None
    tracker = Tracker(first.store, f"{sweep.experiment}-sweeps", Path.cwd())
    dataset, _ = read(first).data_and_network
    data = data_of(dataset, first.tags["dataset"])
    about = {"jobs": str(len(sweep.outcomes)), "experiment": sweep.experiment, "command": sweep.command}
    description = Description(f"sweep {sweep.name}", about, {"sweep": sweep.name}, data)
    earlier = runs_of_sweep(first.store, f"{sweep.experiment}-sweeps", sweep.name)
    supersede(tracker.client, [run.run_id for run in earlier])
    with tracker.runs([description]) as [run]:
        pictures = pictures_of(answer, sweep.outcomes, read)
        files = report_files(sweep, answer, read)
        run.write({**pictures, **files})
        shown = next((name for name in PICTURES if name in pictures), "")
        runs = Tracker(first.store, sweep.experiment, Path.cwd())
        addresses, problem = save_views(sweep.name, answer, sweep.outcomes, runs)
        addresses["Its pictures, side by side"] = tracker.file_address(run.run_id, shown)
        problem = describe_experiments(sweep.name, runs, tracker, run.run_id) or problem
        note = markdown_of(answer, sweep.command, list(addresses.items()))
        run.finish(metrics_of(answer), {"mlflow.note.content": note})
    return Kept(run.run_id, addresses, files, problem)


def metrics_of(answer: Answer) -> dict[str, float]:
    """Returns medians, quartiles and 95 % intervals of costs and scores for each set of runs, and which
    shares of it reached the threshold and diverged, with theirs: ``final_cost.median/he``,
    ``diverged.share/he``.
    """
    metrics: dict[str, float] = {}
    for row in table_of(answer):
        name = re.sub(r"[^\w. /-]", "_", row.name.replace("=", " "))  # what MLflow allows in names
        found = {f"{what}.{edge}": value for what, spread in row.measured for edge, value in _edges(spread)}
        for what, share in (("reached", row.reached), ("diverged", row.diverged)):
            interval = share_interval(round(share * row.seeds), row.seeds) or ()
            found |= {f"{what}.share": share}
            found |= {f"{what}.{edge}": end for edge, end in zip(("low", "high"), interval, strict=False)}
        metrics |= {f"{key}/{name}": value for key, value in found.items()}
    return metrics


def _edges(spread: Spread) -> Iterator[tuple[str, float]]:
    yield "median", spread.median
    yield from zip(("q1", "q3"), spread.quartiles, strict=True)
    yield from zip(("low", "high"), spread.interval or (), strict=False)
