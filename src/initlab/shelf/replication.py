"""A replication: a paper is measured anew, judged, and kept as a run of the MLflow experiment."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from initlab.errors import InitlabError
from initlab.shelf.estimate import Estimate
from initlab.shelf.paper import PLACE, Paper
from initlab.shelf.section import section
from initlab.shelf.verdict import SHORT, explained, verdict

EXPERIMENT = "replications"
QUIET = ("plots.frames=0", "report.keep=false", "diagnostics.rare=[]", "train.checkpoint=null")

Sweeping = Callable[..., Any]
"""``initlab.sweep``, for runs that are tracked in the experiment 'replications-runs' of the same store."""


@dataclass(frozen=True)
class Replication:
    """What came of a paper: our estimates by the names of its results, the figure as PNG, and the seconds
    that it took.
    """

    paper: Paper
    ours: Mapping[str, Estimate]
    figure: bytes
    seconds: float
    short: bool

    @property
    def verdict(self) -> str:
        """Whether the paper holds here; of a short form, that it says too little."""
        return SHORT if self.short else verdict(self.paper, self.ours)

    @property
    def judged(self) -> str:
        """The verdict, with how many of the tested results agree."""
        return SHORT if self.short else explained(self.paper, self.ours)

    def section(self, picture: str) -> str:
        """Returns its section of a page in markdown, with the figure from that path."""
        return section(self.paper, self.ours, self.judged, picture)


def replicate(paper: Paper, uri: str | None, short: bool = False) -> Replication:
    """Returns a paper measured anew, in its short form or in full, and tracks it in the store ``uri``; None
    stands for no store.
    """
    from initlab.plots import figure_png

    check = import_module(f"{PLACE}.{paper.name}.check")
    settings = {**paper.settings, **(paper.short if short else {})}
    began = time.perf_counter()
    ours, data = check.measure(sweeping(uri, short), **settings)
    missing = paper.published.keys() ^ ours.keys()
    if missing:
        raise InitlabError(f"{paper.name}: paper.yaml and check.py differ in {', '.join(sorted(missing))}")
    png = figure_png(check.figure(data))
    done = Replication(paper, ours, png, time.perf_counter() - began, short)
    if uri is not None:
        keep(done, settings, uri)
    return done


def sweeping(uri: str | None, short: bool) -> Sweeping:
    """Returns ``initlab.sweep`` for runs beside a replication: no pictures, no report, what is asked for, and
    in one process where they are so few that others would take longer to begin.
    """
    import initlab

    words = [*QUIET, "hydra.launcher.n_jobs=1"] if short else QUIET
    tracking = {"uri": "null" if uri is None else f"'{uri}'", "experiment": f"{EXPERIMENT}-runs"}
    return partial(initlab.sweep, *words, tracking=tracking)


def keep(done: Replication, settings: Mapping[str, Any], uri: str) -> None:
    """Tracks a replication: a run with its settings, our numbers, their ends, the figure and the section."""
    from initlab.tracking import Description, Tracker

    paper = done.paper
    tags = {"paper": paper.name, "verdict": done.verdict, "form": "short" if done.short else "full"}
    tags["mlflow.note.content"] = done.section(f"{paper.name}.png")
    parameters = {"claim": paper.claim, "source": paper.source, **{k: str(v) for k, v in settings.items()}}
    tracker = Tracker(uri, EXPERIMENT, Path.cwd())
    with tracker.runs([Description(paper.name, parameters, tags)]) as [run]:
        run.write(
            {f"{paper.name}.png": done.figure, f"{paper.name}.md": tags["mlflow.note.content"].encode()}
        )
        run.finish(_metrics(done))


def _metrics(done: Replication) -> dict[str, float]:
    metrics = {"seconds": done.seconds}
    for key, one in done.ours.items():
        metrics |= {f"ours/{key}": one.value, f"low/{key}": one.low, f"high/{key}": one.high}
        published = done.paper.published[key].value
        if published is not None:
            metrics[f"published/{key}"] = published
    return metrics


def tracked(paper: Paper, uri: str) -> Replication:
    """Returns the last replication of a paper in full that a store holds, judged by the paper's file as it is
    today; raises InitlabError where there is none, or where it was measured with other settings.
    """
    from initlab.tracking import Tracker
    from initlab.tracking.reading import stored_run

    tracker = Tracker(uri, EXPERIMENT, Path.cwd())
    wanted = f"tags.paper = '{paper.name}' AND tags.form = 'full' AND attributes.status = 'FINISHED'"
    last = ["attributes.start_time DESC"]
    found = tracker.client.search_runs([tracker.experiment_id], wanted, order_by=last)
    if not found:
        raise InitlabError(f"{paper.name}: was not measured in full; {uri} holds none of it")
    params = found[0].data.params
    for key, value in paper.settings.items():
        if params.get(key) != str(value):
            told = f"was measured with {key}={params.get(key)}, its paper.yaml has {key}={value}"
            raise InitlabError(f"{paper.name}: {told}; measure it anew")
    metrics, name = found[0].data.metrics, f"{paper.name}.png"
    ours = {key: _estimate(metrics, key) for key in paper.published}
    figure = stored_run(found[0].info.run_id, uri, [name]).files[name]
    return Replication(paper, ours, figure, metrics["seconds"], short=False)


def _estimate(metrics: Mapping[str, float], key: str) -> Estimate:
    """Returns a result from the metrics of its run, which hold no infinite ends."""
    ends = metrics.get(f"low/{key}", -math.inf), metrics.get(f"high/{key}", math.inf)
    return Estimate(metrics[f"ours/{key}"], *ends)
