"""The stores that sweeps are tracked in, real ones, each of which can be taken away for a while."""

import logging
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from .state import Tracked, tracked

HOST = "127.0.0.1"
MIGRATING = threading.Lock()  # MLflow's migrations are for one thread at a time


@dataclass(frozen=True)
class Place:
    """Where a sweep runs: a folder, and a store by its URI for the command and by its ``database`` for SQL.

    ``away`` takes the store away, or makes it ``hang``, for as long as its block lasts. ``served`` is where a
    server keeps files.
    """

    folder: Path
    uri: str
    database: str
    experiment: str
    away: Callable[[bool], AbstractContextManager[None]]
    served: Path = Path()

    def runs(self) -> list[Tracked]:
        """Returns the sweep's runs, of whatever attempt."""
        return tracked(self.database, self.experiment)

    def finished(self) -> list[Tracked]:
        """Returns those that count and have FINISHED; none where nothing can be read."""
        try:
            return [run for run in self.runs() if run.counts and run.status == "FINISHED"]
        except sa.exc.SQLAlchemyError:
            return []

    def waiting(self) -> int:
        """Returns how many runs wait beside the sweep until the store takes them."""
        return sum(path.is_dir() for path in self.folder.glob("mlruns/spool/[!.]*"))

    def files(self, run: Tracked) -> Path:
        """Returns the folder with the files of a run."""
        if run.files.startswith("mlflow-artifacts:/"):
            return self.served / run.files.removeprefix("mlflow-artifacts:/")
        return Path(run.files.removeprefix("file://"))

    def sweeps(self) -> list[Path]:
        """Returns the folders of the sweeps that were begun, oldest first."""
        return sorted(path.parent for path in self.folder.glob("multirun/**/multirun.yaml"))

    def opens(self) -> bool:
        """Returns whether MLflow can still open the store."""
        try:
            migrate(self.uri)
        except Exception as error:
            print(f"{self.uri}: {str(error).splitlines()[0]}", file=sys.stderr)
            return False
        return True


class Store(Protocol):
    """A kind of store, in which every sweep gets a place of its own."""

    def place(self, folder: Path, experiment: str, first: bool) -> Place:
        """Makes a place in an empty folder, where nothing was ever tracked if this is the ``first`` time."""


def migrate(uri: str) -> None:
    """Opens a store by MLflow's client, which makes its tables where there are none."""
    import mlflow

    for name in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # no progress of migrations
    with MIGRATING:
        client: Any = mlflow.MlflowClient(uri)
        client.search_experiments()
        if engine := getattr(client._tracking_client.store, "engine", None):
            engine.dispose()


@contextmanager
def sqlite() -> Iterator["Sqlite"]:
    """A database for each sweep, in its folder."""
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "mlflow.db"
        migrate(f"sqlite:///{template}")
        yield Sqlite(template)


@dataclass(frozen=True)
class Sqlite:
    """A database for each sweep, in its folder; ``template`` is an empty one."""

    template: Path

    def place(self, folder: Path, experiment: str, first: bool) -> Place:
        """Makes a place; see Store."""
        database = folder / "mlruns" / "mlflow.db"
        if not first:
            database.parent.mkdir()
            shutil.copy(self.template, database)
        uri = f"sqlite:///{database}"
        read = f"sqlite:///file:{database}?mode=ro&uri=true"
        return Place(folder, uri, read, experiment, lambda hang: _locked(database))


@contextmanager
def _locked(database: Path) -> Iterator[None]:
    """Has another program hold the database's lock."""
    other = sqlite3.connect(database, timeout=60, isolation_level=None, check_same_thread=False)
    with closing(other):
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def postgresql() -> Iterator["PostgreSQL"]:
    """A real server on loopback, with a database for each sweep; exits where PostgreSQL is not installed."""
    programs = programs_of_postgresql()
    if programs is None:
        sys.exit("PostgreSQL is not installed here; leave it out by --store sqlite server")
    as_root = os.geteuid() == 0  # as whom PostgreSQL refuses to run
    with tempfile.TemporaryDirectory() as folder:
        if as_root:
            shutil.chown(folder, "nobody")
        server = PostgreSQL(programs, Path(folder), free_port(), as_root)
        server.call("initdb", "-A", "trust", "-U", "chaos", "-E", "UTF8", "--locale=C", "--no-sync")
        server.start()
        try:
            server.execute("CREATE DATABASE template")
            migrate(server.uri("template"))
            yield server
        finally:
            server.stop()


@dataclass(frozen=True)
class PostgreSQL:
    """A PostgreSQL server that can be stopped and started; ``folder`` holds its data."""

    programs: Path
    folder: Path
    port: int
    as_root: bool

    def place(self, folder: Path, experiment: str, first: bool) -> Place:
        """Makes a place; see Store."""
        name = f"d{time.time_ns()}"
        self.execute(f"CREATE DATABASE {name}{'' if first else ' TEMPLATE template'}")
        return Place(folder, self.uri(name), self.uri(name), experiment, self._away)

    def uri(self, database: str) -> str:
        """Returns the address of one of its databases."""
        return f"postgresql+psycopg://chaos@{HOST}:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        """Executes a statement that concerns whole databases."""
        engine = sa.create_engine(self.uri("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        settings = f"-h {HOST} -p {self.port} -k {self.folder} -c fsync=off"
        self.call("pg_ctl", "start", "-w", "-l", f"{self.folder}/log", "-o", settings)

    def stop(self) -> None:
        """Stops it, whoever is connected."""
        self.call("pg_ctl", "stop", "-w", "-m", "immediate")

    @contextmanager
    def _away(self, hang: bool) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    def call(self, program: str, *arguments: str) -> None:
        """Calls one of its programs; raises CalledProcessError if that fails."""
        nobody: dict[str, Any] = {}
        if self.as_root:
            nobody = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": ()}
        command = [f"{self.programs}/{program}", "-D", f"{self.folder}/data", *arguments]
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, **nobody)


def programs_of_postgresql() -> Path | None:
    """Returns the folder of PostgreSQL's programs, or None where it is not installed."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))  # which are not in the PATH
    return Path(found).resolve().parent if found else debian[-1].parent if debian else None


@contextmanager
def server() -> Iterator["Server"]:
    """MLflow's own server, with an experiment for each sweep."""
    with tempfile.TemporaryDirectory() as folder:
        one = Server(Path(folder), free_port())
        one.start()
        try:
            yield one
        finally:
            one.kill()


class Server:
    """MLflow's server on a database and files of a folder, which can be killed and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port
        self._process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self._port}"

    def place(self, folder: Path, experiment: str, first: bool) -> Place:
        """Makes a place; see Store. There is no first time at a server."""
        database = f"sqlite:///file:{self._folder}/mlflow.db?mode=ro&uri=true"
        return Place(folder, self.address, database, experiment, self._away, self._folder / "files")

    def start(self) -> None:
        """Starts it and waits until it answers."""
        where = ["--host", HOST, "--port", str(self._port), "--workers", "1"]
        what = ["--backend-store-uri", f"sqlite:///{self._folder}/mlflow.db"]
        files = ["--artifacts-destination", str(self._folder / "files")]
        settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *where, *what, *files],
            cwd=self._folder,
            env={**os.environ, **settings},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not self._answers():
            if self._process.poll() is not None:
                sys.exit(f"MLflow's server ended with exit code {self._process.returncode}")
            time.sleep(0.1)

    def kill(self) -> None:
        """Kills it with all its processes."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @contextmanager
    def _away(self, hang: bool) -> Iterator[None]:
        if hang:
            os.killpg(self._process.pid, signal.SIGSTOP)
        else:
            self.kill()
        try:
            yield
        finally:
            if hang:
                os.killpg(self._process.pid, signal.SIGCONT)
            else:
                self.start()

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.address}/health", timeout=1).close()
        except OSError:
            return False
        return True


def free_port() -> int:
    """Returns a port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


STORES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "sqlite": sqlite,
    "postgresql": postgresql,
    "server": server,
}
