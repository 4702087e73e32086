"""What each job of a command came to, left as ``outcome.json`` in its output folder.

The folder is the one thing that every way to launch a job shares: the same process, other processes, other
machines. So the closing summary reads it from there.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from initlab.errors import InitlabError
from initlab.files import write_whole
from initlab.passwords import without_passwords
from initlab.runs.summary import Summary
from initlab.verdicts import Finding

FILE = "outcome.json"
TOGETHER = "outcomes.json"  # of all jobs of a sweep, in its folder
OF_SWEEP = {"multirun.yaml", "launch.json"}  # what is left before a job begins
COLUMNS = (
    "initial_cost", "final_cost", "score_name", "score_train", "score_validation", "score_test",
    "reached_at", "diverged_at", "verdicts", "seconds", "run_id",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """A job's overrides, and the summary of its run or the error that ended it; neither before it has ended,
    or if it was stopped.

    Equal stamps mean that jobs of equal overrides have equal numbers (see ``sweeps.resume``).
    """

    overrides: Sequence[str]
    summary: Summary | None = None
    error: str | None = None
    stamp: str | None = None

    @property
    def name(self) -> str:
        """The run's name, or the overrides of a job that has no run."""
        return self.summary.name if self.summary else " ".join(self.overrides)

    @property
    def settings(self) -> dict[str, str]:
        """The overrides by their keys."""
        return dict(override.partition("=")[::2] for override in self.overrides)


def failed(overrides: Sequence[str], error: BaseException) -> Outcome:
    """Returns the outcome of a job that ended by an error."""
    kind = "" if isinstance(error, InitlabError) else f"{type(error).__name__}: "
    return Outcome(overrides, error=without_passwords(f"{kind}{error}"))


def varied(outcomes: Sequence[Outcome]) -> list[str]:
    """Returns the keys of the overrides in which the jobs differ, in the order they were given."""
    settings = [outcome.settings for outcome in outcomes]
    keys = dict.fromkeys(key for job in settings for key in job)
    return [key for key in keys if len({job.get(key) for job in settings}) > 1]


def rows_of(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Returns a row for each job, as in runs.csv: its overrides by key, its name, what came out, its error;
    None for what it has not.
    """
    keys = dict.fromkeys(key for outcome in outcomes for key in outcome.settings)
    return [
        {key: outcome.settings.get(key) for key in keys}
        | {"name": outcome.name}
        | {column: getattr(outcome.summary, column, None) for column in COLUMNS}
        | {"error": outcome.error}
        for outcome in outcomes
    ]


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Leaves the outcome in the job's folder, in the place of an earlier one; never half of it."""
    write_whole(folder / FILE, json.dumps(asdict(outcome), indent=1).encode())


def read_outcomes(folder: Path) -> list[Outcome]:
    """Returns the outcomes of the jobs below folder, in the order of their numbers.

    A job leaves one when it begins, too; so one that was stopped from outside has neither summary nor error.
    """
    file = folder / TOGETHER
    if file.is_file():
        return [_outcome(left) for left in json.loads(file.read_text())]
    return [read_outcome(job) for job in folders_of_jobs(folder)]


def write_together(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Leaves the outcomes of all jobs of a sweep, in the order of their numbers, in one file in its folder,
    which is read in place of thousands.
    """
    write_whole(folder / TOGETHER, json.dumps([asdict(one) for one in outcomes]).encode())


def forget_together(folder: Path) -> None:
    """Forgets that file, before the outcome of any job changes."""
    if (folder / TOGETHER).is_file():
        (folder / TOGETHER).unlink()


def folders_of_jobs(folder: Path) -> list[Path]:
    """Returns the folders of the jobs below folder, in the order of their numbers."""
    if (folder / FILE).is_file():  # a lone job's; other jobs may have theirs below the same folder
        return [folder]
    jobs = [file.parent for file in folder.rglob(FILE)]
    return sorted(jobs, key=lambda job: (len(job.name), job.name))


def read_outcome(folder: Path) -> Outcome:
    """Returns the outcome that a job has left in its folder."""
    return _outcome(json.loads((folder / FILE).read_text()))


def _outcome(left: dict[str, Any]) -> Outcome:
    if summary := left["summary"]:
        summary["diagnosis"] = [Finding(*one) for one in summary["diagnosis"]]
    known = Summary(**summary) if summary else None
    return Outcome(left["overrides"], known, left["error"], left.get("stamp"))


def remove_unstarted(folder: Path) -> None:
    """Removes the folder of a sweep in which no job began: Hydra makes it before it composes the jobs."""
    if folder.is_dir() and {path.name for path in folder.iterdir()} <= OF_SWEEP:
        for name in OF_SWEEP:
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
        if folder.parent.name == "multirun" and not any(folder.parent.iterdir()):
            folder.parent.rmdir()
