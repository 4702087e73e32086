"""The one interface to tracking: start runs, log their series, write their files, end them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from initlab.datasets import Dataset
from initlab.tracking.artifacts import write_files
from initlab.tracking.calls import CallWriter
from initlab.tracking.datasets import dataset_input
from initlab.tracking.limits import check_names, fitting_parameters, fitting_tags
from initlab.tracking.schema import can_be_filled
from initlab.tracking.store import absolute_uri, address_of, open_store, readable_errors
from initlab.tracking.tags import environment_tags
from initlab.tracking.writer import Ending, NewRun, Series, Writer

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class Description:
    """What is known of a run before it starts. A run that sees no data has no dataset."""

    name: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    dataset: Dataset | None = None
    dataset_name: str = ""


class Tracker:
    """Runs in one experiment of one MLflow store. Every method raises TrackingError when the store fails.

    What a method writes for several runs goes into an SQL database as one transaction: as a whole, or not
    at all.
    """

    def __init__(self, uri: str, experiment: str, folder: Path) -> None:
        self.uri = absolute_uri(uri, folder)
        self.folder = folder
        self.client, self.experiment_id = open_store(self.uri, experiment, folder)
        self._writer = writer_into(self.client)
        self._artifact_uris: dict[str, str] = {}

    def start(self, descriptions: Sequence[Description]) -> list[str]:
        """Returns the ids of new RUNNING runs. When one cannot be made, none is left RUNNING."""
        with readable_errors("runs cannot be started"):
            runs = [self._new_run(description) for description in descriptions]
            started = self._writer.start(self.experiment_id, runs)
        self._artifact_uris.update(started)
        return [run.run_id for run in started]

    def log(self, series: Sequence[Series]) -> None:
        """Writes metrics. NaN and infinity are left out: MLflow would store the one as 0 and the other as
        1.8e308.
        """
        finite = [one for one in (one.finite() for one in series) if len(one.values)]
        with readable_errors("metrics cannot be written"):
            check_names(one.key for one in finite)
            if finite:
                self._writer.log(finite)

    def write(self, run_id: str, files: Mapping[str, bytes]) -> None:
        """Writes files by their path within the run."""
        write_files(self.client, run_id, self._artifact_uris[run_id], files)

    def close(self, endings: Sequence[Ending]) -> None:
        """Ends runs now, each with its last metrics, of which those that are not finite are left out, and
        tags.
        """
        with readable_errors("runs cannot be ended"):
            for ending in endings:
                check_names(ending.metrics)
            if endings:
                self._writer.close([one._replace(tags=fitting_tags(one.tags)) for one in endings])

    def end(self, run_ids: Sequence[str], status: str) -> None:
        """Ends runs now as FINISHED, FAILED or KILLED, and adds nothing to them."""
        self.close([Ending(run_id, status) for run_id in run_ids])

    def address(self, sweep: str | None = None) -> str:
        """Returns the address of the charts in the MLflow UI."""
        return address_of(self.uri, self.experiment_id, sweep)

    def run_address(self, run_id: str) -> str:
        """Returns the address of one run in the MLflow UI, where its files are."""
        return f"{self.address().split('?')[0]}/{run_id}/artifacts"

    def _new_run(self, description: Description) -> NewRun:
        tags = {**environment_tags(self.folder), **description.tags, "mlflow.runName": description.name}
        dataset = description.dataset
        return NewRun(
            description.name,
            fitting_parameters(description.parameters),
            fitting_tags(tags),
            None if dataset is None else dataset_input(dataset, description.dataset_name),
        )


def writer_into(client: "MlflowClient") -> Writer:
    """Returns the fastest way to write into the client's store."""
    engine = getattr(client._tracking_client.store, "engine", None)
    if engine is None or not can_be_filled(engine):
        return CallWriter(client)
    from initlab.tracking.bulk import BulkWriter

    return BulkWriter(engine)
