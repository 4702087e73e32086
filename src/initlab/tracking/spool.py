"""Records that wait for a store that does not answer: a folder for each, beside the store's own.

``mlruns/spool/<key>/`` holds ``record.json``, ``series.npz`` and the run's ``files/``. It is moved into place
when it is whole, and out of it when the run is delivered, so that what stands there is never half of a run.
"""

import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from initlab.errors import TrackingError, first_line
from initlab.passwords import masked
from initlab.tracking.artifacts import write_whole
from initlab.tracking.description import Description
from initlab.tracking.locks import exclusive
from initlab.tracking.record import Record
from initlab.tracking.writer import Ending, Series

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

FORMAT = 1
RECORD, SERIES, FILES = "record.json", "series.npz", "files"
COLUMNS = ("values", "steps", "timestamps")


@dataclass(frozen=True)
class Waiting:
    """A record that waits: its folder, its store, without a password, its experiment, and its run's ids; only
    the folder is known of one that is broken.
    """

    folder: Path
    store: str | None = None
    experiment: str = ""
    run_ids: Sequence[str] = ()


@dataclass(frozen=True)
class SpooledData:
    """The data of a run whose examples are no longer at hand: MLflow's entity of them."""

    entity: "DatasetInput"


def spool_of(folder: Path) -> Path:
    """Returns where the runs wait that commands started in a folder could not write."""
    return folder / "mlruns" / "spool"


def keep(records: Sequence[Record], uri: str, experiment: str, folder: Path) -> None:
    """Keeps records for a store, which a command in ``folder`` shall deliver.

    Raises TrackingError, naming the file, for the first that cannot be written; the others are kept.
    """
    spool, where = spool_of(folder), {"store": shown(uri, folder), "experiment": experiment}
    problems = []
    with _alone(spool, "writing"):
        for left in spool.glob("*.part"):  # by a process that was killed: who writes is alone
            shutil.rmtree(left)
        for record in records:
            try:
                _keep(spool, record, where)
            except TrackingError as error:
                problems.append(error)
    if problems:
        raise problems[0]


def _keep(spool: Path, record: Record, where: Mapping[str, str]) -> None:
    part = spool / f"{record.key}.part"
    try:
        _write(part, record, where)
        shutil.rmtree(spool / record.key, ignore_errors=True)  # an earlier state of it
        os.replace(part, spool / record.key)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def waiting(folder: Path) -> list[Waiting]:
    """Returns what waits in the spool of a folder, the oldest first."""
    found: list[tuple[float, Waiting]] = []
    for place in spool_of(folder).glob("[!.]*"):
        if place.suffix != ".part":
            try:
                said = _read(place / RECORD)
                ids = [said[name] for name in ("key", "run_id") if said[name]]
                found.append((said["started"], Waiting(place, said["store"], said["experiment"], ids)))
            except FileNotFoundError:  # delivered a moment ago, by another process
                continue
            except TrackingError:  # ``load`` says why
                found.append((0, Waiting(place)))
    return [one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].folder))]


def waiting_ids(folder: Path) -> set[str]:
    """Returns the ids of the runs that wait in the spool of a folder: their ends are known, but not told."""
    return {run_id for one in waiting(folder) for run_id in one.run_ids}


def shown(uri: str, folder: Path) -> str:
    """Returns how the spool of a folder names the store at uri (absolute): without a password, and a database
    within the folder as seen from there, because both may be moved together.
    """
    return masked(uri).replace(f"sqlite:///{folder.resolve()}/", "sqlite:///")


def load(place: Path) -> Record:
    """Returns the record in a folder of the spool; raises TrackingError, naming the file, if it is broken."""
    said = _read(place / RECORD)
    with _readable(place / SERIES), np.load(place / SERIES, allow_pickle=False) as arrays:
        series = [
            Series(said["key"], key, *(arrays[f"{n}.{column}"] for column in COLUMNS))
            for n, key in enumerate(said["keys"])
        ]
    with _readable(place / RECORD):
        data = SpooledData(_entity(said["data"])) if said["data"] else None
        about = Description(said["name"], said["parameters"], said["tags"], data)
        ending = Ending(**said["ending"]) if said["ending"] else None
        return Record(about, said["started"], said["key"], said["run_id"], series, _files(place), ending)


def remove(place: Path) -> None:
    """Removes what has been delivered."""
    with _alone(place.parent, "writing"):
        gone = place.with_name(f"{place.name}.part")  # no record any more, should this process end here
        os.replace(place, gone)
        shutil.rmtree(gone)


@contextmanager
def delivering(folder: Path) -> Iterator[None]:
    """Lets one process at a time deliver from the spool of a folder; the others wait for it."""
    with _alone(spool_of(folder), "delivering"):
        yield


@contextmanager
def _alone(spool: Path, what: str) -> Iterator[None]:
    try:
        spool.mkdir(parents=True, exist_ok=True)
        lock = spool / f".{what}.lock"
        lock.touch()
    except OSError as error:
        raise TrackingError(f"{spool}: cannot be written: {error.strerror}") from error
    with exclusive(lock):
        yield


def _write(place: Path, record: Record, where: Mapping[str, str]) -> None:
    series = record.merged()
    arrays = {f"{n}.{column}": getattr(one, column) for n, one in enumerate(series) for column in COLUMNS}
    about = record.description
    said = {
        "format": FORMAT,
        **where,
        "key": record.key,
        "run_id": record.run_id,
        "started": record.started,
        "name": about.name,
        "parameters": dict(about.parameters),
        "tags": dict(about.tags),
        "data": _plain(about.data.entity) if about.data else None,
        "keys": [one.key for one in series],
        "ending": _ending(record.ending),
    }
    for name, content in record.files.items():
        write_whole(place / FILES / name, content)
    write_whole(place / SERIES, _npz(arrays))
    write_whole(place / RECORD, json.dumps(said, indent=1).encode())


def _ending(ending: Ending | None) -> dict[str, Any] | None:
    return ending and {**ending._asdict(), "metrics": dict(ending.metrics), "tags": dict(ending.tags)}


def _plain(entity: "DatasetInput") -> dict[str, Any]:
    return {**dict(entity.dataset), "tags": [[tag.key, tag.value] for tag in entity.tags]}


def _entity(said: dict[str, Any]) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag

    tags = [InputTag(*pair) for pair in said["tags"]]
    return DatasetInput(Dataset(**{key: value for key, value in said.items() if key != "tags"}), tags)


def _files(place: Path) -> dict[str, bytes]:
    """Returns the files of a record by their path within the run."""
    folder = place / FILES
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _npz(arrays: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _read(path: Path) -> dict[str, Any]:
    with _readable(path):
        said: dict[str, Any] = json.loads(path.read_text())
        if said["format"] != FORMAT:
            raise TrackingError(f"{path}: is of format {said['format']}; this version reads {FORMAT}")
        return said


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turns what a broken file of a record raises into a TrackingError that names it."""
    try:
        yield
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
        raise TrackingError(f"{path}: is not a record of Initlab's: {first_line(error)}") from error
