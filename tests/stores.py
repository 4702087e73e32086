"""Real stores for tests: PostgreSQL that can be stopped, and what a store holds, row by row."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import free_port
from mlflow import MlflowClient

from initlab.tracking.client import KEY

TABLES = ("runs", "tags", "params", "metrics", "latest_metrics", "datasets", "inputs", "input_tags")


def programs_of_postgresql() -> Path | None:
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))  # which are not in the PATH
    return Path(found).resolve().parent if found else debian[-1].parent if debian else None


@dataclass(frozen=True)
class PostgreSQL:
    """A server on loopback; ``address`` is its URI without a database's name."""

    programs: Path
    folder: str
    port: int

    @property
    def address(self) -> str:
        return f"postgresql+psycopg://initlab@127.0.0.1:{self.port}"

    def start(self) -> None:
        settings = f"-h 127.0.0.1 -p {self.port} -k {self.folder} -c fsync=off"
        self.call("pg_ctl", "start", "-w", "-l", f"{self.folder}/log", "-o", settings)

    def stop(self, how: str = "fast") -> None:
        self.call("pg_ctl", "stop", "-w", "-m", how)

    def call(self, program: str, *arguments: str) -> None:
        nobody = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": ()}
        as_whom: Any = nobody if os.geteuid() == 0 else {}  # as root PostgreSQL refuses to run
        command = [self.programs / program, "-D", f"{self.folder}/data", *arguments]
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, **as_whom)


@contextmanager
def running_postgresql() -> Iterator[PostgreSQL]:
    """A real PostgreSQL server, whose database 'template' is migrated."""
    programs = programs_of_postgresql()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here")
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        server = PostgreSQL(programs, folder, free_port())
        server.call("initdb", "-A", "trust", "-U", "initlab", "-E", "UTF8", "--locale=C", "--no-sync")
        server.start()
        try:
            execute(f"{server.address}/postgres", "CREATE DATABASE template")
            disconnect(f"{server.address}/template")
            yield server
        finally:
            server.stop("immediate")


def execute(uri: str, statement: str) -> None:
    engine = sa.create_engine(uri, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


def disconnect(uri: str) -> None:
    MlflowClient(uri)._tracking_client.store.engine.dispose()


def rows_of(client: MlflowClient, experiment_id: str, began: int) -> dict[str, list]:
    """Returns an experiment's rows in every table, with names instead of random ids and 'now' for the times
    since ``began``; without the tags by which a client finds its runs again.
    """
    engine, tables = client._tracking_client.store.engine, sa.MetaData()
    tables.reflect(engine, only=TABLES)
    with engine.connect() as connection:
        rows = {name: connection.execute(sa.select(tables.tables[name])).mappings().all() for name in TABLES}
    ours = int(experiment_id)
    names = {row["run_uuid"]: row["name"] for row in rows["runs"] if row["experiment_id"] == ours}
    names |= {row["dataset_uuid"]: row["digest"] for row in rows["datasets"] if row["experiment_id"] == ours}
    destinations = {row["input_uuid"]: row["destination_id"] for row in rows["inputs"]}
    names |= {id_: f"of {names[run]}" for id_, run in destinations.items() if run in names}

    def plain(column: str, value: object) -> object:
        if column == "experiment_id":
            return "ours"
        if column == "artifact_uri":
            root, run_id, last = str(value).rsplit("/", 2)
            return root.removesuffix(f"/{run_id[-2:]}"), names[run_id], last  # of 256 folders
        return "now" if isinstance(value, int) and value >= began else names.get(value, value)

    return {
        name: sorted(
            (
                tuple(plain(*cell) for cell in row.items())
                for row in table
                if names.keys() & row.values() and row.get("key") != KEY
            ),
            key=repr,
        )
        for name, table in rows.items()
    }
