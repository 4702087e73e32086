"""Processes that work off tasks, each of which may die without taking more than its task along.

A worker that is killed costs the task it had; a new one takes its place. No worker outlives this
process: each watches it and stops itself, the way a signal would stop it, when it is gone.
"""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from initlab.signals import Stopped, stop, stop_on_signals

SECONDS_TO_STOP = 10

Report = Callable[[Any], None]
Function = Callable[[Any, Report], Any]

# A fresh interpreter for each worker: forking would copy locks that other threads hold.
_processes = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Lost:
    """Stands in place of the result of a task that has none: its worker ended, or the task raised."""

    why: str


def run_in_workers(
    function: Function, tasks: deque[Any], count: int, on_report: Callable[[Any, Any], None]
) -> Iterator[tuple[Any, Any]]:
    """Yields every task with its result, ``function(task, report)``, or with Lost, as they come.

    ``on_report(task, what)`` is called for each ``report(what)`` of a worker. The consumer may append
    tasks while it iterates. The workers end with the iteration, however that ends.
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
                if worker.gone:
                    workers.remove(worker)
                worker.busy = False
                yield worker.task, what
    finally:
        for worker in workers:
            worker.ask_to_stop()
        for worker in workers:
            worker.stop()


class _Worker:
    """One process, and the task that it has or had last."""

    def __init__(self, function: Function) -> None:
        self.connection, theirs = _processes.Pipe()
        self._process = _processes.Process(target=_work, args=(theirs, function))
        self._process.start()
        theirs.close()
        self.task: Any = None
        self.busy = self.gone = False

    def give(self, task: Any) -> None:
        self.task, self.busy = task, True
        self.connection.send(task)

    def hear(self) -> tuple[str, Any]:
        """Returns ('report' or 'result', what): the next message, or that the worker died."""
        try:
            kind, what = self.connection.recv()
        except (EOFError, OSError):  # what a pipe says when its other end is gone
            self._process.join()
            self.gone = True
            return "result", Lost(_how_it_ended(self._process.exitcode or 0))
        return kind, what

    def ask_to_stop(self) -> None:
        if self._process.is_alive():
            self._process.terminate()

    def stop(self) -> None:
        self._process.join(SECONDS_TO_STOP)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.connection.close()


def _with_news(workers: list[_Worker]) -> list[_Worker]:
    """Waits and returns the busy workers that have said something or are gone."""
    by_connection = {worker.connection: worker for worker in workers if worker.busy}
    return [by_connection[ready] for ready in wait(list(by_connection)) if isinstance(ready, Connection)]


def _work(connection: Connection, function: Function) -> None:
    stop_on_signals()
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    try:
        while True:
            task = connection.recv()
            connection.send(("result", _result(function, task, connection)))
    except (EOFError, BrokenPipeError):
        return
    except Stopped as stopped:
        sys.exit(128 + stopped.signum)


def _result(function: Function, task: Any, connection: Connection) -> Any:
    def report(what: Any) -> None:
        try:
            connection.send(("report", what))
        except OSError:  # nobody listens: the parent is gone, and its watcher will say so in a moment
            stop(signal.SIGTERM)

    try:
        return function(task, report)
    except Exception as error:
        traceback.print_exc()
        return Lost(f"{type(error).__name__}: {error}")


def _how_it_ended(exit_code: int) -> str:
    if exit_code < 0:
        return f"its process was ended by {signal.Signals(-exit_code).name}"
    return f"its process ended with exit code {exit_code}"


def _stop_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
