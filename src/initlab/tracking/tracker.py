"""The one interface to tracking: start runs, log their series, write their files, end them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from initlab.datasets import Dataset
from initlab.tracking.artifacts import image_names, write_files
from initlab.tracking.metrics import Series, log_series
from initlab.tracking.store import absolute_uri, address_of, open_store, readable_errors
from initlab.tracking.tags import environment_tags

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

LONGEST_PARAMETER, LONGEST_TAG = 6000, 8000  # what MLflow keeps of a value


@dataclass(frozen=True)
class Description:
    """What is known of a run before it starts."""

    name: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    dataset: Dataset
    dataset_name: str


class Tracker:
    """Runs in one experiment of one MLflow store. Every method raises TrackingError when the store fails."""

    def __init__(self, uri: str, experiment: str, folder: Path) -> None:
        self.uri = absolute_uri(uri, folder)
        self.folder = folder
        self.client, self.experiment_id = open_store(self.uri, experiment, folder)
        self._artifact_uris: dict[str, str] = {}

    def start(self, descriptions: Sequence[Description]) -> list[str]:
        """Returns the ids of new RUNNING runs. When one cannot be made, those made before it end FAILED."""
        run_ids: list[str] = []
        try:
            for description in descriptions:
                with readable_errors(f"run {description.name} cannot be started"):
                    self._start(description, run_ids)
        except BaseException:
            self.end(run_ids, "FAILED")
            raise
        return run_ids

    def log(self, series: Sequence[Series]) -> None:
        """Writes metrics; values that are not finite are left out."""
        log_series(self.client, series)

    def write(self, run_id: str, files: Mapping[str, bytes]) -> None:
        """Writes files by their path within the run."""
        write_files(self.client, run_id, self._artifact_uris[run_id], files)

    def write_image(self, run_id: str, key: str, step: int, png: bytes, webp: bytes) -> None:
        """Writes an image with a step, as MLflow's ``log_image`` does, for the UI's grid and slider."""
        names = image_names(key, step, time.time_ns() // 1_000_000)
        self.write(run_id, dict(zip(names, (png, webp), strict=True)))

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Sets tags of a run."""
        from mlflow.entities import RunTag

        with readable_errors("tags cannot be written"):
            entities = [RunTag(key, value[:LONGEST_TAG]) for key, value in tags.items()]
            self.client.log_batch(run_id, tags=entities)

    def end(self, run_ids: Sequence[str], status: str) -> None:
        """Ends runs as FINISHED, FAILED or KILLED."""
        with readable_errors("runs cannot be ended"):
            for run_id in run_ids:
                self.client.set_terminated(run_id, status)

    def address(self, sweep: str | None = None) -> str:
        """Returns the address of the charts in the MLflow UI."""
        return address_of(self.uri, self.experiment_id, sweep)

    def run_address(self, run_id: str) -> str:
        """Returns the address of one run in the MLflow UI, where its files are."""
        return f"{self.address().split('?')[0]}/{run_id}/artifacts"

    def _start(self, description: Description, run_ids: list[str]) -> None:
        from mlflow.entities import Param

        tags = {**environment_tags(self.folder), **description.tags}
        run = self.client.create_run(self.experiment_id, tags=tags, run_name=description.name)
        run_ids.append(run.info.run_id)
        self._artifact_uris[run.info.run_id] = run.info.artifact_uri
        parameters = [Param(k, v[:LONGEST_PARAMETER]) for k, v in description.parameters.items()]
        self.client.log_batch(run.info.run_id, params=parameters)
        dataset = _dataset_input(description.dataset, description.dataset_name)
        self.client.log_inputs(run.info.run_id, datasets=[dataset])


def _dataset_input(dataset: Dataset, name: str) -> "DatasetInput":
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.numpy_dataset import NumpyDataset
    from mlflow.entities import DatasetInput, InputTag

    source = CodeDatasetSource({"mlflow.source.name": dataset.source})
    entity = NumpyDataset(dataset.X_train.T, source, dataset.Y_train.T, name)._to_mlflow_entity()
    return DatasetInput(entity, [InputTag("mlflow.data.context", "training")])
