"""The sweep that nobody disturbs: its numbers, which all must come to, and how long its moments last."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .applications import Application
from .moments import MOMENTS, moment_of
from .processes import A_MOMENT, Command
from .state import numbers_of
from .stores import Place, Store

Numbers = Mapping[str, str]


@dataclass(frozen=True)
class Undisturbed:
    """The numbers of each job, the seconds of each moment, and how many bytes the sweep left."""

    jobs: Mapping[str, Numbers]
    lengths: Mapping[str, float]
    size: int


def undisturbed(application: Application, sweep: str, store: Store, folder: Path) -> Undisturbed:
    """Returns what a sweep comes to in an empty folder; exits with a line if it fails."""
    work = folder / "work"
    work.mkdir(parents=True)
    place = store.place(work, folder.name, application.bears_first_start)
    command = Command(application.start(sweep, place.experiment), work, folder / "said.txt", place.uri)
    lengths = _lengths(command, place, application.sweeps[sweep].jobs)
    runs = [run for run in place.runs() if run.counts]
    whole = [run.status for run in runs] == ["FINISHED"] * application.sweeps[sweep].jobs
    if command.process.returncode or not whole:
        raise SystemExit(f"An undisturbed sweep failed: {folder}/said.txt says why.")
    numbers = partial(numbers_of, database=place.database, kept=application.kept)
    jobs = {run.job: numbers(run, files=place.files(run)) for run in runs}
    return Undisturbed(jobs, lengths, size_of(work))


def _lengths(command: Command, place: Place, jobs: int) -> dict[str, float]:
    """Returns how many seconds each moment takes of a command that runs to its end."""
    lengths = dict.fromkeys(MOMENTS, 0.0)
    then = time.monotonic()
    while command.running:
        time.sleep(2 * A_MOMENT)
        now = time.monotonic()
        lengths[moment_of(place, jobs)] += now - then
        then = now
    return lengths


def size_of(folder: Path) -> int:
    """Returns how many bytes the files below a folder take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
