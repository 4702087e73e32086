"""Opening the tracking store: one address, one experiment, and a readable error when it cannot be reached.

Two traps of MLflow are closed here. Several processes that meet a missing database would all run its
migrations and ruin it, so they open it one after the other, and a new one is made beside its place. And a
store that cannot be reached is retried for minutes, so a short test of our own comes first.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from initlab.errors import StoreAwayError, TrackingError
from initlab.passwords import revealed, without_passwords
from initlab.tracking.address import check_address, dialect_of, is_server, sqlite_file
from initlab.tracking.away import is_away, reason
from initlab.tracking.locks import alone_while_opening
from initlab.tracking.new_database import make_if_missing
from initlab.tracking.stale import end_stale

if TYPE_CHECKING:
    from mlflow import MlflowClient

SECONDS_TO_ANSWER = 5
SECONDS_FOR_A_LOCK = 10
SECONDS_OF_A_CALL = 10


@lru_cache
def open_store(uri: str, experiment: str, folder: Path) -> tuple["MlflowClient", str]:
    """Returns a client of the store at uri (absolute) and the id of the experiment, made if it is missing.

    ``folder`` is where the artifacts of a database without a path of its own are kept. Raises
    TrackingError, in one line, when the store cannot be reached, read or written.
    """
    from initlab.tracking.spool import waiting_ids

    check_address(uri)
    _import_what_opens(uri)
    with readable_errors(f"tracking.uri={uri}: cannot be opened"), alone_while_opening(uri):
        if (database := sqlite_file(uri)) is not None:
            make_if_missing(database)
        client = _client(uri)
        end_stale(client, waiting_ids(folder))
        return client, _experiment_id(client, uri, experiment, folder)


@lru_cache
def open_to_read(uri: str) -> "MlflowClient":
    """Returns a client of a store at uri (absolute) that is there: MLflow's would make a missing database.

    Raises TrackingError, in one line, where there is none or it cannot be reached.
    """
    check_address(uri)
    database = sqlite_file(uri)
    if database is not None and not (database.is_file() and database.stat().st_size):
        raise TrackingError(f"tracking.uri={uri}: there is no such database; the first run makes it")
    _import_what_opens(uri)
    with readable_errors(f"tracking.uri={uri}: cannot be opened"), alone_while_opening(uri):
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
    return without_passwords(words.splitlines()[0])


def answer(uri: str) -> None:
    """Raises StoreAwayError where the store at uri (absolute) does not answer just now."""
    with readable_errors(f"tracking.uri={uri}: cannot be opened"):
        _test(uri)


def _import_what_opens(uri: str) -> None:
    """Imports MLflow, which takes a second, before anything is locked for which others may wait."""
    _be_quiet()
    if dialect_of(uri):
        import mlflow.store.tracking.sqlalchemy_store
    else:
        import mlflow  # noqa: F401


def _client(uri: str) -> "MlflowClient":
    _test(uri)
    from mlflow import MlflowClient

    return MlflowClient(revealed(uri))


def _be_quiet() -> None:
    # MLflow sends usage data unless told otherwise; a laboratory does not speak about its users.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # And MLflow would ask a server about every run that ends, to print its address.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    # It would send a call again and again for minutes, and one that makes a run may so make it twice; Initlab
    # tries again by itself.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(SECONDS_OF_A_CALL))
    os.environ.setdefault("PGCONNECT_TIMEOUT", str(SECONDS_TO_ANSWER))
    logging.getLogger("alembic").setLevel(logging.WARNING)  # no progress of migrations
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # says errors that it raises


def _test(uri: str) -> None:
    if (database := sqlite_file(uri)) is not None:
        with closing(sqlite3.connect(database, timeout=SECONDS_FOR_A_LOCK)) as connection:
            connection.execute("BEGIN IMMEDIATE")
    elif is_server(uri):
        import requests

        requests.get(f"{revealed(uri).rstrip('/')}/health", timeout=SECONDS_TO_ANSWER)
    elif dialect_of(uri):
        import sqlalchemy

        sqlalchemy.create_engine(revealed(uri), poolclass=sqlalchemy.NullPool).connect().close()


def _experiment_id(client: "MlflowClient", uri: str, name: str, folder: Path) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        return _new_experiment(client, uri, name, folder)
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"tracking.experiment={name}: is deleted; restore it in MLflow or choose another name"
        )
    return found.experiment_id


def _new_experiment(client: "MlflowClient", uri: str, name: str, folder: Path) -> str:
    from mlflow import MlflowException

    try:
        return client.create_experiment(name, artifact_location=_artifact_location(uri, folder))
    except MlflowException as error:
        # Another process may have made it since it was looked for: at a server, nobody waits for others.
        found = client.get_experiment_by_name(name)
        if error.error_code != "RESOURCE_ALREADY_EXISTS" or found is None:
            raise
        return found.experiment_id


def _artifact_location(uri: str, folder: Path) -> str | None:
    if (database := sqlite_file(uri)) is not None:
        return (database.parent / "artifacts").as_uri()
    return (folder / "mlruns" / "artifacts").as_uri() if dialect_of(uri) else None
