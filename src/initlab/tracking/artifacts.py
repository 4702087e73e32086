"""Writing a run's files: straight into a local folder, through MLflow's client anywhere else."""

import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from initlab import files
from initlab.errors import TrackingError
from initlab.tracking.client import in_flight
from initlab.tracking.places import local_folder
from initlab.tracking.store import readable_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient


def write_files(client: "MlflowClient", run_id: str, artifact_uri: str, files: Mapping[str, bytes]) -> None:
    """Writes the files, by path within the run, and leaves none of them half written.

    Raises TrackingError, naming the file, when the disk is full or the place cannot be written.
    """
    if (folder := local_folder(artifact_uri)) is not None:
        for name, content in files.items():
            write_whole(folder / name, content)
    else:
        with readable_errors(f"{artifact_uri}: cannot be written"):
            _upload(client, run_id, files)


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file of a run, so that it is never half written.

    Raises TrackingError, naming the file, when the disk is full or the place cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_whole(path, content)
    except OSError as error:
        raise TrackingError(f"{path}: cannot be written: {error.strerror}") from error


def image_files(key: str, step: int, png: bytes, webp: bytes) -> dict[str, bytes]:
    """Returns an image with a step as MLflow's ``log_image`` leaves it, for the UI's grid and slider."""
    timestamp = time.time_ns() // 1_000_000
    stem = f"images/{key}+step+{step}+timestamp+{timestamp}+{uuid.uuid4()}"
    return {f"{stem}.png": png, f"{stem}+compressed.webp": webp}


def _upload(client: "MlflowClient", run_id: str, files: Mapping[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            write_whole(Path(folder) / name, content)

        def upload(name: str) -> None:
            inside = name.rpartition("/")[0] or None
            client.log_artifact(run_id, f"{folder}/{name}", inside)

        names = list(files)
        in_flight(upload, names[:1])  # alone: the client looks the run's place up once and keeps it
        in_flight(upload, names[1:])
