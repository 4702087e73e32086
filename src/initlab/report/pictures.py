"""The pictures of a sweep: boundaries above cost curves, all boundaries on sheets, scores over what was
swept, and what the best answers to the test examples.
"""

from collections.abc import Sequence
from math import nan

import numpy as np

from initlab.datasets import Dataset
from initlab.report.answer import Answer
from initlab.report.entrants import Combination, median_value
from initlab.report.over_settings import setting_pngs
from initlab.report.phase_diagram import phase_png
from initlab.report.predictions import predictions_png
from initlab.report.scores import score_pngs
from initlab.runs.job import job_of
from initlab.runs.outcome import Outcome
from initlab.runs.pictures import answers_at
from initlab.runs.stored import Read, RunFiles
from initlab.types import Array

MOST_COMPARED = 10  # in one picture
MOST_SEEDS = 12  # of a combination on a sheet of boundaries
MOST_CURVES = 100  # of a combination, whose median and band are drawn


def pictures_of(answer: Answer, outcomes: Sequence[Outcome], read: Read) -> dict[str, bytes]:
    """Returns a sweep's pictures by their file names, as PNGs."""
    pictures = _comparison(answer, read) | _sheets(answer, read) | score_pngs(outcomes)
    pictures |= setting_pngs(answer) | predictions_png(answer, read)
    first = answer.runs[0]
    diagram = phase_png(outcomes, lambda: job_of(read(first).values, first.tags))
    return pictures | ({"phase.png": diagram} if diagram else {})


def _comparison(answer: Answer, read: Read) -> dict[str, bytes]:
    """Returns ``comparison.png``, of the combinations on the data of the first."""
    from initlab.plots import Entry, comparison, figure_png

    typical = {one.name: read(one.typical) for one in answer.combinations}
    dataset, _ = typical[answer.combinations[0].name].data_and_network
    same = [one for one in answer.combinations if _same_data(typical[one.name].data_and_network[0], dataset)]
    shown = _compared(same, answer.by)
    entries = [Entry(one.name, _answers(typical[one.name]), _score(one), _costs(one, read)) for one in shown]
    figure = comparison(dataset.X_train, dataset.Y_train, entries, dataset.task, dataset.classes, "train")
    return {"comparison.png": figure_png(figure)}


def _compared(combinations: Sequence[Combination], by: str) -> list[Combination]:
    """Returns the combinations; of too many the best of each entrant, of still too many the best of all."""
    if len(combinations) <= MOST_COMPARED:
        return list(combinations)
    best: dict[str, Combination] = {}
    for one in sorted(combinations, key=lambda one: -median_value(one, by)):
        best.setdefault(one.entrant, one)
    chosen = list(best.values())[:MOST_COMPARED]
    return [one for one in combinations if one in chosen]


def _sheets(answer: Answer, read: Read) -> dict[str, bytes]:
    """Returns a sheet for each set of training examples, because a boundary means nothing over others."""
    from initlab.plots import contact_sheet, png

    by_data: dict[bytes, tuple[Dataset, dict[str, dict[int, Array | None]], list[RunFiles]]] = {}
    for one in answer.combinations:
        for run in one.runs[:MOST_SEEDS]:
            files = read(run)
            dataset, _ = files.data_and_network
            _, rows, there = by_data.setdefault(dataset.X_train.tobytes(), (dataset, {}, []))
            rows.setdefault(one.name, {})[int(run.tags["seed"])] = _answers(files)
            there.append(files)
    seeds = len({run.tags["seed"] for run in answer.runs})
    sheets = {}
    for number, (dataset, rows, there) in enumerate(by_data.values(), start=1):
        name = "boundaries.png" if len(by_data) == 1 else f"boundaries-{number}.png"
        task, title = dataset.task, _title(there)
        sheets[name] = png(contact_sheet(dataset.X_train, dataset.Y_train, rows, seeds, task, title))
    return sheets


def _title(runs: Sequence[RunFiles]) -> str:
    """Returns the name of the runs' dataset and, where all have the same, their learning rate."""
    dataset = ", ".join(dict.fromkeys(run.summary.tags["dataset"] for run in runs))
    rates = {run.values["optimizer"].get("learning_rate") for run in runs}
    return f"{dataset} · learning rate {rates.pop():g}" if len(rates) == 1 and None not in rates else dataset


def _answers(files: RunFiles) -> Array | None:
    """Returns what a run answers (n_y, k²) at a Boundary's points, None if it diverged."""
    if files.summary.diverged_at is not None:
        return None
    answers = answers_at(*files.data_and_network, files.parameters)
    with np.errstate(over="ignore"):  # values beyond single precision are as good as infinite in a picture
        return answers.astype(np.float32)


def _costs(one: Combination, read: Read) -> list[Array]:
    """Returns the costs of the first of the runs; those of one that diverged end in infinity."""
    files = [read(run) for run in one.runs[:MOST_CURVES]]
    return [
        each.costs if each.summary.diverged_at is None else np.append(each.costs, np.inf) for each in files
    ]


def _score(one: Combination) -> float:
    return nan if one.typical.diverged_at is not None else median_value(one, "score", "train")


def _same_data(one: Dataset, other: Dataset) -> bool:
    return one is other or np.array_equal(one.X_train, other.X_train)
