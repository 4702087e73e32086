"""Ending on a signal: SIGINT, SIGTERM and SIGHUP become one exception, which never falls between two steps
that belong together.

A run must not stay RUNNING because its process was asked to stop. So the three signals raise Stopped where
the program is, its ``except`` ends the run as KILLED, and code inside ``held`` is finished first.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopped(KeyboardInterrupt):
    """The process was asked to stop; ``signum`` says by which signal."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


_depth = 0
_waiting: list[int] = []


def _on_signal(signum: int, frame: FrameType | None) -> None:
    if _depth:
        _waiting.append(signum)
    else:
        raise Stopped(signum)


def stop_on_signals() -> None:
    """Makes the stopping signals raise Stopped. One that is ignored, as under nohup, stays ignored."""
    for signum in STOPPING:
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, _on_signal)


@contextmanager
def held() -> Iterator[None]:
    """Lets a stopping signal wait until the block is left."""
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
    if _waiting and not _depth:
        raise Stopped(_waiting.pop())
