"""The pictures of a sweep: boundaries above cost curves, and all boundaries on sheets; and the others'."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from initlab.datasets import Dataset
from initlab.numerals import number, percent
from initlab.report.answer import Answer
from initlab.report.entrants import Combination, median_value
from initlab.report.over_settings import scores_over_settings
from initlab.report.phase_diagram import phase_png
from initlab.report.truth import truth_of
from initlab.runs.job import job_of
from initlab.runs.outcome import Outcome
from initlab.runs.pictures import answers_at
from initlab.runs.stored import Read, RunFiles
from initlab.types import Array

if TYPE_CHECKING:
    from initlab.plots import Entry

MOST_COMPARED = 10  # in one picture
MOST_SEEDS = 12  # of a combination on a sheet of boundaries
MOST_CURVES = 100  # of a combination, whose median and band are drawn


def pictures_of(answer: Answer, outcomes: Sequence[Outcome], read: Read) -> dict[str, bytes]:
    """Returns a sweep's pictures by their file names, as PNGs."""
    first = answer.runs[0]
    pictures = _comparison(answer, read) | _sheets(answer, read) | truth_of(answer, read)
    pictures |= scores_over_settings(answer, outcomes)
    diagram = phase_png(outcomes, lambda: job_of(read(first).values, first.tags))
    return pictures | ({"phase.png": diagram} if diagram else {})


def _comparison(answer: Answer, read: Read) -> dict[str, bytes]:
    """Returns ``comparison.png``; of many combinations, those of the best medians."""
    from initlab.plots import comparison, figure_png

    ranked = sorted(answer.combinations, key=lambda one: -median_value(one, answer.by))[:MOST_COMPARED]
    typical = {one.name: read(one.typical) for one in answer.combinations if one in ranked}
    dataset, _ = next(iter(typical.values())).data_and_network
    entries = [
        _entry(one, typical[one.name], read)
        for one in answer.combinations
        if one.name in typical and _same_data(typical[one.name].data_and_network[0], dataset)
    ]
    figure = comparison(dataset.X_train, dataset.Y_train, entries, dataset.task, dataset.classes)
    return {"comparison.png": figure_png(figure)}


def _entry(one: Combination, typical: RunFiles, read: Read) -> "Entry":
    from initlab.plots import Entry

    score = typical.summary.score_train
    note = ""
    if len(one.runs) > 1:
        middle = median_value(one, "score", "train")
        shown = percent(middle) if typical.summary.rules.classifies else number(middle)
        note = f"(median {shown})"
    costs = [read(run).costs for run in one.runs[:MOST_CURVES]]
    return Entry(one.name, _answers(typical), np.nan if score is None else score, costs, note)


def _sheets(answer: Answer, read: Read) -> dict[str, bytes]:
    """Returns a sheet for each set of training examples, because a boundary means nothing over others."""
    from initlab.plots import contact_sheet, png

    by_data: dict[bytes, tuple[RunFiles, dict[str, dict[int, Array | None]]]] = {}
    for one in answer.combinations:
        for run in one.runs[:MOST_SEEDS]:
            files = read(run)
            _, rows = by_data.setdefault(files.data_and_network[0].X_train.tobytes(), (files, {}))
            rows.setdefault(one.name, {})[int(run.tags["seed"])] = _answers(files)
    seeds = len({run.tags["seed"] for run in answer.runs})
    sheets = {}
    for number_of, (files, rows) in enumerate(by_data.values(), start=1):
        name = "boundaries.png" if len(by_data) == 1 else f"boundaries-{number_of}.png"
        data, _ = files.data_and_network
        title = _title(files, answer)
        sheet = contact_sheet(data.X_train, data.Y_train, rows, seeds, data.task, title)
        sheets[name] = png(sheet)
    return sheets


def _title(files: RunFiles, answer: Answer) -> str:
    """Returns what the runs of a sheet have in common: data, optimizer and rate, if that was not swept."""
    swept = {key for one in answer.combinations for key, _ in one.setting}
    tags, rate = files.summary.tags, files.values["optimizer"].get("learning_rate")
    pace = "" if "optimizer.learning_rate" in swept or rate is None else f", learning rate {rate:g}"
    optimizer = "" if "optimizer" in swept else f" · {tags['optimizer']}"
    return f"{tags['dataset']}{optimizer}{pace} · {files.summary.iterations:,} iterations"


def _answers(files: RunFiles) -> Array | None:
    """Returns what a run answers (n_y, k²) at a Boundary's points, None if it diverged."""
    if files.summary.diverged_at is not None:
        return None
    return answers_at(*files.data_and_network, files.parameters).astype(np.float32)


def _same_data(one: Dataset, other: Dataset) -> bool:
    return one is other or np.array_equal(one.X_train, other.X_train)
