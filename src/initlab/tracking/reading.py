"""Reading what is tracked, and making nothing: a run with its files, an experiment by its name, the runs of
a sweep.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from initlab.errors import TrackingError
from initlab.passwords import revealed
from initlab.tracking.address import address_of, dialect_of, sqlite_file
from initlab.tracking.places import local_folder, place_now
from initlab.tracking.store import open_to_read, readable_errors
from initlab.tracking.views import address, newest

if TYPE_CHECKING:
    from mlflow.entities import Run

RUNS_A_CALL = 1000


@dataclass(frozen=True)
class StoredRun:
    """A run as it is tracked: its id, its name, its status (FINISHED, FAILED, …), its parameters, its tags,
    its last metrics, the names and digests of its data, those of its files that were asked for, the address
    of its charts, and the URI of the place of its files.
    """

    run_id: str
    name: str
    status: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    data: Sequence[tuple[str, str]]
    files: Mapping[str, bytes]
    address: str
    place: str


def stored_run(run_id: str, uri: str, names: Sequence[str]) -> StoredRun:
    """Returns a run of the store at uri (absolute) with the files that are named.

    Raises TrackingError, in one line, where there is no such store, run or file.
    """
    client = open_to_read(uri)
    with readable_errors(f"run {run_id}: cannot be read from {uri}"):
        run = _stored(client.get_run(run_id), uri, {})
        local, there = local_folder(run.place), set[str]()
        if local is None:
            there = {file.path for file in client.list_artifacts(run_id)}
    files = {}
    for name in names:
        if not (name in there if local is None else (local / name).is_file()):
            raise TrackingError(f"run {run_id}: has no {name}; it is a run that is {run.status}")
        with file_of(uri, run_id, run.place, name) as path:
            files[name] = path.read_bytes()
    return replace(run, files=files)


def stored_runs(run_ids: Sequence[str], uri: str) -> dict[str, StoredRun]:
    """Returns runs of the store at uri (absolute) by their ids, without their files; those that are there."""
    client = open_to_read(uri)
    found: dict[str, StoredRun] = {}
    with readable_errors(f"tracking.uri={uri}: cannot be read"):
        experiments = [one.experiment_id for one in client.search_experiments()]
        for start in range(0, len(run_ids), RUNS_A_CALL):
            wanted = ", ".join(f"'{run_id}'" for run_id in run_ids[start : start + RUNS_A_CALL])
            words = f"attributes.run_id IN ({wanted})"
            some = client.search_runs(experiments, words, max_results=RUNS_A_CALL)
            found |= {run.info.run_id: _stored(run, uri, {}) for run in some}
    return found


def finished_of(uri: str, run_ids: Sequence[str]) -> set[str]:
    """Returns which of these runs of the store at uri (absolute) are FINISHED, without MLflow where that is a
    database: it takes seconds to be imported.
    """
    if not dialect_of(uri):
        return {run_id for run_id, run in stored_runs(run_ids, uri).items() if run.status == "FINISHED"}
    if (file := sqlite_file(uri)) is not None and not file.is_file():  # where a moved project was
        return set()
    import sqlalchemy as sa

    runs = sa.table("runs", *map(sa.column, ("run_uuid", "status", "lifecycle_stage")))
    query = sa.select(runs.c.run_uuid).where(runs.c.status == "FINISHED", runs.c.lifecycle_stage == "active")
    with (
        readable_errors(f"tracking.uri={uri}: cannot be read"),
        sa.create_engine(revealed(uri), poolclass=sa.NullPool).connect() as connection,
    ):
        return set(connection.execute(query).scalars()) & set(run_ids)


def runs_of_sweep(uri: str, experiment: str, sweep: str) -> list[StoredRun]:
    """Returns the runs of a sweep in an experiment of the store at uri (absolute), in the order of its jobs,
    without their files; none where there is no such experiment or sweep.
    """
    client, found = open_to_read(uri), _experiment_id(uri, experiment)
    quote = '"' if "'" in sweep else "'"
    runs: list[Run] = []
    token = None
    with readable_errors(f"tracking.uri={uri}: the sweep {sweep} cannot be read"):
        while found is not None:
            page = client.search_runs(
                [found], f"tags.sweep = {quote}{sweep}{quote}", max_results=RUNS_A_CALL, page_token=token
            )
            runs += page
            token = page.token
            if not token:
                break
    stored = [_stored(run, uri, {}) for run in runs]
    return sorted(stored, key=lambda run: int(run.tags.get("sweep_job", 0)))


def command_of_sweep(uri: str, sweep: str) -> str | None:
    """Returns the command line that made a sweep, as its summary run in the store at uri (absolute) has it;
    None where there is none.
    """
    client = open_to_read(uri)
    quote = '"' if "'" in sweep else "'"
    with readable_errors(f"tracking.uri={uri}: cannot be read"):
        experiments = [one.experiment_id for one in client.search_experiments()]
        words = f"tags.sweep = {quote}{sweep}{quote} AND params.command LIKE '%'"
        found = client.search_runs(experiments, words)
    return next((run.data.params["command"] for run in found), None)


def newest_sweeps(uri: str, experiment: str, most: int) -> list[str]:
    """Returns the names of the newest sweeps that have runs in an experiment of the store at uri (absolute),
    the newest first.
    """
    client, found = open_to_read(uri), _experiment_id(uri, experiment)
    if found is None:
        return []
    with readable_errors(f"tracking.uri={uri}: cannot be read"):
        newest = client.search_runs(
            [found], "tags.sweep LIKE '%'", max_results=RUNS_A_CALL if most > 1 else 1,
            order_by=["attributes.start_time DESC"],
        )  # fmt: skip
    return list(dict.fromkeys(run.data.tags["sweep"] for run in newest))[:most]


def _stored(run: "Run", uri: str, files: Mapping[str, bytes]) -> StoredRun:
    info, data = run.info, run.data
    datasets = [one.dataset for one in run.inputs.dataset_inputs] if run.inputs else []
    return StoredRun(
        info.run_id,
        info.run_name,
        info.status,
        data.params,
        data.tags,
        data.metrics,
        [(one.name, one.digest) for one in datasets],
        files,
        address_of(uri, info.experiment_id, data.tags.get("sweep")),
        place_now(info.artifact_uri, sqlite_file(uri)),
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


def files_below(uri: str, run_id: str, place: str, folder: str) -> list[str]:
    """Returns the paths of the files right below a folder of a run's files, ``place``; none if it has none.
    The folder '' is that of all its files.

    Raises TrackingError, in one line, where the store at uri (absolute) fails.
    """
    if (local := local_folder(place)) is not None:
        return sorted(path.relative_to(local).as_posix() for path in (local / folder).glob("*"))
    with readable_errors(f"run {run_id}: its files cannot be listed from {uri}"):
        return sorted(file.path for file in open_to_read(uri).list_artifacts(run_id, folder))


def experiment_of(uri: str, run_id: str) -> str:
    """Returns the name of the experiment of a run of the store at uri (absolute)."""
    client = open_to_read(uri)
    with readable_errors(f"run {run_id}: cannot be read from {uri}"):
        name: str = client.get_experiment(client.get_run(run_id).info.experiment_id).name
        return name


def _experiment_id(uri: str, name: str) -> str | None:
    """Returns the id of the experiment of that name in the store at uri (absolute), None if there is none."""
    client = open_to_read(uri)
    with readable_errors(f"tracking.uri={uri}: cannot be read"):
        found = client.get_experiment_by_name(name)
    return found.experiment_id if found else None


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
