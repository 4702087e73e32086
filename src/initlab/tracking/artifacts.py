"""Writing a run's files: straight into a local folder, through MLflow's client anywhere else."""

import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from initlab.errors import TrackingError
from initlab.tracking.store import readable_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient


def write_files(client: "MlflowClient", run_id: str, artifact_uri: str, files: Mapping[str, bytes]) -> None:
    """Writes the files, by path within the run, and leaves none of them half written.

    Raises TrackingError, naming the file, when the disk is full or the place cannot be written.
    """
    place = urlparse(artifact_uri)
    if place.scheme in ("file", ""):
        for name, content in files.items():
            _write(Path(unquote(place.path)) / name, content)
        return
    with tempfile.TemporaryDirectory() as folder, readable_errors(f"{artifact_uri}: cannot be written"):
        for name, content in files.items():
            _write(Path(folder) / name, content)
        client.log_artifacts(run_id, folder)


def image_names(key: str, step: int, timestamp: int) -> tuple[str, str]:
    """Returns the paths at which MLflow's UI looks for an image with a step: its PNG and its small WebP."""
    stem = f"images/{key}+step+{step}+timestamp+{timestamp}+{uuid.uuid4()}"
    return f"{stem}.png", f"{stem}+compressed.webp"


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise TrackingError(f"{path}: cannot be written: {error.strerror}") from error
