"""Processes of the command that need not import anything: each is forked from one that has imported it all.

Imports are four fifths of what a short command takes. Whatever else a command's process is, these are: they
have their own arguments, folder, environment, streams, signals and exit code, and a sweep's workers are their
children. The forking process runs nothing but imports, so no test leaves anything behind in it.
"""

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import IO, Any

WORKERS = 4  # a command's pool of processes that wait to be one of its workers
WORKER = "spawn_main"  # what such a process is called when it has become one


class Process:
    """A command that runs, with the methods of ``subprocess.Popen`` that tests need."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        folder: Path,
        environment: Mapping[str, str],
        session: bool = False,
    ) -> None:
        self.args = [str(argument) for argument in arguments]
        self.returncode: int | None = None
        self._written = [tempfile.TemporaryFile() for _ in ("stdout", "stderr")]  # noqa: SIM115
        ours, theirs = socket.socketpair()
        request = {
            "arguments": self.args,
            "folder": str(folder),
            "environment": dict(environment),
            "session": session,
        }
        with theirs:
            _ask(_imported(), request, [theirs.fileno(), *(file.fileno() for file in self._written)])
        self._states = ours
        self.pid = int(self._next_state())

    def wait(self, timeout: float | None = None) -> int:
        """Returns the exit code, negative for a signal, as ``subprocess`` does."""
        if self.returncode is None:
            self._states.settimeout(timeout)
            try:
                self.returncode = int(self._next_state())
            except TimeoutError as late:
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from late
            self._states.close()
            self._texts = [_read(file) for file in self._written]
        return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(1e-6)
        except subprocess.TimeoutExpired:
            return None

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        self.wait(timeout)
        return self._texts[0], self._texts[1]

    def send_signal(self, signum: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def workers(self) -> list[int]:
        """Returns the ids of the processes that work for it, oldest first."""
        with suppress(OSError):  # one that ends meanwhile
            listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            names = {int(pid): Path(f"/proc/{pid}/comm").read_text() for pid in listed}
            return [pid for pid, name in names.items() if name == f"{WORKER}\n"]
        return []

    def _next_state(self) -> bytes:
        state = self._states.recv(8)
        assert state, "the process that forks commands has ended"
        return state


def _read(file: IO[bytes]) -> str:
    with file:
        file.seek(0)
        return file.read().decode().replace("\r\n", "\n")


def run(
    arguments: Sequence[str | Path], folder: Path, environment: Mapping[str, str], timeout: float
) -> "subprocess.CompletedProcess[str]":
    """Returns what ``subprocess.run`` does of ``[sys.executable, *arguments]``."""
    process = Process(arguments, folder, environment)
    try:
        written = process.communicate(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.wait(), *written)


@cache
def _imported() -> socket.socket:
    """The socket of this process's own forking process, which ends with it."""
    ours, theirs = socket.socketpair()
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**environment, "PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONWARNINGS": ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _ask(control: socket.socket, request: dict[str, Any], descriptors: list[int]) -> None:
    content = json.dumps(request).encode()
    socket.send_fds(control, [len(content).to_bytes(8, "big")], descriptors)
    control.sendall(content)


def _asked(control: socket.socket, count: int) -> tuple[dict[str, Any], list[int]] | None:
    length, descriptors, _, _ = socket.recv_fds(control, 8, count)
    if not length:
        return None
    content = b""
    while len(content) < int.from_bytes(length, "big"):
        content += control.recv(1 << 16)
    return json.loads(content), descriptors


# What follows runs in the forking process and in its children.


def _import_all() -> dict[str, str]:
    """Imports what commands do, late as some of it is; returns what that has set in the environment."""
    before = dict(os.environ)
    from importlib import import_module

    for name in MODULES:
        import_module(name)
    from hydra.core.plugins import Plugins
    from sqlalchemy.orm import configure_mappers

    Plugins.instance()
    configure_mappers()
    gc.collect()
    gc.freeze()  # what is imported is not looked through again, which would copy it
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


MODULES = [
    "initlab.face", "initlab.terminal.command", "initlab.terminal.progress", "initlab.terminal.summary",
    "initlab.terminal.propagate", "initlab.terminal.report", "initlab.terminal.resume",
    "initlab.sweeps.launch", "initlab.sweeps.closing", "initlab.sweeps.settling", "initlab.plots",
    "initlab.runs.pictures", "matplotlib.figure", "matplotlib.backends.backend_agg", "PIL.PngImagePlugin",
    "sklearn.datasets", "scipy.stats", "pandas", "mlflow.store.tracking.sqlalchemy_store", "mlflow.tracking",
    "rich.live", "rich.table",
]  # fmt: skip


def _fork() -> int:
    """Forks; Python 3.12 warns that threads, here those of BLAS, do not come along."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()


def _forked_for_commands(control: socket.socket) -> dict[str, Any]:
    """Forks a process for each command that is asked for; returns in the command's process, with the request.

    Between the two stands one that waits for the command's end and says its exit code.
    """
    while asked := _asked(control, 3):
        request, (states, *streams) = asked
        if _fork() == 0:
            control.close()
            command = _fork()
            if command == 0:
                os.close(states)
                for stream, number in zip(streams, (1, 2), strict=True):
                    os.dup2(stream, number)
                    os.close(stream)
                return request
            for stream in streams:
                os.close(stream)
            os.write(states, b"%-8d" % command)
            _, status = os.waitpid(command, 0)
            os.write(states, b"%-8d" % os.waitstatus_to_exitcode(status))
            os._exit(0)
        for descriptor in (states, *streams):
            os.close(descriptor)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    os._exit(0)


def _become(request: dict[str, Any], imported: dict[str, str]) -> None:
    """Makes this process what a fresh one would be."""
    import multiprocessing.process
    import random

    import numpy as np

    if request["session"]:
        os.setsid()
    os.chdir(request["folder"])
    multiprocessing.process.ORIGINAL_DIR = os.getcwd()  # where a worker looks for modules
    _set_environment(imported | request["environment"])
    np.random.seed()
    random.seed()
    time.tzset()


def _set_environment(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def _have_workers_ready() -> list[str] | None:
    """Forks processes that may become workers, before the command has done anything; has multiprocessing use
    them instead of fresh interpreters. Returns, in such a worker, what it was started with.
    """
    from multiprocessing import util

    ready = []
    for _ in range(WORKERS):
        ours, theirs = socket.socketpair()
        if (pid := _fork()) == 0:
            ours.close()
            for _, control in ready:
                control.close()
            return _wait_to_work(theirs)
        theirs.close()
        ready.append((pid, ours))
    fresh = util.spawnv_passfds

    def started(path: Any, arguments: Sequence[Any], passed: Sequence[int]) -> int:
        if not ready or "spawn_main" not in str(arguments[-2:]):
            return fresh(path, arguments, passed)
        pid, control = ready.pop(0)
        numbers = sorted(passed)
        words = [os.fsdecode(argument) for argument in arguments]
        request = {
            "arguments": words,
            "numbers": numbers,
            "environment": dict(os.environ),
            "folder": os.getcwd(),
            "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        }
        with control:
            _ask(control, request, numbers)
        return pid

    util.spawnv_passfds = started
    return None


def _wait_to_work(control: socket.socket) -> list[str]:
    """Waits until a worker is needed, without a word where none is; returns what it was started with."""
    import fcntl

    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    asked = _asked(control, 16)
    if asked is None:
        os._exit(0)
    request, descriptors = asked
    control.close()
    _set_environment(request["environment"])
    os.chdir(request["folder"])
    aside = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 500) for descriptor in descriptors]
    for descriptor in descriptors:
        os.close(descriptor)
    signal.pthread_sigmask(signal.SIG_SETMASK, request["blocked"])
    for descriptor, number in zip(aside, request["numbers"], strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
    Path("/proc/self/comm").write_text(WORKER)
    words = request["arguments"]
    return words[words.index("-c") :]


def _run_as_main(words: list[str]) -> None:
    """Runs ``python *words``: ``-m module``, ``-c code`` or a script."""
    import runpy

    sys.orig_argv = [sys.executable, *words]
    if words[0] == "-m":
        sys.argv, sys.path[0] = words[1:], os.getcwd()
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif words[0] == "-c":
        sys.argv, sys.path[0] = ["-c", *words[2:]], ""
        sys.modules["__main__"] = main = ModuleType("__main__")
        exec(compile(words[1], "<string>", "exec"), main.__dict__)
    else:
        sys.argv, sys.path[0] = words, str(Path(words[0]).resolve().parent)
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    # A shell that starts the tests in the background has them ignore it, and commands would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    made = _import_all()
    asked_for = _forked_for_commands(socket.socket(fileno=int(sys.argv[1])))
    _become(asked_for, made)
    as_worker = _have_workers_ready()
    _run_as_main(asked_for["arguments"] if as_worker is None else as_worker)
