"""Processes of the command that need not import anything: each is forked from one that has imported it all.

Imports are four fifths of what a short command takes. Whatever else a command's process is, these are: they
have their own arguments, folder, environment, streams, signals and exit code, and a sweep's workers are their
children. The forking process runs nothing but imports, so no test leaves anything behind in it.
"""

import atexit
import ctypes
import fcntl
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import IO, Any

WORKER = "spawn_main"  # what a process is called that works for a command
ADOPT = 36  # Linux's PR_SET_CHILD_SUBREAPER


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
    """Forks a process for each command that is asked for, and says the exit code of each that has ended;
    returns in the command's process, with the request.
    """
    commands: dict[int, tuple[int, int]] = {}
    while True:
        ready, _, _ = select.select([control, *commands], [], [])
        for one in ready:
            if one is not control:
                pid, states = commands.pop(one)
                _, status = os.waitpid(pid, 0)
                os.write(states, b"%-8d" % os.waitstatus_to_exitcode(status))
                _close(one, states)
        if control not in ready:
            continue
        if (asked := _asked(control, 3)) is None:
            os._exit(0)
        request, (states, *streams) = asked
        if (pid := _fork()) == 0:
            control.close()
            _close(states, *commands, *(states for _, states in commands.values()))
            for stream, number in zip(streams, (1, 2), strict=True):
                os.dup2(stream, number)
                os.close(stream)
            return request
        os.write(states, b"%-8d" % pid)
        commands[os.pidfd_open(pid)] = pid, states
        _close(*streams)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


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
    """Forks a process that will fork workers, before the command has done anything; has multiprocessing ask
    it instead of starting fresh interpreters. Returns, in such a worker, what it was started with.
    """
    from multiprocessing import util

    ours, theirs = socket.socketpair()
    if _fork() == 0:
        ours.close()
        return _forked_for_work(theirs)
    theirs.close()
    fresh = util.spawnv_passfds

    def started(path: Any, arguments: Sequence[Any], passed: Sequence[int]) -> int:
        if "spawn_main" not in str(arguments[-2:]):
            return fresh(path, arguments, passed)
        numbers = sorted(passed)
        request = {
            "arguments": [os.fsdecode(argument) for argument in arguments],
            "numbers": numbers,
            "environment": dict(os.environ),
            "folder": os.getcwd(),
            "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        }
        with _adopting():
            _ask(ours, request, numbers)
            return int(ours.recv(8))

    util.spawnv_passfds = started
    return None


@contextmanager
def _adopting() -> Iterator[None]:
    """Makes this process the parent of those of its children's children whose parents end meanwhile."""
    system = ctypes.CDLL(None, use_errno=True)
    assert system.prctl(ADOPT, 1, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        system.prctl(ADOPT, 0, 0, 0, 0)


def _forked_for_work(control: socket.socket) -> list[str]:
    """Forks workers until the command has ended; returns, in a worker, what it was started with.

    Between the two stands one that ends at once, so that the command is the worker's parent.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    while asked := _asked(control, 16):
        request, descriptors = asked
        told, tell = os.pipe()
        if (between := _fork()) == 0:
            between = os.getpid()
            if (pid := _fork()) == 0:
                while os.getppid() == between:
                    time.sleep(0.001)
                control.close()
                _close(told, tell)
                return _begin_to_work(request, descriptors)
            os.write(tell, b"%-8d" % pid)
            os._exit(0)
        os.waitpid(between, 0)
        control.send(os.read(told, 8))
        _close(told, tell, *descriptors)
    os._exit(0)


def _begin_to_work(request: dict[str, Any], descriptors: Sequence[int]) -> list[str]:
    """Makes this process the worker that a fresh one would be; returns what it was started with."""
    _set_environment(request["environment"])
    os.chdir(request["folder"])
    aside = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 500) for descriptor in descriptors]
    _close(*descriptors)
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


def _leave(code: int) -> None:
    """Ends as Python does, but for taking everything apart, which takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    # A shell that starts the tests in the background has them ignore it, and commands would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    made = _import_all()
    asked_for = _forked_for_commands(socket.socket(fileno=int(sys.argv[1])))
    _become(asked_for, made)
    as_worker = _have_workers_ready()
    try:
        _run_as_main(asked_for["arguments"] if as_worker is None else as_worker)
        _leave(0)
    except SystemExit as ended:
        if not isinstance(ended.code, int | None):
            raise  # Python prints it
        _leave(ended.code or 0)
