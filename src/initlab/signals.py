"""Stopping on a signal: the first one asks, and safe points hear it; a second Ctrl-C ends the process.

An exception that a handler raises is lost in a ``__del__``, a weakref callback or an import, and in the
middle of a write it leaves half of it. So the handlers of SIGINT, SIGTERM and SIGHUP only note that stopping
was asked for. ``check`` raises Stopped where nothing is half done, and ``wait`` wakes up for it. A process
that shows no sign of life for some seconds after that, such as one that waits for a server, is ended.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait as wait_for
from types import FrameType
from typing import Any

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
SECONDS_WITHOUT_LIFE = 2
SHOW_CURSOR = b"\x1b[?25h"


class Stopped(KeyboardInterrupt):
    """The process was asked to stop; ``signum`` says by which signal.

    ``killed`` counts the runs that were ended as KILLED for it, ``unmarked`` those whose end the store did
    not take.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum
        self.killed = self.unmarked = 0


class _State:
    """What was asked for and who hears it: the signal, the last sign of life, and pipes that wake up a wait
    of the main thread and the thread that watches over it.
    """

    asked: int | None = None
    alive_until = 0.0
    wake: tuple[int, int] | None = None
    watch: tuple[int, int] | None = None
    end: Callable[[int], None] | None = None  # what a second Ctrl-C, or no sign of life, does


def asked() -> int | None:
    """Returns the number of the signal by which stopping was asked for, None if it was not."""
    return _State.asked


def check() -> None:
    """Raises Stopped if stopping was asked for: to be called often, and only where nothing is half done."""
    if _State.asked is not None:
        alive()
        raise Stopped(_State.asked)


def alive(seconds: float = SECONDS_WITHOUT_LIFE) -> None:
    """Says that what is under way must not be stopped here, such as writing what was trained, and takes no
    longer than so many seconds until the next word.
    """
    _State.alive_until = max(_State.alive_until, time.monotonic() + seconds)


def wait(connections: Sequence[Any], seconds: float | None = None) -> list[Any]:
    """Returns those of the connections that have something to read, when there are some or time is up.

    Raises Stopped as soon as stopping is asked for.
    """
    until = None if seconds is None else time.monotonic() + seconds
    wake = [] if _State.wake is None else [_State.wake[0]]
    while True:
        check()
        left = None if until is None else max(0.0, until - time.monotonic())
        ready = wait_for([*connections, *wake], left)
        check()
        news = [one for one in ready if one not in wake]
        if news or not ready:
            return news
        _forget_wakes()  # of signals that ask for nothing


def _forget_wakes() -> None:
    if _State.wake is not None:
        with suppress(BlockingIOError):  # there are none
            os.read(_State.wake[0], 1024)


def sleep(seconds: float) -> None:
    """Sleeps; raises Stopped as soon as stopping is asked for."""
    if _State.wake is None:
        time.sleep(seconds)
    else:
        wait([], seconds)


def stop(signum: int) -> None:
    """Asks this process to stop, as the signal would."""
    if _State.asked is None:
        alive()
        _State.asked = signum
        for pipe in (_State.wake, _State.watch):
            if pipe is not None:
                os.write(pipe[1], b"!")


def _on_signal(signum: int, frame: FrameType | None) -> None:
    if _State.asked is None:
        stop(signum)
    elif signum == signal.SIGINT:
        if _State.end is None:
            raise KeyboardInterrupt
        _State.end(_State.asked)


def _watch() -> None:
    """Ends the process once it was asked to stop and shows no sign of life.

    This thread waits from the beginning: one that a handler starts could wait for ever for a lock that the
    interrupted program holds.
    """
    assert _State.watch is not None
    os.read(_State.watch[0], 1)
    while (left := _State.alive_until - time.monotonic()) > 0:
        time.sleep(left)
    if _State.end is not None and _State.asked is not None:
        _State.end(_State.asked)


def stop_on_signals(last_words: str = "") -> None:
    """Has the stopping signals ask this process to stop, and end it where it does not hear; ``last_words``
    are said then. For a process that is a command's own. A signal that is ignored, as under nohup, stays so.

    Python tells only its main thread of signals; in another one this does nothing.
    """
    if not _is_told_of_signals():
        return

    def end(signum: int) -> None:
        try:
            if last_words:
                os.write(2, (SHOW_CURSOR if os.isatty(2) else b"") + f"{last_words}\n".encode())
        finally:  # also where nobody listens any more
            os._exit(128 + signum)

    _State.end = end
    _listen()
    if _State.watch is None:
        _State.watch = os.pipe()
        threading.Thread(target=_watch, daemon=True).start()


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Has the stopping signals ask for an end within the block, and do afterwards what they did before.

    A second Ctrl-C raises KeyboardInterrupt where the program is: the process is somebody else's.
    """
    if not _is_told_of_signals():
        yield
        return
    before = {signum: signal.getsignal(signum) for signum in STOPPING}
    woken = signal.set_wakeup_fd(-1)
    _listen()
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken)
        _forget_wakes()
        _State.asked = None
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _listen() -> None:
    if not _is_told_of_signals():
        return
    if _State.wake is None:
        _State.wake = os.pipe()
        for end in _State.wake:
            os.set_blocking(end, False)
    # The system may give a signal to a thread that runs no Python: without this the main one would wait on.
    signal.set_wakeup_fd(_State.wake[1], warn_on_full_buffer=False)
    for signum in STOPPING:
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, _on_signal)


def _is_told_of_signals() -> bool:
    return threading.current_thread() is threading.main_thread()
