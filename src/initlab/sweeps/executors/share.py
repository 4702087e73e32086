"""What one process trains that SLURM starts: some tasks one after another, reported by files.

When its time is nearly up or it is to make room, it is sent a signal. It is heard where nothing is half done;
then the process has submitit queue it again. The next attempt does what is not done yet.
"""

import pickle
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from initlab.signals import Stopped, stop, stopping_on_signals
from initlab.sweeps.executors.protocol import Function, Halted, Seldom, attempted

if TYPE_CHECKING:
    from submitit.core.utils import DelayedSubmission


class Said(NamedTuple):
    """What is reported of the task of a number, or its result."""

    number: int
    what: Any
    is_result: bool = False


@dataclass
class Share:
    """Tasks for one process by their numbers, what it does with each, and the stem of the files in which it
    reports: each attempt has one of its own.
    """

    function: Function
    tasks: dict[int, Any]
    stem: Path

    def __call__(self) -> None:
        """Runs the tasks; is called by submitit."""
        earlier = list(reports_of(self.stem))
        with attempt_file(self.stem).open("wb", buffering=0) as file:
            again = signal.getsignal(preemption())  # submitit's handler, which queues the job again
            try:
                with stopping_on_signals():
                    signal.signal(preemption(), lambda signum, frame: stop(signum))
                    self._run(earlier, Outbox(file))
            except Stopped as stopped:
                if stopped.signum == preemption():
                    assert callable(again)
                    again(stopped.signum, None)

    def checkpoint(self) -> "DelayedSubmission":
        """Returns what is to be done in the next attempt; is called by submitit."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _run(self, earlier: Sequence[Said], outbox: "Outbox") -> None:
        done = {said.number for said in earlier if said.is_result}
        for number, task in self.tasks.items():
            reports = [said.what for said in earlier if said.number == number]
            if number not in done:
                self._run_one(number, task.rest(reports) if earlier else task, outbox)

    def _run_one(self, number: int, task: Any, outbox: "Outbox") -> None:
        try:
            result = attempted(self.function, task, Seldom(lambda what: outbox.put(Said(number, what))))
        except Stopped as stopped:
            if stopped.signum != preemption():
                outbox.put(Said(number, Halted(stopped.signum, stopped.killed, stopped.unmarked)))
            raise
        outbox.put(Said(number, result, is_result=True))


class Outbox:
    """A file to which reports are added, each by one call of the system."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def put(self, said: Said) -> None:
        """Adds a report."""
        self._file.write(pickle.dumps(said))


@dataclass
class Inbox:
    """Reads what a share has reported, as it is written."""

    stem: Path
    _read: dict[Path, int] = field(default_factory=dict)

    @property
    def begun(self) -> bool:
        """Whether the share was begun."""
        return bool(_attempts(self.stem))

    def take(self) -> Iterator[Said]:
        """Yields what is there and was not yielded before."""
        for path in _attempts(self.stem):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                while (said := _next(file)) is not None:
                    self._read[path] = file.tell()
                    yield said


def reports_of(stem: Path) -> Iterator[Said]:
    """Yields all that a share has reported."""
    return Inbox(stem).take()


def _next(file: Any) -> Said | None:
    try:
        said = pickle.load(file)
    except (EOFError, pickle.UnpicklingError):  # the rest of it is yet to come
        return None
    assert isinstance(said, Said)
    return said


def _attempts(stem: Path) -> list[Path]:
    return sorted(stem.parent.glob(f"{stem.name}.*"), key=lambda path: int(path.suffix[1:]))


def attempt_file(stem: Path) -> Path:
    """Returns the file for the reports of the next attempt."""
    return stem.with_name(f"{stem.name}.{len(_attempts(stem))}")


def preemption() -> int:
    """Returns the number of the signal by which submitit has SLURM tell a process that it is to be ended."""
    from submitit.core.job_environment import JobEnvironment

    return int(getattr(signal, f"SIG{JobEnvironment.USR_SIG}"))
