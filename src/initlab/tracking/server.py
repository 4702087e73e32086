"""MLflow's own server on a tracking store, on this machine only."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from initlab.errors import TrackingError
from initlab.passwords import revealed, without_passwords
from initlab.signals import alive, sleep

HOST = "127.0.0.1"
SETTINGS = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
SECONDS_TO_START = 120
SECONDS_TO_END = 5
SECONDS_BETWEEN_LOOKS = 0.1


@contextmanager
def serving(uri: str, port: int) -> Iterator["Server"]:
    """Starts MLflow's server on the store at uri (absolute), yields it once it answers, and ends it when the
    block is left.

    Raises TrackingError where the port is taken or the server does not start.
    """
    _check_free(port)
    with tempfile.TemporaryFile() as log:
        server = Server(_start(uri, port, log), log)
        try:
            server.wait_for_answer(port)
            yield server
        finally:
            server.end()


@dataclass(frozen=True)
class Server:
    """A server's process, and the file that takes what it says: of interest only where it fails."""

    process: "subprocess.Popen[bytes]"
    log: IO[bytes]

    def wait(self) -> None:
        """Waits until the server ends by itself; raises TrackingError if that was by an error."""
        while self.process.poll() is None:
            sleep(SECONDS_BETWEEN_LOOKS)
        if self.process.returncode:
            self.log.seek(0)
            said = self.log.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
            last = without_passwords(said[-1])
            raise TrackingError(f"MLflow's server ended with exit code {self.process.returncode}: {last}")

    def wait_for_answer(self, port: int) -> None:
        """Waits until the server answers; raises TrackingError if it ends or does not answer for long."""
        for _ in range(round(SECONDS_TO_START / SECONDS_BETWEEN_LOOKS)):
            if self.process.poll() is not None:
                self.wait()
            try:
                urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=1).close()
                return
            except OSError:
                sleep(SECONDS_BETWEEN_LOOKS)
        raise TrackingError(f"MLflow's server did not answer within {SECONDS_TO_START} seconds")

    def end(self) -> None:
        """Ends the server and the processes that it has started."""
        alive(2 * SECONDS_TO_END)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:  # it waits for browsers to hang up
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise TrackingError(f"port {port}: {error.strerror}; choose another by --port") from error
        except OverflowError as error:
            raise TrackingError(f"port {port}: must be from 0 to 65535") from error


def _start(uri: str, port: int, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    place = ["--host", HOST, "--port", str(port), "--workers", "1"]
    return subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *place],
        # By the environment, because a list of processes shows the words of commands.
        env={**os.environ, **SETTINGS, "MLFLOW_BACKEND_STORE_URI": revealed(uri)},
        stdout=log,
        stderr=log,
        start_new_session=True,  # it has processes of its own, which shall end with it
    )
