"""What the terminal shows: a progress line while a job trains, and at the end one table of what came out."""

import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from initlab.activations import Array
from initlab.job import Job
from initlab.outcomes import Outcome

SECONDS_BETWEEN_LINES = 10  # where there is no terminal to redraw a line in
PIPE_WIDTH = 200  # a pipe has no width; wide enough that no row is broken


class ProgressLine:
    """Shows how far a job is and at which cost: one line redrawn in a terminal, seldom plain lines
    elsewhere.
    """

    def __init__(self) -> None:
        self._console = Console()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,}/{task.total:,}"),
            TextColumn("cost {task.fields[cost]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=1, cost="", start=True, visible=False)
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

    def __call__(self, jobs: Sequence[Job], iteration: int, costs: Array) -> None:
        """Takes a glance at jobs that have made so many iterations and have costs (R,)."""
        name = jobs[0].name if len(jobs) == 1 else f"{len(jobs)} runs"
        total, cost = jobs[0].settings.train.iterations, f"{np.median(costs):.4g}"
        if self._console.is_terminal:
            self._bar.update(
                self._task, description=name, completed=iteration, total=total, cost=cost, visible=True
            )
        elif time.monotonic() >= self._next_line:
            print(f"{name}: {iteration:,} of {total:,} iterations, cost {cost}", flush=True)
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES


Column = tuple[str, Callable[[Outcome], str]]


def print_summary(outcomes: Sequence[Outcome]) -> None:
    """Prints a table of the finished jobs and where to see them, and, to stderr, every job that failed
    and why.
    """
    finished = [outcome for outcome in outcomes if outcome.error is None]
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if finished:
        console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
        console.print(_table(finished, plain=not console.is_terminal))
        if finished[0].address:
            console.print(f"Compare them in MLflow (make ui): {finished[0].address}", soft_wrap=True)
    if len(outcomes) == 1 and failed:
        print(failed[0].error, file=sys.stderr)
    elif failed:
        print(f"{len(failed)} of {len(outcomes)} jobs failed:", file=sys.stderr)
        for outcome in failed:
            print(f"  {outcome.name}: {outcome.error}", file=sys.stderr)


def _table(outcomes: Sequence[Outcome], plain: bool) -> Table:
    columns: list[Column] = [("init", lambda o: o.tags["init"])]
    columns += [(key, _override(key)) for key in _varied(outcomes) if key != "init"]
    columns += [
        ("final cost", _final_cost),
        ("train accuracy", lambda o: _percent(o.accuracy_train)),
        ("test accuracy", lambda o: _percent(o.accuracy_test)),
        ("seconds", lambda o: f"{o.seconds:.2f}"),
        ("run", lambda o: o.name),
    ]
    table = Table(box=None if plain else box.SIMPLE_HEAD, pad_edge=False)
    for name, _ in columns:
        table.add_column(name, justify="left" if name in ("init", "run") else "right", no_wrap=True)
    for outcome in outcomes:
        table.add_row(*(show(outcome) for _, show in columns))
    return table


def _varied(outcomes: Sequence[Outcome]) -> list[str]:
    """Returns the keys whose overrides differ between the jobs, in the order they were given."""
    keys = [override.split("=")[0] for outcome in outcomes for override in outcome.overrides]
    return [key for key in dict.fromkeys(keys) if len({_override(key)(o) for o in outcomes}) > 1]


def _override(key: str) -> Callable[[Outcome], str]:
    def value(outcome: Outcome) -> str:
        given = dict(override.partition("=")[::2] for override in outcome.overrides)
        return given.get(key, "")

    return value


def _final_cost(outcome: Outcome) -> str:
    if outcome.final_cost is None:
        return f"diverged at {outcome.diverged_at:,}"
    return f"{outcome.final_cost:.6f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
