"""Reading what is tracked, and making nothing: a run with its files, an experiment by its name."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from initlab.errors import TrackingError
from initlab.tracking.artifacts import local_folder
from initlab.tracking.store import address_of, open_to_read, readable_errors
from initlab.tracking.views import address, newest


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
    place: str


def stored_run(run_id: str, uri: str, names: Sequence[str]) -> StoredRun:
    """Returns a run of the store at uri (absolute) with the files that are named.

    Raises TrackingError, in one line, where there is no such store, run or file.
    """
    client = open_to_read(uri)
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
    return StoredRun(
        run.info.run_name, run.data.tags, run.data.metrics, files, address, run.info.artifact_uri
    )


@contextmanager
def file_of(uri: str, run_id: str, place: str, name: str) -> Iterator[Path]:
    """Gives the path of a file of a run of the store at uri (absolute), whose files are below ``place``: the
    file itself where that is a local folder, else a copy that is gone when the block is left.

    Raises TrackingError, in one line, where it is not there.
    """
    if (folder := local_folder(place)) is not None:
        if not (folder / name).is_file():
            raise TrackingError(f"run {run_id}: has no {name} in {folder}")
        yield folder / name
        return
    with tempfile.TemporaryDirectory() as copy:
        with readable_errors(f"run {run_id}: {name} cannot be read from {uri}"):
            path = open_to_read(uri).download_artifacts(run_id, name, copy)
        yield Path(path)


def charts_address(uri: str, name: str, server: str) -> str:
    """Returns the address at a server of the charts of the experiment of that name in the store at uri
    (absolute), as its newest saved view shows them; of all experiments if there is none of that name.
    """
    client = open_to_read(uri)
    with readable_errors(f"tracking.uri={uri}: cannot be read"):
        found = client.get_experiment_by_name(name)
    if found is None:
        return f"{server}/#/experiments"
    charts, view = address_of(server, found.experiment_id), newest(found.tags)
    return address(charts, view) if view else charts
