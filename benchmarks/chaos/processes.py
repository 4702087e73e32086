"""The processes of a command, those it has left behind included: each inherits a mark in its environment."""

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

MARK = "INITLAB_CHAOS"
ROOT = Path(__file__).parent.parent.parent
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true"}
A_MOMENT = 0.05


class Command:
    """A command that runs in a folder, in a process group of its own, as a shell starts it."""

    def __init__(self, arguments: tuple[str, ...], folder: Path, said: Path, uri: str) -> None:
        mark = uuid.uuid4().hex
        self.arguments = arguments
        self._mark = f"{MARK}={mark}".encode()
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HYDRA_", "MLFLOW_"))}
        own = {MARK: mark, "PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": uri, **QUIET}
        with said.open("ab") as log:
            log.write(f"\n$ python {' '.join(arguments)}\n".encode())
            log.flush()
            self.process: subprocess.Popen[Any] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=folder,
                env={**kept, **own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def left(self) -> list[int]:
        """Returns the ids of all its processes that live."""
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if self._mark in _environment(path)]

    def workers(self) -> list[int]:
        """Returns the ids of those that work for it: not of helpers that live for a moment."""
        return [pid for pid in self.left() if _is_a_worker(pid)]

    def send(self, signum: int, target: str) -> None:
        """Sends a signal to its ``parent`` process, the whole ``group`` or the oldest ``worker``, if any."""
        with suppress(ProcessLookupError):  # it has just ended
            if target == "group":
                os.killpg(self.process.pid, signum)
            elif target == "parent":
                os.kill(self.process.pid, signum)
            elif workers := self.workers():
                os.kill(min(workers), signum)

    def wait(self, most: float) -> int | None:
        """Waits until it ends; returns its exit code, or None if it has not ended after so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(most)
        return None

    def seconds_until_gone(self, most: float) -> float:
        """Waits until none of its processes lives, ``most`` seconds at most; returns how long that took."""
        began = time.monotonic()
        self.wait(most)
        while self.left() and time.monotonic() - began < most:
            time.sleep(A_MOMENT)
        return time.monotonic() - began

    def end(self) -> int:
        """Kills what is left of it; returns how many processes that were."""
        killed = set()
        while left := self.left():
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            killed |= set(left)
            time.sleep(A_MOMENT)
        self.process.wait()
        return len(killed)


def _environment(process: Path) -> list[bytes]:
    """Returns a process's environment: nothing of one that has ended, or is somebody else's."""
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _is_a_worker(pid: int) -> bool:
    """Whether it is a process of Python's multiprocessing or joblib's that takes tasks."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"spawn_main" in words or b"popen_loky" in words
