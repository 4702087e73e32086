"""An open store: MLflow's client of it, the experiment of the runs, and the fastest way to write them."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from initlab.errors import TrackingError
from initlab.tracking.address import absolute_uri, dialect_of
from initlab.tracking.client import ClientWriter
from initlab.tracking.engine import engine_of
from initlab.tracking.store import open_store, open_to_read, readable_errors
from initlab.tracking.writer import Writer

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Store(NamedTuple):
    """An open store and the id of the experiment in it."""

    client: "MlflowClient"
    experiment_id: str
    writer: Writer


def opened(uri: str, experiment: str, folder: Path, database: str | None = None) -> Store:
    """Returns the store at uri (absolute), with the experiment made if it is missing; of a server whose
    ``database`` is told that is what is written into.

    Raises TrackingError, in one line, when the store cannot be reached, read or written, or the database is
    another one.
    """
    client, experiment_id = open_store(uri, experiment, folder)
    behind = client if database is None else _behind(client, absolute_uri(database, folder), experiment)
    return Store(client, experiment_id, writer_into(behind))


def _behind(client: "MlflowClient", database: str, experiment: str) -> "MlflowClient":
    """Returns MLflow's client of the database behind a server, that of which is ``client``."""
    said = f"tracking.database_uri={database}: "
    if dialect_of(database) is None or dialect_of(database) == "sqlite":
        raise TrackingError(f"{said}must be the database of tracking.uri's server, as in postgresql://…")
    behind = open_to_read(database)
    with readable_errors(f"{said}cannot be read"):
        known, there = (one.get_experiment_by_name(experiment) for one in (client, behind))
    if there is None or known is None or dict(known) != dict(there):
        raise TrackingError(f"{said}is not the database of tracking.uri's server")
    return behind


def writer_into(client: "MlflowClient") -> Writer:
    """Returns the fastest way to write into the client's store."""
    engine = engine_of(client)
    if engine is None:
        return ClientWriter(client)
    from initlab.tracking.bulk import BulkWriter
    from initlab.tracking.sql import can_be_filled

    return BulkWriter(engine) if can_be_filled(engine) else ClientWriter(client)
