"""A sweep's own summary run: all boundaries side by side, and all results in one table.

It lives in an experiment beside the sweep's, '<experiment>-sweeps', because a run without a cost among
the runs to compare would only be in the way of their charts.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from omegaconf import DictConfig

from initlab.errors import InitlabError
from initlab.runs.job import Job, build
from initlab.runs.outcome import Outcome, rows_of
from initlab.runs.pictures import final_answers
from initlab.runs.record import data_of
from initlab.runs.summary import Trained
from initlab.sweeps.phase_diagram import phase_png
from initlab.tracking import Description, Tracker
from initlab.types import Array


class Tile(NamedTuple):
    """One run's place on the sheet: its answers (n_y, k²) at a Boundary's points, None if it diverged, and
    the training examples X (n_x, m), Y (n_y, m) of a task beneath it.
    """

    row: str
    seed: int
    answers: Array | None
    X: Array
    Y: Array
    task: str


def tile_of(one: Trained) -> Tile:
    """Returns a run's tile, in single precision: eight bits of colour need no more."""
    job, data = one.job, one.job.dataset
    row = f"{job.tags['init']} {job.tags.get('variant', '')}".strip()
    answers = None if one.summary.diverged_at is not None else final_answers(one).astype(np.float32)
    return Tile(row, job.settings.seed, answers, data.X_train, data.Y_train, data.task)


@dataclass(frozen=True)
class SweepOverview:
    """What the summary of a sweep is made of; ``cfg`` is the config of one of its jobs."""

    sweep: str
    cfg: DictConfig
    folder: Path
    tiles: Sequence[Tile]
    outcomes: Sequence[Outcome]

    def run(self, report: object) -> str | None:
        """Tracks the summary and returns a line that says where it is, or None where nothing is tracked.

        What goes wrong is said in that line too: the jobs themselves are done and kept.
        """
        try:
            address = self._keep()
        except InitlabError as error:
            return f"The sweep's summary was not kept: {error}"
        return f"All boundaries side by side: {address}" if address else None

    def _keep(self) -> str | None:
        job = build(self.cfg, {})
        tracking = job.settings.tracking
        if tracking.uri is None:
            return None
        tracker = Tracker(tracking.uri, f"{tracking.experiment}-sweeps", self.folder)
        parameters = {"jobs": str(len(self.outcomes)), "experiment": tracking.experiment}
        tags = {"sweep": self.sweep}
        data = data_of(job.dataset, job.tags["dataset"])
        description = Description(f"sweep {self.sweep}", parameters, tags, data)
        with tracker.runs([description]) as [run]:
            run.write({"runs.csv": _table(self.outcomes), **self._pictures(job)})
        return tracker.run_address(run.run_id)

    def _pictures(self, job: Job) -> dict[str, bytes]:
        diagram = phase_png(job, self.outcomes)
        return self._boundaries() | ({"phase.png": diagram} if diagram else {})

    def _boundaries(self) -> dict[str, bytes]:
        """Returns a sheet for each set of training examples, because a boundary means nothing over others."""
        from initlab.plots import contact_sheet, png

        by_data: dict[bytes, list[Tile]] = {}
        for tile in self.tiles:
            by_data.setdefault(tile.X.tobytes(), []).append(tile)
        seeds = len({outcome.summary.tags["seed"] for outcome in self.outcomes if outcome.summary})
        sheets = {}
        for number, tiles in enumerate(by_data.values(), start=1):
            rows: dict[str, dict[int, Array | None]] = {}
            for tile in tiles:
                rows.setdefault(tile.row, {})[tile.seed] = tile.answers
            name = "boundaries.png" if len(by_data) == 1 else f"boundaries-{number}.png"
            sheets[name] = png(contact_sheet(tiles[0].X, tiles[0].Y, rows, seeds, tiles[0].task))
        return sheets


def _table(outcomes: Sequence[Outcome]) -> bytes:
    """Returns a CSV table with a line for each job: its overrides and what came out."""
    rows, text = rows_of(outcomes), io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
