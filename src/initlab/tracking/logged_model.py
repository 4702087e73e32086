"""A tracked run's network as a logged model of its experiment: MLflow's own entry, with files of its own.

It is made by MLflow's client, in any store. An entry chooses no place for its files: a server gives them one
beside those of the runs. So it is made of the runs that are asked for, and not of every run of a sweep.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric, Run

from initlab.errors import TrackingError
from initlab.predictor import Predictor
from initlab.tracking.artifacts import write_whole
from initlab.tracking.model import FOLDER, model_files
from initlab.tracking.places import moved_from
from initlab.tracking.store import open_to_read, readable_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel


def log_model(uri: str, run_id: str, network: Predictor, metrics: Iterable[str]) -> str:
    """Returns the URI, models:/m-…, of the logged model of a run in the store at uri (absolute): the one that
    it has, or a new one of its network, with the run's parameters and its last values of the metrics.

    Raises TrackingError, in one line, where it cannot be written.
    """
    if moved_from(uri) is not None:
        raise TrackingError(f"tracking.uri={uri}: was moved; have it say so first: initlab doctor fix=true")
    client = open_to_read(uri)
    with readable_errors(f"run {run_id}: its network cannot be logged as a model"):
        run = client.get_run(run_id)
        model = _model_of(client, run) or _new_model(client, run, network, metrics)
    return str(model.model_uri)


def _model_of(client: "MlflowClient", run: Run) -> "LoggedModel | None":
    """Returns the model that a run has: one that is whole."""
    found = client.search_logged_models(
        [run.info.experiment_id], f"source_run_id = '{run.info.run_id}' AND name = '{FOLDER}'"
    )
    return next((model for model in found if model.status == LoggedModelStatus.READY), None)


def _new_model(client: "MlflowClient", run: Run, network: Predictor, metrics: Iterable[str]) -> "LoggedModel":
    run_id = run.info.run_id
    with _begun(client, run) as model:
        _upload(client, model.model_id, network, run_id)
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
        client.log_batch(run_id, list(_last_values(client, run_id, metrics, model.model_id)))
    return model


@contextmanager
def _begun(client: "MlflowClient", run: Run) -> "Iterator[LoggedModel]":
    """Makes a model, which is READY when the block is left; one that could not be made whole is deleted."""
    model = client.create_logged_model(
        run.info.experiment_id, FOLDER, source_run_id=run.info.run_id, params=run.data.params
    )
    try:
        yield model
        client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    except BaseException:
        with suppress(Exception):  # what went wrong first is told
            client.delete_logged_model(model.model_id)
        raise


def _upload(client: "MlflowClient", model_id: str, network: Predictor, run_id: str) -> None:
    files, _ = model_files(network, run_id, model_id)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            write_whole(Path(folder) / name, content)
        client.log_model_artifacts(model_id, f"{folder}/{FOLDER}")


def _last_values(
    client: "MlflowClient", run_id: str, names: Iterable[str], model_id: str
) -> Iterator[Metric]:
    """Yields the last values that a run has of metrics, as those of a model too."""
    for name in names:
        for last in client.get_metric_history(run_id, name)[-1:]:
            yield Metric(name, last.value, last.timestamp, last.step, model_id=model_id, run_id=run_id)
