"""Reading what is tracked, and making nothing: a run with its files, an experiment by its name."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import OmegaConf

from initlab.errors import TrackingError
from initlab.tracking import store
from initlab.tracking.store import SQLITE, absolute_uri, address_of, readable_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class StoredRun:
    """A run as it is tracked: its name, its tags, its last metrics, and those of its files that were asked
    for.
    """

    name: str
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    files: Mapping[str, bytes]
    address: str


def default_uri(folder: Path) -> str:
    """Returns the absolute URI where a command that is started in ``folder`` tracks its runs."""
    shared = OmegaConf.load(str(resources.files("initlab.conf") / "base.yaml"))
    return absolute_uri(str(shared.tracking.uri), folder)


def stored_run(run_id: str, uri: str, names: Sequence[str]) -> StoredRun:
    """Returns a run of the store at uri (absolute) with the files that are named.

    Raises TrackingError, in one line, where there is no such store, run or file.
    """
    client = _reader(uri)
    with readable_errors(f"run {run_id}: cannot be read from {uri}"):
        run = client.get_run(run_id)
        there = {file.path for file in client.list_artifacts(run_id)}
        for name in names:
            if name not in there:
                raise TrackingError(f"run {run_id}: has no {name}; it is a run that is {run.info.status}")
        with tempfile.TemporaryDirectory() as folder:
            files = {
                name: Path(client.download_artifacts(run_id, name, folder)).read_bytes() for name in names
            }
    address = address_of(uri, run.info.experiment_id, run.data.tags.get("sweep"))
    return StoredRun(run.info.run_name, run.data.tags, run.data.metrics, files, address)


def experiment_id(uri: str, name: str) -> str | None:
    """Returns the id of the experiment of that name in the store at uri (absolute), None if there is none."""
    client = _reader(uri)
    with readable_errors(f"tracking.uri={uri}: cannot be read"):
        found = client.get_experiment_by_name(name)
    return found.experiment_id if found else None


@lru_cache
def _reader(uri: str) -> "MlflowClient":
    """Returns a client of a store that is there: MLflow's would make a database that is missing."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    if uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE)).is_file():
        raise TrackingError(f"tracking.uri={uri}: there is no such database; the first run makes it")
    with readable_errors(f"tracking.uri={uri}: cannot be opened"):
        store._test(uri)
        store._quiet()
        from mlflow import MlflowClient

        return MlflowClient(uri)
