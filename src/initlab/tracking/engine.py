"""The database behind MLflow's client."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from sqlalchemy import Engine


def engine_of(client: "MlflowClient") -> "Engine | None":
    """Returns what connects the client to its database; None where it speaks to a server."""
    return getattr(client._tracking_client.store, "engine", None)
