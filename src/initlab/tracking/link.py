"""Whether a store answers, as far as this process knows: told once, asked again after growing pauses.

Training does not wait for a store. What could not be written is tried again with the next metrics, and at the
end of a stack for some seconds more; after that a store that stays away costs each stack one attempt.
"""

import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from initlab.errors import StoreAwayError
from initlab.signals import alive, asked

SECONDS_TO_WAIT = 15  # since the store went away, at the end of a stack
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
STEP = 0.1  # of a pause at the end of a stack, in which a signal is heard

T = TypeVar("T")
Say = Callable[[str], None]
"""Takes a line for whoever started the command."""


def to_stderr(line: str) -> None:
    """Prints a line where a command says what is not its result."""
    print(line, file=sys.stderr, flush=True)


@lru_cache
def link_to(uri: str) -> "Link":
    """Returns the one link of this process to the store at uri (absolute)."""
    return Link(uri)


class Link:
    """What is known of a store: since when it is away, and when to ask it again."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._since: float | None = None
        self._pause, self._next = FIRST_PAUSE, 0.0

    @property
    def resting(self) -> bool:
        """Whether the store did not answer a moment ago, so that it is not asked again yet."""
        return self._since is not None and time.monotonic() < self._next

    @property
    def away(self) -> bool:
        """Whether the store did not answer when it was asked last."""
        return self._since is not None

    def lost(self, say: Say) -> None:
        """Takes that the store does not answer."""
        if self._since is None:
            self._since = time.monotonic()
            say(f"{named(self._uri)} {_silent(self._uri)}; the work goes on.")
        self._next = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def found(self, say: Say) -> None:
        """Takes that the store answers."""
        if self._since is not None:
            self._since, self._pause = None, FIRST_PAUSE
            say(f"{named(self._uri)} answers again.")

    def patiently(self, attempt: Callable[[], T], say: Say) -> T:
        """Returns what an attempt returns; tries again while the store is away, until it has been for so long
        that waiting is in vain, or stopping was asked for.

        Raises StoreAwayError then.
        """
        while not self._in_vain:
            alive()
            try:
                result = attempt()
            except StoreAwayError:
                self.lost(say)
                if self._in_vain:
                    raise
                self._rest()
            else:
                self.found(say)
                return result
        raise StoreAwayError(f"{named(self._uri)} {_silent(self._uri)}")

    @property
    def _in_vain(self) -> bool:
        """Whether a store that did not answer need not be asked now."""
        if self._since is None:
            return False
        late = time.monotonic() >= self._since + SECONDS_TO_WAIT and self.resting
        return late or asked() is not None

    def _rest(self) -> None:
        """Waits until the store may be asked again, and no longer than is worth it."""
        assert self._since is not None
        self._next = min(self._next, self._since + SECONDS_TO_WAIT)
        while (left := self._next - time.monotonic()) > 0 and asked() is None:
            time.sleep(min(left, STEP))


def named(uri: str) -> str:
    """Returns what a store is called in a line, without its password."""
    return f"tracking.uri={uri}"


def _silent(uri: str) -> str:
    return "is locked by another program" if uri.startswith("sqlite") else "does not answer"
