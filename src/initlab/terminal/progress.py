"""What the terminal shows while jobs train: one line redrawn, or seldom plain lines in a pipe."""

import math
import time
from collections.abc import Callable, Hashable
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from initlab.types import Array

LEAST_SHARE = 0.1  # of the work, to tell from it how long the rest will take
SECONDS_BETWEEN_LINES = 10  # where there is no terminal to redraw a line in


class _Live(ProgressColumn):
    """Words that are asked for whenever the line is drawn."""

    def __init__(self, words: Callable[[], str]) -> None:
        super().__init__()
        self._words = words

    def render(self, task: Task) -> Text:
        """Is called by rich."""
        return Text(self._words())


class _Line:
    """A line that tells which share of some work is done, which only grows, and when the rest will be.

    With ``quiet`` nothing is shown where the line cannot be redrawn.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._console = Console(highlight=False, markup=False)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            _Live(self._left),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=1, visible=False)
        self._in_notebook: Any = None
        self._began = self._told = self._printed = time.monotonic()
        self._share = 0.0
        self._before = 0.0  # the share that was done before, of a run that goes on

    def __enter__(self) -> Self:
        if self._console.is_jupyter:
            from IPython.display import display

            self._in_notebook = display({"text/plain": ""}, raw=True, display_id=True)
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._bar.disable:  # some versions of rich end even a disabled bar by an empty line
            self._bar.stop()
        if self._in_notebook:
            self._in_notebook.update({"text/plain": ""}, raw=True)

    def _tell(self, share: float, words: Callable[[], str]) -> None:
        now = time.monotonic()
        if share > self._share:
            self._share, self._told = min(share, 1.0), now
        if self._console.is_terminal:
            self._bar.update(self._task, description=words(), completed=self._share, visible=True)
        elif self._in_notebook:
            line = ", ".join(filter(None, [words(), self._left()]))
            self._in_notebook.update({"text/plain": line}, raw=True)
        elif not self._quiet and now >= self._printed + SECONDS_BETWEEN_LINES and 0 < self._share < 1:
            print(", ".join(filter(None, [words(), self._left()])), flush=True)
            self._printed = now

    def _left(self) -> str:
        """Returns how long the rest will take at the pace so far; '' where that is a guess, and once that
        time has passed.
        """
        if self._share == 1:
            return "finishing"
        done = (self._share - self._before) / (1 - self._before)
        if done < LEAST_SHARE:
            return ""
        whole = (self._told - self._began) / done
        left = round(self._began + whole - time.monotonic())
        return "" if left < 1 else f"{timedelta(seconds=left) if left >= 60 else f'{left} s'} left"


class ProgressLine(_Line):
    """Shows how far a job is and at which cost. It is told of the first iteration and then of some."""

    def __call__(self, name: str, iteration: int, total: int, costs: Array) -> None:
        """Takes a glance at what trains: its name, its iterations so far, of how many, and its costs (R,)."""
        cost = f"cost {np.median(costs):.4g}"
        if not self._share:
            self._before = (iteration - 1) / total
        self._tell(iteration / total, lambda: f"{name}: {iteration:,} of {total:,} iterations, {cost}")


class SweepProgress(_Line):
    """Shows how much of a sweep's work is done, and how fast it goes."""

    def __init__(self, jobs: int, *, quiet: bool = False) -> None:
        super().__init__(quiet=quiet)
        self._jobs, self._ended = jobs, 0
        self._under_way: dict[Hashable, float] = {}

    def under_way(self, what: Hashable, jobs: float) -> None:
        """Takes of how many jobs the work at ``what`` makes up so far; 0 when they have ended."""
        self._under_way[what] = jobs
        self._tell((self._ended + sum(self._under_way.values())) / self._jobs, self._words)

    def ended(self, jobs: int) -> None:
        """Takes that so many more jobs have ended."""
        self._ended += jobs
        self.under_way(None, 0)

    def _words(self) -> str:
        percent = f"{math.floor(100 * self._share)} % of {self._jobs:,} jobs"
        if self._share < LEAST_SHARE or self._told <= self._began:
            return percent
        rate = self._share * self._jobs / (self._told - self._began)
        return f"{percent}, {f'{rate:,.1f} a second' if rate >= 1 else f'{60 * rate:.2g} a minute'}"
