"""What takes a store's room, and what of it can be given back."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from initlab.doctor.expected import Curve, thinned
from initlab.doctor.patient import Patient
from initlab.doctor.pictures import frames_of, older
from initlab.runs.stored import HISTORY, WEIGHTS
from initlab.tracking.inspection import TRAINING, TrackedRun
from initlab.tracking.places import local_folder
from initlab.tracking.sizes import DatabaseSize, size_of
from initlab.tracking.stored_series import THINNED

KINDS = {HISTORY: "histories", WEIGHTS: "weights", ".png": "pictures", ".webp": "pictures"}


@dataclass(frozen=True)
class Sizes:
    """A database's size, the rows of its metrics by what they measure, the bytes of files by their kind, the
    bytes and runs of each experiment, the rows that ``thin=log`` would remove, and how many pictures of how
    many bytes ``thin=pictures`` would.
    """

    database: DatabaseSize
    rows: Counter[str]
    files: Counter[str]
    experiments: Counter[str]
    runs: Counter[str]
    rows_to_thin: int
    pictures_to_thin: tuple[int, int]


def sizes_of(patient: Patient, keep: int) -> Sizes:
    """Returns the sizes of a store that is a database; pictures of the newest ``keep`` sweeps are kept."""
    database = size_of(patient.uri)
    rows, files, experiments, to_thin = Counter[str](), Counter[str](), Counter[str](), 0
    runs = {run.run_id: run for run in patient.runs}
    for (run_id, key), count in database.rows.items():
        if run := runs.get(run_id):
            rows[key.partition("/")[0]] += count
            experiments[run.experiment] += int(count * database.per_row)
            to_thin += _to_thin(run, count)
    for run in patient.runs:
        of_run = _files(run)
        files += of_run
        experiments[run.experiment] += of_run.total()
    pictures = [path for run in older(patient.runs, keep) for path in frames_of(run)]
    bytes_ = sum(path.stat().st_size for path in pictures)
    of = Counter(run.experiment for run in patient.runs)
    return Sizes(database, rows, files, experiments, of, to_thin, (len(pictures), bytes_))


def _to_thin(run: TrackedRun, rows: int) -> int:
    """Returns about how many of the rows of one of its metrics ``thin=log`` would remove."""
    if not run.trained or THINNED in run.tags or not run.parameters[TRAINING].isdecimal():
        return 0
    return rows - _left(rows, int(run.parameters[TRAINING]))


@lru_cache
def _left(rows: int, iterations: int) -> int:
    steps = np.arange(rows) * max(1, iterations // rows)
    return len(thinned(Curve(steps, np.zeros(rows))).steps)


def _files(run: TrackedRun) -> Counter[str]:
    folder = local_folder(run.place)
    sizes = Counter[str]()
    for path in folder.rglob("*") if folder else ():
        if path.is_file():
            sizes[_kind(path)] += path.stat().st_size
    return sizes


def _kind(path: Path) -> str:
    return KINDS.get(path.name) or KINDS.get(path.suffix, "others")


def shares(counts: Mapping[str, int], most: int) -> list[tuple[str, int]]:
    """Returns the largest of the counts, and the rest as one."""
    ordered = Counter(counts).most_common()
    rest = sum(count for _, count in ordered[most:])
    return [*ordered[:most], *([("others", rest)] if rest else [])]
