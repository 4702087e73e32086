"""What the terminal shows while jobs train: one line redrawn, or seldom plain lines in a pipe."""

import time
from collections.abc import Hashable
from datetime import timedelta
from types import TracebackType
from typing import Self

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

from initlab.types import Array

LEAST_SHARE = 0.1  # of a sweep's work, to tell from it how long the rest will take
SECONDS_BETWEEN_LINES = 10  # where there is no terminal to redraw a line in


class _Line:
    """A progress bar of its own columns, shown between entering and leaving.

    With ``quiet`` nothing is written where the bar cannot be redrawn.
    """

    def __init__(self, *columns: ProgressColumn, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console()
        self._bar = Progress(
            *columns,
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def say(self, words: str | None) -> None:
        """Prints a line, unless there are no words or it is to be quiet."""
        if words and not self._quiet:
            print(words, flush=True)


class ProgressLine(_Line):
    """Shows how far a job is and at which cost."""

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,}/{task.total:,}"),
            TextColumn("cost {task.fields[cost]}"),
            TimeRemainingColumn(),
            quiet=quiet,
        )
        self._task = self._bar.add_task("", total=1, cost="", start=True, visible=False)

    def __call__(self, name: str, iteration: int, total: int, costs: Array) -> None:
        """Takes a glance at what trains: its name, its iterations so far, of how many, and its costs (R,)."""
        cost = f"{np.median(costs):.4g}"
        if self._console.is_terminal:
            self._bar.update(
                self._task, description=name, completed=iteration, total=total, cost=cost, visible=True
            )
        elif time.monotonic() >= self._next_line:
            self.say(f"{name}: {iteration:,} of {total:,} iterations, cost {cost}")
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES


class SweepProgress(_Line):
    """Shows how much of a sweep is done, how fast it goes and how long it will take."""

    def __init__(self, jobs: int, *, quiet: bool = False) -> None:
        super().__init__(
            TextColumn("{task.completed:,.0f}/{task.total:,} jobs"),
            BarColumn(),
            TextColumn("{task.fields[pace]}"),
            quiet=quiet,
        )
        self._jobs, self._ended = jobs, 0
        self._under_way: dict[Hashable, float] = {}
        self._task = self._bar.add_task("", total=jobs, pace="")
        self._began = time.monotonic()

    def under_way(self, what: Hashable, jobs: float) -> None:
        """Takes of how many jobs the work at ``what`` makes up so far; 0 when they have ended."""
        self._under_way[what] = jobs
        self._show()

    def ended(self, jobs: int) -> None:
        """Takes that so many more jobs have ended."""
        self._ended += jobs
        self._show()

    def _show(self) -> None:
        now = time.monotonic()
        done = min(self._jobs, self._ended + sum(self._under_way.values()))
        pace = self._pace(done, now - self._began)
        if self._console.is_terminal:
            self._bar.update(self._task, completed=done, pace=pace)
        elif now >= self._next_line and 1 <= round(done) < self._jobs:
            self.say(", ".join(filter(None, [f"{done:,.0f} of {self._jobs:,} jobs", pace])))
            self._next_line = now + SECONDS_BETWEEN_LINES

    def _pace(self, done: float, seconds: float) -> str:
        """Returns how fast it goes and how long it will take; nothing as long as that would be a guess."""
        if done < LEAST_SHARE * self._jobs or seconds <= 0:
            return ""
        rate = done / seconds
        pace = f"{rate:,.1f} a second" if rate >= 1 else f"{60 * rate:.2g} a minute"
        left = round((self._jobs - done) / rate)
        return f"{pace}, {timedelta(seconds=left) if left >= 60 else f'{left} s'} left"
