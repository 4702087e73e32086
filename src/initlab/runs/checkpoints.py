"""Checkpoints: where a run stands in its training, in a file from which it goes on when its process has died.

A file has the run's identity as its name, so it belongs to whatever trains the same numbers. It is there as a
whole or not at all, and gone when the run has finished.
"""

import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initlab.errors import first_line
from initlab.files import write_whole
from initlab.runs.arithmetic import arithmetic, arithmetic_tags
from initlab.runs.identity import identity_of
from initlab.runs.job import Job
from initlab.training.history import History
from initlab.training.probe import log_spaced
from initlab.training.standing import Standing

FOLDER = Path("mlruns") / "checkpoints"

_logger = logging.getLogger(__name__)


def resumed(job: Job, folder: Path) -> Job:
    """Returns the job as it stood at its last checkpoint below ``folder``, if it is to go on and there is
    one; as it is where there is none, or one past its stretch, or one that does not fit, which is said in one
    line.
    """
    path = _path_of(job, folder)
    if not job.settings.goes_on or not path.is_file():
        return job
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            begun = dict(arrays)
        problem = _problem(begun, job)
    except Exception as error:  # a damaged file may fail in any way
        problem = f"cannot be read ({first_line(error)})"
    if problem:
        name = path.relative_to(folder)
        _logger.warning("%s: %s, so %s is trained from its beginning", name, problem, job.name)
        return job
    past = int(begun["iteration"]) > job.settings.last
    return job if past else replace(job, begun=begun)


def keep(jobs: Sequence[Job], runs: Standing, history: History, seconds: float, folder: Path) -> None:
    """Writes a checkpoint of each run of a stack, which have trained for so many ``seconds`` each."""
    if not runs.can_be_parted:
        rule = jobs[0].values["optimizer"]["_target_"]
        _say(f"optimizer._target_={rule}: keeps what is no array with a row for each run; so no checkpoints")
        return
    for run, job in enumerate(jobs):
        about = {
            "identity": identity_of(job),
            "arithmetic": _arithmetic_of(job),
            "seconds": job.seconds + seconds,
        }
        _write(_path_of(job, folder), {**about, **runs.of(run), **history.of(run)})


def remove(job: Job, folder: Path) -> None:
    """Removes the checkpoint of a job whose run has finished, and what a process left that died over one."""
    for path in (folder / FOLDER).glob(f"*{identity_of(job)}.*"):
        path.unlink(missing_ok=True)


def _path_of(job: Job, folder: Path) -> Path:
    return folder / FOLDER / f"{identity_of(job)}.npz"


def _arithmetic_of(job: Job) -> str:
    return arithmetic(arithmetic_tags(job.settings.train.threads))


def _problem(begun: Mapping[str, NDArray[Any]], job: Job) -> str:
    """Returns why a job cannot go on from a checkpoint, '' if it can."""
    iteration, parameters, frames = int(begun["iteration"]), begun["parameters"], job.settings.plots.frames
    iterations = job.settings.train.iterations
    if str(begun["identity"]) != identity_of(job):
        return "is that of another run"
    if (made := str(begun["arithmetic"])) != (here := _arithmetic_of(job)):
        return f"was made with {made}, and here is {here}"
    if parameters.shape != (job.network.size,) or len(begun["costs"]) != iteration:
        return "does not hold what it should"
    past = [moment for moment in log_spaced(iterations, frames) if moment < iteration]
    if any(f"snapshot/{moment}" not in begun for moment in past):
        return f"has no snapshots for plots.frames={frames}"
    return ""


def _write(path: Path, values: Mapping[str, Any]) -> None:
    """Writes a file beside and moves it into place; where that fails, that is said and training goes on."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **values)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, buffer.getvalue())
    except OSError as error:
        _say(f"{path.parent}: cannot be written ({error.strerror}); training goes on without checkpoints")


@cache
def _say(words: str) -> None:
    """Says a warning once."""
    _logger.warning("%s", words)
