"""Opening the tracking store: one address, one experiment, and a readable error when it cannot be reached.

Two traps of MLflow are closed here. Several processes that meet a missing database would all run its
migrations and ruin it, so they open it one after the other. And a store that cannot be reached is retried
for minutes, so a short test of our own comes first.
"""

import hashlib
import logging
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from filelock import FileLock

from initlab.errors import StoreAwayError, TrackingError
from initlab.tracking.away import is_away, reason
from initlab.tracking.stale import end_stale

if TYPE_CHECKING:
    from mlflow import MlflowClient

SECONDS_TO_ANSWER = 5
SECONDS_FOR_A_LOCK = 10
SECONDS_OF_A_CALL = 10
LOCAL_SERVER = "http://127.0.0.1:5000"
SQLITE = "sqlite:///"


def absolute_uri(uri: str, folder: Path) -> str:
    """Returns the tracking URI with a relative path in it made absolute, seen from folder."""
    if uri.startswith(SQLITE):
        return SQLITE + str((folder / uri.removeprefix(SQLITE)).resolve())
    if "://" in uri or uri.startswith(("file:", "databricks")):
        return uri
    return (folder / uri).resolve().as_uri()


def address_of(uri: str, experiment_id: str, sweep: str | None = None) -> str:
    """Returns the address of the experiment's charts in the MLflow UI, of one sweep's runs if it is named."""
    server = uri.rstrip("/") if uri.startswith("http") else LOCAL_SERVER
    query = "workflowType=machine_learning&compareRunsMode=CHART"
    if sweep:
        query += "&searchFilter=" + quote(f"tags.sweep = '{sweep}'")
    return f"{server}/#/experiments/{experiment_id}/runs?{query}"


def page_of(charts: str, run_id: str) -> str:
    """Returns the address of a run's page in the MLflow UI from that of the charts that show it."""
    return f"{charts.partition('?')[0]}/{run_id}?workflowType=machine_learning"


@lru_cache
def open_store(uri: str, experiment: str, folder: Path) -> tuple["MlflowClient", str]:
    """Returns a client of the store at uri (absolute) and the id of the experiment, made if it is missing.

    ``folder`` is where the artifacts of a database without a path of its own are kept. Raises
    TrackingError, in one line, when the store cannot be reached, read or written.
    """
    with readable_errors(f"tracking.uri={uri}: cannot be opened"), exclusive(_lock_of(uri)):
        client = _client(uri)
        end_stale(client)
        return client, _experiment_id(client, uri, experiment, folder)


@lru_cache
def open_to_read(uri: str) -> "MlflowClient":
    """Returns a client of a store at uri (absolute) that is there: MLflow's would make a missing database.

    Raises TrackingError, in one line, where there is none or it cannot be reached.
    """
    if uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE)).is_file():
        raise TrackingError(f"tracking.uri={uri}: there is no such database; the first run makes it")
    with readable_errors(f"tracking.uri={uri}: cannot be opened"), exclusive(_lock_of(uri)):
        return _client(uri)


@contextmanager
def readable_errors(problem: str) -> Iterator[None]:
    """Turns what MLflow, database, network or disk raise inside into a TrackingError of one line; into a
    StoreAwayError where they say that the store does not answer just now.
    """
    try:
        yield
    except TrackingError:
        raise
    except Exception as error:
        if isinstance(error, OSError | sqlite3.Error) or type(error).__module__.startswith(
            ("mlflow", "sqlalchemy", "psycopg", "requests", "filelock", "urllib3")
        ):
            kind = StoreAwayError if is_away(error) else TrackingError
            raise kind(f"{problem}: {reason(error) or _first_line(error)}") from error
        raise


def _first_line(error: Exception) -> str:
    # SQLAlchemy follows the driver's words by the statement and a link; the driver's words say it.
    words = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    return words.splitlines()[0]


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds a lock file alone among the processes of this machine; one that dies gives it back."""
    if sys.platform == "win32":
        with FileLock(path):
            yield
        return
    import fcntl

    # The kernel wakes those who wait. A lock that is polled for, as FileLock's and SQLite's are, goes to
    # whoever looks first: of four writers at work without a pause, one waited for 28 s.
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:  # closing the file is not enough where a forked process has inherited it
            fcntl.flock(file, fcntl.LOCK_UN)


def lock_of(database: Path) -> Path:
    """Returns the lock file that those hold who open or write an SQLite database."""
    return database.with_name(f"{database.name}.lock")


def _lock_of(uri: str) -> Path:
    if uri.startswith(SQLITE):
        database = Path(uri.removeprefix(SQLITE))
        database.parent.mkdir(parents=True, exist_ok=True)
        return lock_of(database)
    return Path(tempfile.gettempdir()) / f"initlab-{hashlib.sha256(uri.encode()).hexdigest()}.lock"


def _client(uri: str) -> "MlflowClient":
    # MLflow sends usage data unless told otherwise; a laboratory does not speak about its users.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # And MLflow would ask a server about every run that ends, to print its address.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    # It would send a call again and again for minutes, and one that makes a run may so make it twice; Initlab
    # tries again by itself.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(SECONDS_OF_A_CALL))
    os.environ.setdefault("PGCONNECT_TIMEOUT", str(SECONDS_TO_ANSWER))
    _test(uri)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # no progress of migrations
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # says errors that it raises
    from mlflow import MlflowClient

    return MlflowClient(uri)


def _test(uri: str) -> None:
    if uri.startswith(SQLITE):
        with closing(sqlite3.connect(uri.removeprefix(SQLITE), SECONDS_FOR_A_LOCK)) as connection:
            connection.execute("BEGIN IMMEDIATE")
    elif uri.startswith("http"):
        import requests

        requests.get(f"{uri.rstrip('/')}/health", timeout=SECONDS_TO_ANSWER)
    elif is_database(uri):
        import sqlalchemy

        sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool).connect().close()


def is_database(uri: str) -> bool:
    """Returns whether a tracking URI names a database."""
    return uri.split("://")[0].split("+")[0] in ("sqlite", "postgresql", "mysql", "mssql")


def _experiment_id(client: "MlflowClient", uri: str, name: str, folder: Path) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        return client.create_experiment(name, artifact_location=_artifact_location(uri, folder))
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"tracking.experiment={name}: is deleted; restore it in MLflow or choose another name"
        )
    return found.experiment_id


def _artifact_location(uri: str, folder: Path) -> str | None:
    if uri.startswith(SQLITE):
        return (Path(uri.removeprefix(SQLITE)).parent / "artifacts").as_uri()
    return (folder / "mlruns" / "artifacts").as_uri() if is_database(uri) else None
