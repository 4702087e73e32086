"""What happens now and then while a stack trains: progress is told and metrics are flushed."""

import time
from collections.abc import Callable, Sequence

from initlab.runs.job import Job
from initlab.training.loop import Record
from initlab.types import Array

SECONDS_BETWEEN_GLANCES = 0.1
SECONDS_BETWEEN_FLUSHES = 10  # a long run shows its metrics in the UI while it trains

Progress = Callable[[Sequence[Job], int, Array], None]
"""Is told the jobs of a stack, how many iterations they have made and their costs (R,)."""


class Watch:
    """Looks at every record and acts on few of them."""

    def __init__(
        self, jobs: Sequence[Job], progress: Progress | None, flush: Callable[[], None] | None
    ) -> None:
        self._jobs, self._progress, self._flush = jobs, progress, flush
        self._next_glance, self._next_flush = 0.0, time.monotonic() + SECONDS_BETWEEN_FLUSHES

    def __call__(self, record: Record) -> None:
        """Takes the newest record."""
        now = time.monotonic()
        if now < self._next_glance:
            return
        self._next_glance = now + SECONDS_BETWEEN_GLANCES
        if self._progress:
            self._progress(self._jobs, record.iteration + 1, record.cost)
        if self._flush and now >= self._next_flush:
            self._flush()
            self._next_flush = time.monotonic() + SECONDS_BETWEEN_FLUSHES
