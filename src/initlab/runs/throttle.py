"""What happens now and then while a stack trains: a stop is heard, progress is told, metrics are flushed and
checkpoints kept.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from initlab.signals import check
from initlab.training.loop import Record
from initlab.types import Array

SECONDS_BETWEEN_GLANCES = 0.1
SECONDS_BETWEEN_FLUSHES = 10  # a long run shows its metrics in the UI while it trains

Progress = Callable[[str, int, int, Array], None]
"""Is told what trains, how many iterations it has made, of how many, and its costs (R,)."""


class Throttle:
    """Looks at every record and acts on few of them: tells ``progress``, and does what is due. Raises Stopped
    at once when that is asked for.
    """

    def __init__(self, label: str, iterations: int, progress: Progress | None) -> None:
        self._label, self._iterations, self._progress = label, iterations, progress
        self._next_glance = 0.0
        self._regular: list[_Regular] = []

    def every(self, seconds: float, act: Callable[[], None]) -> None:
        """Has ``act`` called when so many seconds have passed, and again whenever so many more have."""
        self._regular.append(_Regular(seconds, act, time.monotonic() + seconds))

    def __call__(self, record: Record) -> None:
        """Takes the newest record."""
        check()
        now = time.monotonic()
        if now < self._next_glance:
            return
        self._next_glance = now + SECONDS_BETWEEN_GLANCES
        if self._progress:
            self._progress(self._label, record.iteration + 1, self._iterations, record.cost)
        for one in self._regular:
            if now >= one.due:
                one.act()
                one.due = time.monotonic() + one.seconds


@dataclass
class _Regular:
    seconds: float
    act: Callable[[], None]
    due: float
