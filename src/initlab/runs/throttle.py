"""What happens now and then while a stack trains: a stop is heard, progress is told, metrics are flushed."""

import time
from collections.abc import Callable

from initlab.signals import check
from initlab.training.loop import Record
from initlab.types import Array

SECONDS_BETWEEN_GLANCES = 0.1
SECONDS_BETWEEN_FLUSHES = 10  # a long run shows its metrics in the UI while it trains

Progress = Callable[[str, int, int, Array], None]
"""Is told what trains, how many iterations it has made, of how many, and its costs (R,)."""


class Throttle:
    """Looks at every record and acts on few of them: tells ``progress``, and calls ``flush``. Raises Stopped
    at once when that is asked for.
    """

    def __init__(self, label: str, iterations: int, progress: Progress | None) -> None:
        self._label, self._iterations, self._progress = label, iterations, progress
        self.flush: Callable[[], None] | None = None
        self._next_glance, self._next_flush = 0.0, time.monotonic() + SECONDS_BETWEEN_FLUSHES

    def __call__(self, record: Record) -> None:
        """Takes the newest record."""
        check()
        now = time.monotonic()
        if now < self._next_glance:
            return
        self._next_glance = now + SECONDS_BETWEEN_GLANCES
        if self._progress:
            self._progress(self._label, record.iteration + 1, self._iterations, record.cost)
        if self.flush and now >= self._next_flush:
            self.flush()
            self._next_flush = time.monotonic() + SECONDS_BETWEEN_FLUSHES
