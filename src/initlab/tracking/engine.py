"""The database behind MLflow's client."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from sqlalchemy import Engine


def engine_of(client: "MlflowClient") -> "Engine | None":
    """Returns what connects the client to its database; None where it speaks to a server."""
    return getattr(client._tracking_client.store, "engine", None)


def file_behind(engine: "Engine | None") -> Path | None:
    """Returns the file of an SQLite database; None of another one, and where there is no database."""
    return Path(engine.url.database or "") if engine is not None and engine.dialect.name == "sqlite" else None
