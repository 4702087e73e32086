"""Stopping on a signal: SIGINT, SIGTERM and SIGHUP raise one exception, Stopped, that cleaning up relies on.

A run must not stay RUNNING because its process was asked to stop. So the first such signal raises Stopped
where the program is, and an ``except`` there ends the run as KILLED. ``held`` encloses steps that belong
together: a signal waits until they are done. After the first signal, only Ctrl-C interrupts again.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopped(KeyboardInterrupt):
    """The process was asked to stop; ``signum`` says by which signal."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class _State:
    """What the handler must know: how deep in ``held`` the program is, and what has come so far."""

    depth = 0
    waiting: int | None = None
    stopping = False


def asked() -> int | None:
    """Returns the number of the signal by which stopping was asked for, None if it was not."""
    return _State.waiting


def _on_signal(signum: int, frame: FrameType | None) -> None:
    if _State.stopping and signum != signal.SIGINT:
        return
    if _State.depth:
        _State.waiting = signum
        return
    _State.stopping = True
    raise Stopped(signum)


def stop(signum: int) -> None:
    """Does what the signal would do, for a process that learns in another way that it shall end."""
    _on_signal(signum, None)


def stop_on_signals() -> None:
    """Makes the stopping signals raise Stopped. One that is ignored, as under nohup, stays ignored.

    Python tells only its main thread of signals; in another one this does nothing.
    """
    if not _is_told_of_signals():
        return
    for signum in STOPPING:
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, _on_signal)


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Lets the stopping signals raise Stopped within the block, and afterwards do what they did before."""
    before = {signum: signal.getsignal(signum) for signum in STOPPING}
    stop_on_signals()
    try:
        yield
    finally:
        _State.stopping = False
        for signum, handler in before.items() if _is_told_of_signals() else ():
            signal.signal(signum, handler)


def _is_told_of_signals() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def held() -> Iterator[None]:
    """Lets a stopping signal wait until the block is left."""
    _State.depth += 1
    try:
        yield
    finally:
        _State.depth -= 1
    if _State.waiting is not None and not _State.depth:
        signum, _State.waiting, _State.stopping = _State.waiting, None, True
        raise Stopped(signum)
