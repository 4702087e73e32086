"""An open store: MLflow's client of it, the experiment of the runs, and the fastest way to write them."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from initlab.tracking.client import ClientWriter
from initlab.tracking.engine import engine_of
from initlab.tracking.store import open_store
from initlab.tracking.writer import Writer

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Store(NamedTuple):
    """An open store and the id of the experiment in it."""

    client: "MlflowClient"
    experiment_id: str
    writer: Writer


def opened(uri: str, experiment: str, folder: Path) -> Store:
    """Returns the store at uri (absolute), with the experiment made if it is missing.

    Raises TrackingError, in one line, when the store cannot be reached, read or written.
    """
    client, experiment_id = open_store(uri, experiment, folder)
    return Store(client, experiment_id, writer_into(client))


def writer_into(client: "MlflowClient") -> Writer:
    """Returns the fastest way to write into the client's store."""
    engine = engine_of(client)
    if engine is None:
        return ClientWriter(client)
    from initlab.tracking.bulk import BulkWriter
    from initlab.tracking.sql import can_be_filled

    return BulkWriter(engine) if can_be_filled(engine) else ClientWriter(client)
