"""Runs tasks on a Ray cluster: one that is begun on this machine, or another that is there.

Ray tries nothing again by itself: what a lost worker or node has not done is the launcher's to give to
another. Workers report to an actor on this machine, and hear from its answers when they shall stop.
"""

import os
import re
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from initlab.errors import ConfigError, InitlabError, first_line
from initlab.signals import STOPPING, Stopped, alive, asked, check, stop, stopping_on_signals
from initlab.sweeps.executors.processes import cores
from initlab.sweeps.executors.protocol import (
    Function,
    Halted,
    Lost,
    OnReport,
    Seldom,
    attempted,
    check_count,
    how_it_ended,
)

SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_STOP = 4
SECONDS_TO_ANSWER = 5
ENVIRONMENT = ("AWS_", "AZURE_", "GOOGLE_", "INITLAB_", "MLFLOW_")  # how stores are reached


@dataclass(frozen=True)
class OnRay:
    """Trains in the Ray cluster at ``address``; None: in one that is begun on this machine, with ``n_jobs``
    cores. At most ``n_jobs`` tasks run at once, None: as many as there is room for ``cpus_per_task`` of each.
    """

    n_jobs: int | None
    address: str | None
    cpus_per_task: int
    remote = wait = True

    def check(self) -> None:
        """Raises ConfigError for a number that is none, and where Ray is not installed."""
        check_count("n_jobs", self.n_jobs)
        check_count("cpus_per_task", self.cpus_per_task, "a whole number")
        if find_spec("ray") is None:
            raise ConfigError("hydra/launcher=stacked_ray needs Ray: pip install 'initlab[ray]'")

    @property
    def count(self) -> int:
        """How many tasks the cluster has room for, with as many nodes as it has now."""
        self._connect()
        import ray

        return self.n_jobs or max(1, int(ray.cluster_resources().get("CPU", 0)) // self.cpus_per_task)

    def rejoin(self, folder: Path) -> None:
        """Does nothing: Ray ends what a command has begun when the command ends."""

    def run(self, function: Function, tasks: deque[Any], on_report: OnReport) -> Iterator[tuple[Any, Any]]:
        """Yields pairs (task, result): see ``Executor.run``. Raises InitlabError if the cluster is lost."""
        self._connect()
        with _lost_cluster(self.address):
            batch = _Batch(function, self.cpus_per_task, on_report)
        try:
            while tasks or batch.under_way:
                check()
                with _lost_cluster(self.address):
                    # One more than there is room for: a cluster that grows on demand sees the demand.
                    while tasks and len(batch.under_way) < (self.n_jobs or self.count + 1):
                        batch.give(tasks.popleft())
                    done = batch.look(SECONDS_BETWEEN_LOOKS)
                yield from done
        finally:
            batch.stop()

    def _connect(self) -> None:
        """Connects this process to the cluster, which it stays until it ends; raises InitlabError where there
        is none at the address.
        """
        import ray

        if ray.is_initialized():
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a laboratory does not speak about its users
        _silence_raylets()
        try:
            _knock(self.address)
            with _own_handlers():
                ray.init(logging_level="ERROR", **self._cluster)
        except (OSError, RuntimeError, ValueError) as error:
            where = "Ray could not be begun" if self.address is None else "there is no Ray cluster"
            problem = f"hydra.launcher.address={self.address or 'null'}: {where}"
            raise InitlabError(f"{problem} ({first_line(error)})") from error

    @property
    def _cluster(self) -> dict[str, Any]:
        """Which cluster it is, or what to begin, in Ray's words."""
        if self.address is not None:
            return {"address": self.address}
        own = (self.n_jobs or cores()) * self.cpus_per_task
        return {"address": "local", "num_cpus": own, "include_dashboard": False}


def _knock(address: str | None) -> None:
    """Raises OSError where nobody listens at an address: Ray itself would try for many minutes."""
    if found := re.fullmatch(r"(?:ray://)?(.+):(\d+)", address or ""):
        socket.create_connection((found[1], int(found[2])), SECONDS_TO_ANSWER).close()


def _silence_raylets() -> None:
    """Has Ray not print the log of a node that is lost: the closing words say what was lost. It has no
    setting for that, so its own function is wrapped, if it is what is known here.
    """
    from ray._private import worker

    show = getattr(worker, "print_to_stdstream", None)
    if show is None or hasattr(show, "shows"):
        return

    def shown(data: Any, *more: Any, **named: Any) -> Any:
        from_raylet = isinstance(data, dict) and data.get("pid") == "raylet"
        return None if from_raylet else show(data, *more, **named)

    vars(shown)["shows"] = show
    worker.print_to_stdstream = shown


@contextmanager
def _own_handlers() -> Iterator[None]:
    """Keeps this process's handlers of signals, in whose place Ray puts its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {signum: signal.getsignal(signum) for signum in STOPPING}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


@contextmanager
def _lost_cluster(address: str | None) -> Iterator[None]:
    """Turns Ray's errors inside into an InitlabError of one line."""
    import ray

    try:
        yield
    except ray.exceptions.RayError as error:
        problem = f"hydra.launcher.address={address}: the Ray cluster is lost"
        raise InitlabError(f"{problem} ({first_line(error)})") from error


class _Batch:
    """The tasks that are under way in the cluster."""

    def __init__(self, function: Function, cpus: int, on_report: OnReport) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray = ray
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._post = ray.remote(Post).options(num_cpus=0, scheduling_strategy=here).remote()
        self._serve = ray.remote(num_cpus=cpus, max_retries=0)(serve)
        environment = {key: value for key, value in os.environ.items() if key.startswith(ENVIRONMENT)}
        self._shared = ray.put((function, environment))
        self._on_report = on_report
        self.under_way: dict[Any, int] = {}  # the numbers of tasks by what Ray calls their results
        self._tasks: dict[int, Any] = {}
        self._given = 0

    def give(self, task: Any) -> None:
        """Hands a task to the cluster."""
        self._given += 1
        self._tasks[self._given] = task
        self.under_way[self._serve.remote(self._given, self._shared, task, self._post)] = self._given

    def look(self, seconds: float) -> list[tuple[Any, Any]]:
        """Passes on what was reported, and returns the tasks that have ended, with their results."""
        ended, _ = self._ray.wait(list(self.under_way), num_returns=1, timeout=seconds)
        self._hear()
        return [(self._over(self.under_way.pop(result)), self._result(result)) for result in ended]

    def _over(self, number: int) -> Any:
        self._post.end.remote(number)  # in place of a worker that died
        return self._tasks.pop(number)

    def _hear(self) -> set[int]:
        """Passes on what was reported, and returns the numbers of the tasks that are under way."""
        said: list[tuple[int, Any]]
        under_way: set[int]
        alive(SECONDS_TO_STOP)  # a busy cluster answers late
        said, under_way = self._ray.get(self._post.take.remote())
        for number, what in said:
            self._on_report(self._tasks[number], what)
        return under_way

    def _result(self, result: Any) -> Any:
        try:
            came = self._ray.get(result)
        except self._ray.exceptions.NodeDiedError:
            return Lost("its Ray node was lost")
        except self._ray.exceptions.OutOfMemoryError:
            return Lost("its Ray node had no memory left")
        except self._ray.exceptions.WorkerCrashedError:
            return Lost("its Ray worker was lost")
        except self._ray.exceptions.RayError as error:
            return Lost(f"its Ray worker was lost: {type(error).__name__}")
        return Lost(how_it_ended(-came.signum)) if isinstance(came, Halted) else came

    def stop(self) -> None:
        """Ends all tasks, and passes on what they still report."""
        with suppress(self._ray.exceptions.RayError):
            if self.under_way:
                self._stop()
            self._ray.kill(self._post)

    def _stop(self) -> None:
        alive(SECONDS_TO_STOP)
        self._ray.get(self._post.stop.remote(asked() or signal.SIGTERM))
        until = time.monotonic() + SECONDS_TO_STOP
        while (under_way := self._hear()) and time.monotonic() < until:
            time.sleep(SECONDS_BETWEEN_LOOKS / 4)
        for number in under_way:
            self._on_report(self._tasks[number], Lost("it did not stop in time"))


@dataclass
class Post:
    """The actor that workers report to."""

    waiting: list[tuple[int, Any]] = field(default_factory=list)
    under_way: set[int] = field(default_factory=set)
    asked: int = 0

    def begin(self, number: int) -> int:
        """Takes that a task begins; returns by which signal it shall stop, 0 if it shall not."""
        if not self.asked:
            self.under_way.add(number)
        return self.asked

    def put(self, number: int, what: Any) -> int:
        """Takes what a task reports; returns by which signal it shall stop, 0 if it shall not."""
        self.waiting.append((number, what))
        return self.asked

    def end(self, number: int) -> None:
        """Takes that a task has ended."""
        self.under_way.discard(number)

    def take(self) -> tuple[list[tuple[int, Any]], set[int]]:
        """Returns what was reported since it was asked last, and the numbers of the tasks under way."""
        taken, self.waiting = self.waiting, []
        return taken, self.under_way

    def stop(self, signum: int) -> None:
        """Has all tasks stop."""
        self.asked = signum


def serve(number: int, shared: tuple[Function, Mapping[str, str]], task: Any, post: Any) -> Any:
    """Runs a task in a Ray worker and returns its result; Halted if it was stopped."""
    import ray

    function, environment = shared
    os.environ.update(environment)

    def report(what: Any) -> None:
        try:
            signum = ray.get(post.put.remote(number, what))
        except ray.exceptions.RayError:  # the launching process is gone
            signum = signal.SIGTERM
        if signum:
            stop(signum)

    if signum := ray.get(post.begin.remote(number)):
        return Halted(signum, 0, 0)
    with stopping_on_signals():
        try:
            result = attempted(function, task, Seldom(report))
        except Stopped as stopped:
            result = Halted(stopped.signum, stopped.killed, stopped.unmarked)
            report(result)
    ray.get(post.end.remote(number))
    return result
