"""Runs tasks in worker processes of this machine.

If a worker dies, only the task it was working on is lost, and a new worker takes its place. Workers do not
outlive the process that started them: each one watches that process and stops itself when it has ended.
A worker that is asked to stop ends when nothing is half done, and says what has become of its runs.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from types import ModuleType
from typing import Any

from initlab.memory import collect_seldom
from initlab.signals import STOPPING, Stopped, alive, stop, stop_on_signals, wait
from initlab.sweeps.executors.protocol import (
    Function,
    Halted,
    Lost,
    OnReport,
    attempted,
    check_count,
    how_it_ended,
)

SECONDS_TO_STOP = 60  # to write what was trained; one that shows no sign of life ends itself before

# Each worker is a fresh interpreter: a fork would copy locks that other threads hold.
_processes = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Processes:
    """Trains on this machine, in at most ``n_jobs`` processes; None: one for each core that it may use."""

    n_jobs: int | None
    remote, wait = False, True

    def check(self) -> None:
        """Raises ConfigError for a number of processes that is none."""
        check_count("n_jobs", self.n_jobs)

    @property
    def count(self) -> int:
        """How many processes may train at once."""
        return self.n_jobs or cores()

    def rejoin(self, folder: Path) -> None:
        """Does nothing: no process outlives its command."""

    def run(self, function: Function, tasks: deque[Any], on_report: OnReport) -> Iterator[tuple[Any, Any]]:
        """Yields pairs (task, result): see ``run_in_workers``."""
        return run_in_workers(function, tasks, self.count, on_report)


def cores() -> int:
    """Returns how many cores this process may use; not every system says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_in_workers(
    function: Function, tasks: deque[Any], count: int, on_report: OnReport
) -> Iterator[tuple[Any, Any]]:
    """Yields pairs (task, result) in the order in which the tasks are done, by at most ``count`` workers.

    A result is what ``function(task, report)`` returned, or Lost. When the function calls
    ``report(what)``, this process calls ``on_report(task, what)``. The consumer may append tasks while it
    iterates. All workers end when the iteration ends, also when it ends early or with an error; a busy one
    then reports Halted, or Lost if it ended without a word.

    ``function`` must be importable: workers do not run the user's script, so they know nothing of it.
    """
    workers: list[_Worker] = []
    try:
        while tasks or any(worker.busy for worker in workers):
            idle = [worker for worker in workers if not worker.busy]
            while tasks and (idle or len(workers) < count):
                if not idle:
                    workers.append(_Worker(function))
                    idle.append(workers[-1])
                idle.pop().give(tasks.popleft())
            for worker in _with_news(workers):
                kind, what = worker.hear()
                if kind == "report":
                    on_report(worker.task, what)
                    continue
                if isinstance(what, Halted):  # somebody stopped this worker alone: its task is not done
                    what = Lost(how_it_ended(-what.signum))
                if worker.gone:
                    workers.remove(worker)
                worker.busy = False
                yield worker.task, what
    finally:
        for worker in workers:
            worker.ask_to_stop()
        for worker in workers:
            for what in worker.stopped():
                on_report(worker.task, what)


class _Worker:
    """A worker process and its current task, or its last one while it is idle."""

    def __init__(self, function: Function) -> None:
        self.connection, theirs = _processes.Pipe()
        self._process = _processes.Process(target=_work, args=(theirs, function))
        with _no_main_module(), _signals_later():
            self._process.start()
        theirs.close()
        self.task: Any = None
        self.busy = self.gone = False

    def give(self, task: Any) -> None:
        self.task, self.busy = task, True
        self.connection.send(task)

    def hear(self) -> tuple[str, Any]:
        """Returns the worker's next message: ('report', what) or ('result', what). A worker's last result is
        Halted if it was asked to stop, and Lost if it died.
        """
        try:
            kind, what = self.connection.recv()
        except (EOFError, OSError):  # what a pipe says when its other end is gone
            self._process.join()
            self.gone = True
            return "result", Lost(how_it_ended(self._process.exitcode or 0))
        self.gone = isinstance(what, Halted)
        return kind, what

    def ask_to_stop(self) -> None:
        if self._process.is_alive():
            self._process.terminate()

    def stopped(self) -> Iterator[Any]:
        """Yields what the worker still reports until it has ended, which takes a while where it writes."""
        until = time.monotonic() + SECONDS_TO_STOP
        while not self.gone and time.monotonic() < until:
            alive()
            if self.connection.poll(0.1):
                kind, what = self.hear()
                if self.busy and (kind == "report" or self.gone):
                    yield what
                self.busy = self.busy and kind == "report"
        self._process.join(1 if self.gone else 0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.connection.close()


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Hides the main module while a process starts.

    Python tells a new process which script is the main module, and the process runs that script again. If
    the script starts a sweep without ``if __name__ == "__main__":``, every worker would begin that sweep
    anew. An empty main module has no file, so the new process has nothing to run.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _signals_later() -> Iterator[None]:
    """Lets the stopping signals wait while a process starts: in this one, and in the new until it listens."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _with_news(workers: list[_Worker]) -> list[_Worker]:
    """Returns the busy workers that have sent a message or died; waits until there is one."""
    by_connection = {worker.connection: worker for worker in workers if worker.busy}
    return [by_connection[ready] for ready in wait(list(by_connection)) if isinstance(ready, Connection)]


def _work(connection: Connection, function: Function) -> None:
    stop_on_signals()
    collect_seldom()
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    try:
        while True:
            wait([connection])
            task = connection.recv()
            connection.send(("result", _result(function, task, connection)))
    except (EOFError, BrokenPipeError):
        return
    except Stopped as stopped:
        with suppress(OSError):  # the parent is gone
            connection.send(("result", Halted(stopped.signum, stopped.killed, stopped.unmarked)))
        sys.exit(128 + stopped.signum)


def _result(function: Function, task: Any, connection: Connection) -> Any:
    def report(what: Any) -> None:
        try:
            connection.send(("report", what))
        except OSError:  # the parent is gone; this thread need not wait until the watching thread sees it
            stop(signal.SIGTERM)

    return attempted(function, task, report)


def _stop_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait_for([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
