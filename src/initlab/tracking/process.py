"""Which process trains a run, as its tag ``process`` says, and whether it is still there."""

import json
import os
import socket
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psutil

SECONDS_APART = 2  # of two readings of when a process was started
LEASE_MS = 3_600_000  # a process on another machine has gone if nothing was heard of it for so long


class Process(NamedTuple):
    """A process: its host, what tells this host's boot and process numbers from others', its number, and when
    it was started, in seconds since 1970.
    """

    host: str
    boot: str
    pid: int
    started: float

    @property
    def tag(self) -> str:
        """The process as a run's tag."""
        return json.dumps(self._asdict())

    @property
    def is_local(self) -> bool:
        """Whether its number means one of the processes that this one can see."""
        return (self.host, self.boot) == (socket.gethostname(), _boot())

    @property
    def lives(self) -> bool:
        """Whether a local process is still there: one that was started later has its number by chance."""
        try:
            found = psutil.Process(self.pid)
            ended = found.status() == psutil.STATUS_ZOMBIE
            return not ended and abs(found.create_time() - self.started) < SECONDS_APART
        except psutil.NoSuchProcess:
            return False


def this_process() -> Process:
    """Returns the process that asks."""
    return _process(os.getpid())


@cache
def _process(pid: int) -> Process:
    return Process(socket.gethostname(), _boot(), pid, psutil.Process(pid).create_time())


@cache
def _boot() -> str:
    if sys.platform != "linux":
        return str(round(psutil.boot_time()))
    # Containers of one machine may share its name, but each numbers its processes by itself.
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def process_of(tags: Mapping[str, str]) -> Process | None:
    """Returns the process that a run's tags name; None of a run that was tracked without."""
    try:
        return Process(**json.loads(tags["process"]))
    except (KeyError, TypeError, ValueError):
        return None


def why_gone(process: Process | None, heard_at: int, now: int) -> str | None:
    """Returns why a process is taken to be gone, None if it may still be there. It was heard of last at
    ``heard_at``, and ``now`` is the time, both in ms since 1970.
    """
    if process is None:
        return None
    if process.is_local:
        return None if process.lives else f"its process {process.pid} on {process.host} ended without a word"
    silent = now - heard_at
    if silent < LEASE_MS:
        return None
    hours = round(silent / 3_600_000)
    told = "an hour" if hours == 1 else f"{hours:,} hours"
    return f"nothing was heard for {told} of its process {process.pid} on {process.host}"
