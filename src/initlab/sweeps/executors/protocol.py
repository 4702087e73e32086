"""What all executors share: how a task is run, what it may come to, and what the launcher asks of them."""

import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from initlab.errors import ConfigError

SECONDS_BETWEEN_SHARES = 0.5  # of work done, on the way to another machine

Report = Callable[[Any], None]
Function = Callable[[Any, Report], Any]
OnReport = Callable[[Any, Any], None]


@dataclass(frozen=True)
class Lost:
    """Takes the place of a task's result if the task raised an error or its worker died."""

    why: str


@dataclass(frozen=True)
class Halted:
    """What a worker's last word is when it was asked to stop: by which signal, how many of its task's runs it
    marked KILLED, and how many it could not.
    """

    signum: int
    killed: int
    unmarked: int


def attempted(function: Function, task: Any, report: Report) -> Any:
    """Returns what a function returns of a task; Lost, and prints the traceback, where it raises an error."""
    try:
        return function(task, report)
    except Exception as error:
        traceback.print_exc()
        return Lost(f"{type(error).__name__}: {error}")


def how_it_ended(exit_code: int) -> str:
    """Returns in words how a process ended; a negative code is that of a signal."""
    if exit_code < 0:
        return f"its process was ended by {signal.Signals(-exit_code).name}"
    return f"its process ended with exit code {exit_code}"


def check_count(name: str, value: int | None, least: str = "null or a whole number") -> None:
    """Raises ConfigError where a launcher's setting is given and no number of at least 1."""
    if value is not None and value < 1:
        raise ConfigError(f"hydra.launcher.{name}={value}: must be {least} of at least 1")


class Seldom:
    """Reports to a process that is far away: of the shares of work done only some."""

    def __init__(self, report: Report) -> None:
        self._report, self._next = report, 0.0

    def __call__(self, what: Any) -> None:
        """Takes what is to be reported."""
        now = time.monotonic()
        if isinstance(what, float):
            if now < self._next:
                return
            self._next = now + SECONDS_BETWEEN_SHARES
        self._report(what)


class Executor(Protocol):
    """Where tasks are run: each in one process at a time, many at once."""

    remote: bool
    """Whether that may be other machines, which must reach the store and may not see this one's files."""

    def check(self) -> None:
        """Raises ConfigError, in one line, for a setting that is not allowed or a package that is missing."""

    @property
    def wait(self) -> bool:
        """Whether ``run`` goes on until all tasks have ended; else it ends when they are submitted."""

    @property
    def count(self) -> int:
        """How many tasks may run at once, as far as is known now."""

    def rejoin(self, folder: Path) -> None:
        """Waits for tasks of the sweep in a folder that an earlier command has left running."""

    def run(self, function: Function, tasks: deque[Any], on_report: OnReport) -> Iterator[tuple[Any, Any]]:
        """Yields pairs (task, result) in the order in which the tasks are done.

        A result is what ``function(task, report)`` returned, or Lost. When the function calls
        ``report(what)``, this process calls ``on_report(task, what)``. The consumer may append tasks while it
        iterates. All work ends when the iteration ends, also when it ends early or with an error; a task that
        was under way then reports Halted, or Lost if it ended without a word.

        ``function`` must be importable where the tasks run.
        """
