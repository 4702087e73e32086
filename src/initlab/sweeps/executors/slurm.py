"""Runs tasks as elements of SLURM's job arrays, through submitit; without SLURM as processes of this machine.

What a process reports, and so how it stands, is in files of the sweep's folder, which all machines of a
cluster share. The command that submitted the arrays may end: what is queued is trained all the same, and the
command that goes on with the sweep waits for it first.
"""

import json
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from time import monotonic
from time import sleep as pause
from typing import Any
from uuid import uuid4

from initlab.errors import ConfigError, InitlabError
from initlab.files import write_whole
from initlab.numerals import counted
from initlab.signals import Stopped, alive, asked, check, sleep
from initlab.sweeps.executors.processes import cores
from initlab.sweeps.executors.protocol import Function, Halted, Lost, OnReport, check_count
from initlab.sweeps.executors.queues import LocalQueue, Queue, SlurmQueue
from initlab.sweeps.executors.share import Inbox, Share

FOLDER, SUBMITTED = "slurm", "submitted.json"
SECONDS_BETWEEN_LOOKS = 0.3
SECONDS_TO_STOP = 4
LARGEST_ARRAY = 1000  # SLURM's own limit, unless it is raised
MOST_TIMEOUTS = 20  # of one process, each of which has come further by then


@dataclass(frozen=True)
class OnSlurm:
    """Trains by SLURM (``cluster=local``: without), and leaves its files in the ``sweep``'s folder. The rest
    are settings of ``hydra.launcher``.
    """

    sweep: Path
    cluster: str
    partition: str | None
    account: str | None
    qos: str | None
    constraint: str | None
    timeout_min: int
    signal_delay_s: int
    cpus_per_task: int
    mem_gb: float | None
    array_parallelism: int
    batches_per_task: int
    setup: list[str] = field(default_factory=list)
    additional_parameters: dict[str, Any] = field(default_factory=dict)
    wait: bool = True
    remote = True

    def check(self) -> None:
        """Raises ConfigError for a setting that is not allowed, and where submitit or SLURM is missing."""
        if self.cluster not in ("slurm", "local"):
            raise ConfigError(f"hydra.launcher.cluster={self.cluster}: must be slurm or local")
        for name in ("timeout_min", "cpus_per_task", "array_parallelism", "batches_per_task"):
            check_count(name, getattr(self, name), "a whole number")
        if not 0 < self.signal_delay_s < 60 * self.timeout_min:
            raise ConfigError(
                f"hydra.launcher.signal_delay_s={self.signal_delay_s}: must be greater than 0 and less "
                f"than the {60 * self.timeout_min} s of hydra.launcher.timeout_min"
            )
        if self.mem_gb is not None and self.mem_gb <= 0:
            raise ConfigError(f"hydra.launcher.mem_gb={self.mem_gb}: must be null or greater than 0")
        if find_spec("submitit") is None:
            raise ConfigError("hydra/launcher=stacked_slurm needs submitit: pip install 'initlab[slurm]'")
        if self.cluster == "slurm" and which("sbatch") is None:
            raise ConfigError(
                "hydra.launcher.cluster=slurm: there is no sbatch here; cluster=local does without SLURM"
            )

    @property
    def count(self) -> int:
        """How many processes train at once."""
        return min(self.array_parallelism, cores()) if self.cluster == "local" else self.array_parallelism

    @property
    def queue(self) -> Queue:
        """Where its processes wait."""
        return LocalQueue() if self.cluster == "local" else SlurmQueue()

    def rejoin(self, folder: Path) -> None:
        """Waits for what an earlier command has submitted, and cancels it where that is stopped by Ctrl-C.

        Raises ConfigError where there is something to wait for, and that is not wanted.
        """
        queue, ids = self.queue, submitted(folder)
        if not ids or not (left := queue.there(ids)):
            return
        count = counted(len(left), "process", "processes")
        if not self.wait:
            raise ConfigError(
                f"hydra.launcher.wait=false: {count} that an earlier command has submitted "
                f"{'is' if len(left) == 1 else 'are'} there still; go on without it, which waits for them"
            )
        print(f"Waiting for {count} that an earlier command has submitted.", file=sys.stderr, flush=True)
        try:
            while queue.there(left):
                sleep(SECONDS_BETWEEN_LOOKS)
        except Stopped:
            if asked() == signal.SIGINT:
                queue.cancel(left)
            raise

    def run(self, function: Function, tasks: deque[Any], on_report: OnReport) -> Iterator[tuple[Any, Any]]:
        """Yields pairs (task, result): see ``Executor.run``.

        Only Ctrl-C, or an error, ends what was submitted. A command that is ended otherwise leaves it.
        """
        work = _Work(self, function, on_report)
        if not self.wait:
            work.submit(tasks)
            return
        try:
            while tasks or work.processes:
                check()
                work.submit(tasks)
                sleep(SECONDS_BETWEEN_LOOKS)
                yield from work.look(tasks)
        finally:
            if asked() in (None, signal.SIGINT):
                work.stop()
            elif work.processes:
                print("What was submitted goes on without this command.", file=sys.stderr)

    def shares(self, tasks: deque[Any], most: int) -> Iterator[list[Any]]:
        """Takes tasks for at most so many processes, all of them if nobody waits to submit the rest, and
        yields those of each.
        """
        each = min(self.batches_per_task, -(-len(tasks) // self.count))
        if not self.wait:
            each = max(each, -(-len(tasks) // most))
        while tasks and most:
            yield [tasks.popleft() for _ in range(min(each, len(tasks)))]
            most -= 1

    def submit(self, shares: list[Share]) -> list[str]:
        """Submits shares together and returns their ids; raises InitlabError where that is refused."""
        import submitit

        executor = submitit.AutoExecutor(
            self.sweep / FOLDER,
            cluster=self.cluster,
            slurm_max_num_timeout=MOST_TIMEOUTS,
            local_max_num_timeout=MOST_TIMEOUTS,
        )
        try:
            executor.update_parameters(
                name="initlab",
                timeout_min=self.timeout_min,
                cpus_per_task=self.cpus_per_task,
                mem_gb=self.mem_gb,
                slurm_partition=self.partition,
                slurm_account=self.account,
                slurm_qos=self.qos,
                slurm_constraint=self.constraint,
                slurm_signal_delay_s=self.signal_delay_s,
                slurm_array_parallelism=self.array_parallelism,
                slurm_setup=list(self.setup) or None,
                slurm_additional_parameters=dict(self.additional_parameters) or None,
            )
            with _apart(), executor.batch():
                jobs = [executor.submit(share) for share in shares]
        except Exception as error:  # sbatch's own words, or submitit's
            raise InitlabError(f"hydra/launcher=stacked_slurm: {_reason(error)}") from error
        return [job.job_id for job in jobs]


def submitted(sweep: Path) -> list[str]:
    """Returns the ids of the processes that were submitted for the sweep of a folder."""
    file = sweep / FOLDER / SUBMITTED
    return [str(one) for one in json.loads(file.read_text())] if file.is_file() else []


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in lines if "error:" in line.lower()), lines[0])


@contextmanager
def _apart() -> Iterator[None]:
    """Has processes that are begun within the block not hear of a terminal's Ctrl-C, or of its end, and not
    hold the command's output open, for the end of which a pipe would wait.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGHUP))
    outputs = {number: os.dup(number) for number in (1, 2)}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in outputs:
            os.dup2(nowhere, number)
        yield
    finally:
        for number, output in outputs.items():
            os.dup2(output, number)
            os.close(output)
        os.close(nowhere)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass
class _Process:
    """What was submitted, and the tasks of it that have not ended, by their numbers."""

    tasks: dict[int, Any]
    inbox: Inbox
    halted: bool = False
    missed: bool = False  # by the queue, when it was asked last

    def begun(self) -> bool:
        """Whether it runs, or ran, and has not said that it halts."""
        return not self.halted and self.inbox.begun


class _Work:
    """The processes that are under way, by their ids."""

    def __init__(self, executor: OnSlurm, function: Function, on_report: OnReport) -> None:
        self._executor, self._function, self._on_report = executor, function, on_report
        self._queue = executor.queue
        self._numbered = 0
        self.processes: dict[str, _Process] = {}

    def submit(self, tasks: deque[Any]) -> None:
        """Submits tasks, as many as may be under way."""
        local = self._executor.cluster == "local"
        room = (self._executor.count if local else LARGEST_ARRAY) - len(self.processes)
        shares = [self._share(some) for some in self._executor.shares(tasks, room)]
        if not shares:
            return
        ids = self._executor.submit(shares)
        file = self._executor.sweep / FOLDER / SUBMITTED
        write_whole(file, json.dumps([*submitted(self._executor.sweep), *ids]).encode())
        for one, share in zip(ids, shares, strict=True):
            self.processes[one] = _Process(dict(share.tasks), Inbox(share.stem))

    def _share(self, tasks: list[Any]) -> Share:
        numbers = range(self._numbered, self._numbered + len(tasks))
        self._numbered += len(tasks)
        stem = self._executor.sweep / FOLDER / f"reports-{uuid4().hex[:12]}"
        return Share(self._function, dict(zip(numbers, tasks, strict=True)), stem)

    def look(self, tasks: deque[Any]) -> Iterator[tuple[Any, Any]]:
        """Passes on what was reported, and yields the tasks that have ended, with their results; those that a
        process that is gone had not begun go back to the others.
        """
        there = self._queue.there(self.processes)
        for one, process in list(self.processes.items()):
            for number, result in self._hear(process):
                yield process.tasks.pop(number), result
            if process.halted:  # somebody else has stopped it; SLURM may mean to run it again
                self._queue.cancel([one])
            # What has left the queue is looked at twice: its last words may take a while to be seen.
            gone, process.missed = process.missed and one not in there, one not in there
            if not process.tasks or gone or process.halted:
                del self.processes[one]
                left = deque(process.tasks.values())
                if left and not process.halted:
                    yield left.popleft(), Lost(self._queue.fate(one))
                tasks.extend(left)

    def _hear(self, process: _Process) -> Iterator[tuple[int, Any]]:
        """Passes on what a process has reported, and yields the results of tasks by their numbers."""
        for said in process.inbox.take():
            if isinstance(said.what, Halted):
                process.halted = True
                yield said.number, Lost("it was cancelled")
            elif said.is_result:
                yield said.number, said.what
            else:
                self._on_report(process.tasks[said.number], said.what)

    def stop(self) -> None:
        """Cancels everything, and passes on what is still reported."""
        if not self.processes:
            return
        self._queue.cancel(self.processes)
        until = monotonic() + SECONDS_TO_STOP
        while any(process.begun() for process in self.processes.values()) and monotonic() < until:
            alive()
            pause(SECONDS_BETWEEN_LOOKS / 3)
            for process in self.processes.values():
                self._hear_last(process)
        for process in self.processes.values():
            for task in process.tasks.values() if process.begun() else ():
                self._on_report(task, Lost("it did not stop in time"))

    def _hear_last(self, process: _Process) -> None:
        for said in process.inbox.take():
            process.halted = process.halted or isinstance(said.what, Halted)
            if said.is_result:
                process.tasks.pop(said.number)
                process.halted = process.halted or not process.tasks
            else:
                self._on_report(process.tasks[said.number], said.what)
