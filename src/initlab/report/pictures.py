"""The pictures of a sweep: boundaries above cost curves, all boundaries on sheets, scores over what was
swept.
"""

from collections.abc import Callable, Sequence

import numpy as np

from initlab.datasets import Dataset
from initlab.report.answer import Answer
from initlab.report.entrants import Combination, median_value
from initlab.report.phase_diagram import phase_png
from initlab.runs.job import job_of
from initlab.runs.outcome import Outcome
from initlab.runs.pictures import answers_at
from initlab.runs.stored import RunFiles
from initlab.runs.summary import Summary
from initlab.types import Array

MOST_COMPARED = 10  # in one picture
MOST_SEEDS = 12  # of a combination on a sheet of boundaries
MOST_CURVES = 100  # of a combination, whose median and band are drawn


Read = Callable[[Summary], RunFiles]
"""Gives the files of a run."""


def pictures_of(answer: Answer, outcomes: Sequence[Outcome], read: Read) -> dict[str, bytes]:
    """Returns a sweep's pictures by their file names, as PNGs."""
    pictures = _comparison(answer, read) | _sheets(answer, read)
    first = answer.runs[0]
    diagram = phase_png(outcomes, lambda: job_of(read(first).values, first.tags))
    return pictures | ({"phase.png": diagram} if diagram else {})


def _comparison(answer: Answer, read: Read) -> dict[str, bytes]:
    """Returns ``comparison.png``; of many combinations, those of the best medians."""
    from initlab.plots import Entry, comparison, figure_png

    by = answer.by
    shown = sorted(answer.combinations, key=lambda one: -median_value(one, by))[:MOST_COMPARED]
    shown = [one for one in answer.combinations if one in shown]
    typical = {one.name: read(one.typical) for one in shown}
    dataset, _ = typical[shown[0].name].data_and_network
    same = [one for one in shown if _same_data(typical[one.name].data_and_network[0], dataset)]
    entries = [
        Entry(one.name, _answers(typical[one.name]), _score(one), typical[one.name].costs) for one in same
    ]
    figure = comparison(dataset.X_train, dataset.Y_train, entries, dataset.task, dataset.classes)
    return {"comparison.png": figure_png(figure)}


def _sheets(answer: Answer, read: Read) -> dict[str, bytes]:
    """Returns a sheet for each set of training examples, because a boundary means nothing over others."""
    from initlab.plots import contact_sheet, png

    by_data: dict[bytes, tuple[Dataset, dict[str, dict[int, Array | None]]]] = {}
    for one in answer.combinations:
        for run in one.runs[:MOST_SEEDS]:
            files = read(run)
            dataset, _ = files.data_and_network
            _, rows = by_data.setdefault(dataset.X_train.tobytes(), (dataset, {}))
            rows.setdefault(one.name, {})[int(run.tags["seed"])] = _answers(files)
    seeds = len({run.tags["seed"] for run in answer.runs})
    sheets = {}
    for number, (dataset, rows) in enumerate(by_data.values(), start=1):
        name = "boundaries.png" if len(by_data) == 1 else f"boundaries-{number}.png"
        sheets[name] = png(contact_sheet(dataset.X_train, dataset.Y_train, rows, seeds, dataset.task))
    return sheets


def _answers(files: RunFiles) -> Array | None:
    """Returns what a run answers (n_y, k²) at a Boundary's points, None if it diverged."""
    if files.summary.diverged_at is not None:
        return None
    return answers_at(*files.data_and_network, files.parameters).astype(np.float32)


def _score(one: Combination) -> float:
    return median_value(one, "score", "train")


def _same_data(one: Dataset, other: Dataset) -> bool:
    return one is other or np.array_equal(one.X_train, other.X_train)
