"""What each job of a command came to, left as ``outcome.json`` in its output folder.

The folder is the one thing that every way to launch a job shares: the same process, other processes,
other machines. So the closing summary reads it from there.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from initlab.errors import InitlabError

if TYPE_CHECKING:
    from initlab.runs.summary import Result

FILE = "outcome.json"
MOST_SENTENCES = 3  # of a diagnosis, in a run's description and on the terminal; the tags hold them all


@dataclass(frozen=True)
class Outcome:
    """The numbers of a finished job, or the error of a failed one."""

    name: str
    tags: Mapping[str, str]
    overrides: Sequence[str]
    initial_cost: float | None = None
    final_cost: float | None = None
    accuracy_train: float | None = None
    accuracy_test: float | None = None
    r2_train: float | None = None
    r2_test: float | None = None
    diverged_at: int | None = None
    diagnosis: Sequence[tuple[str, str]] = ()
    seconds: float | None = None
    run_id: str | None = None
    address: str | None = None
    error: str | None = None

    @property
    def settings(self) -> dict[str, str]:
        """The overrides by their keys."""
        return dict(override.partition("=")[::2] for override in self.overrides)

    @property
    def verdicts(self) -> str:
        """The names of the diagnosis's verdicts, the weightiest first."""
        return ", ".join(name for name, _ in self.diagnosis)

    @classmethod
    def finished(cls, result: "Result", overrides: Sequence[str]) -> "Outcome":
        """Returns the outcome of a job that has a result."""
        shared = {field.name for field in fields(cls)} & {field.name for field in fields(result)}
        return cls(overrides=overrides, **{name: getattr(result, name) for name in shared})

    @classmethod
    def failed(cls, tags: Mapping[str, str], overrides: Sequence[str], error: BaseException) -> "Outcome":
        """Returns the outcome of a job that ended by an error."""
        kind = "" if isinstance(error, InitlabError) else f"{type(error).__name__}: "
        return cls(" ".join(overrides), tags, overrides, error=f"{kind}{error}")


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Leaves the outcome in the job's folder."""
    (folder / FILE).write_text(json.dumps(asdict(outcome), indent=1))


def read_outcomes(folder: Path) -> list[Outcome]:
    """Returns the outcomes of the jobs below folder, in the order of their numbers.

    A job that has a folder and left nothing in it was ended from outside: it counts as failed.
    """
    jobs = sorted(folder.rglob(".hydra"), key=lambda path: (len(path.parent.name), path.parent.name))
    return [_read(path.parent) for path in jobs]


def _read(folder: Path) -> Outcome:
    file = folder / FILE
    if file.exists():
        return Outcome(**json.loads(file.read_text()))
    return Outcome(folder.name, {}, [], error="ended without an outcome: was it killed?")


def remove_unstarted(folder: Path) -> None:
    """Removes the folder of a sweep in which no job began: Hydra makes it before it composes the jobs."""
    if folder.is_dir() and [path.name for path in folder.iterdir()] == ["multirun.yaml"]:
        (folder / "multirun.yaml").unlink()
        folder.rmdir()
        if folder.parent.name == "multirun" and not any(folder.parent.iterdir()):
            folder.parent.rmdir()
