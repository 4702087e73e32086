"""Where submitted processes wait and run: SLURM's queue, or this machine's processes."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Protocol

import psutil

SECONDS_BETWEEN_QUESTIONS = 3  # to a cluster that others use too


class Queue(Protocol):
    """Knows submitted processes by the ids that submitit gives them."""

    def there(self, ids: Collection[str]) -> set[str]:
        """Returns those that wait, run, or are to run again."""

    def cancel(self, ids: Collection[str]) -> None:
        """Has them end: those that run are asked by SIGTERM."""

    def fate(self, one: str) -> str:
        """Returns in words how one ended."""


class SlurmQueue:
    """SLURM's own. It is asked by ``squeue``, which needs no accounting, and seldom."""

    def __init__(self) -> None:
        self._next, self._asked, self._known = 0.0, set[str](), set[str]()

    def there(self, ids: Collection[str]) -> set[str]:
        """Returns those that wait, run, or are to run again; if SLURM does not answer, what it said last."""
        now = time.monotonic()
        if now < self._next:
            return self._known | (set(ids) - self._asked)
        self._next, self._asked = now + SECONDS_BETWEEN_QUESTIONS, set(ids)
        arrays = ",".join(sorted({one.split("_")[0] for one in ids}))
        said = _call("squeue", "--noheader", "--array", f"--jobs={arrays}", "--format=%i")
        if said.returncode == 0:
            self._known = set(ids) & set(said.stdout.split())
        elif "Invalid job id" in said.stderr:
            self._known = set()
        else:
            self._known = set(ids)
        return self._known

    def cancel(self, ids: Collection[str]) -> None:
        """Cancels them."""
        _call("scancel", *sorted(ids))

    def fate(self, one: str) -> str:
        """Returns how one ended, as far as SLURM still knows."""
        state = re.search(r"JobState=(\w+)", _call("scontrol", "show", "job", "--oneliner", one).stdout)
        return f"its SLURM job ended as {state[1]}" if state else "its SLURM job ended without a word"


def _call(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, capture_output=True, text=True, check=False)


class LocalQueue:
    """The processes of this machine that submitit's local executor starts; their ids are their numbers."""

    def there(self, ids: Collection[str]) -> set[str]:
        """Returns those that run."""
        return {one for one in ids if _runs(int(one))}

    def cancel(self, ids: Collection[str]) -> None:
        """Asks them to end."""
        for one in ids:
            with suppress(ProcessLookupError):
                os.kill(int(one), signal.SIGTERM)

    def fate(self, one: str) -> str:
        """Returns how one ended."""
        return "its process ended without a word"


def _runs(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and "submitit.local._local" in process.cmdline()
    except psutil.NoSuchProcess:
        return False
