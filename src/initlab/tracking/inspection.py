"""All runs of a store, or of one experiment of it, with what an examination of the store asks of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initlab.errors import TrackingError
from initlab.tracking.address import sqlite_file
from initlab.tracking.claims import supersede
from initlab.tracking.client import in_flight
from initlab.tracking.places import local_folder, place_now
from initlab.tracking.reading import RUNS_A_CALL
from initlab.tracking.stale import Stale, end_these, running_runs, stale_runs
from initlab.tracking.store import open_to_read, readable_errors

if TYPE_CHECKING:
    from mlflow.entities import Run

TRAINING = "train.iterations"  # a parameter that training runs have, and no others


@dataclass(frozen=True)
class TrackedRun:
    """A run: its id, name, status (FINISHED, RUNNING, …), experiment, parameters and tags, when it started
    and ended in ms since 1970, and the URI of the place where its files are.
    """

    run_id: str
    name: str
    status: str
    experiment: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    started: int
    ended: int | None
    place: str

    @property
    def trained(self) -> bool:
        """Whether it is a training run that has finished, and so has all its files."""
        return self.status == "FINISHED" and TRAINING in self.parameters

    def __str__(self) -> str:
        return f"{self.name} ({self.run_id})"


def all_runs(uri: str, experiment: str = "") -> list[TrackedRun]:
    """Returns the runs of the store at uri (absolute), or of its experiment of that name, the oldest first;
    deleted ones left out.

    Raises TrackingError, in one line, where there is no such store or experiment.
    """
    client = open_to_read(uri)
    with readable_errors(f"tracking.uri={uri}: cannot be read"):
        names = {one.experiment_id: one.name for one in _pages(client.search_experiments)}
        if experiment:
            names = {id_: name for id_, name in names.items() if name == experiment}
            if not names:
                raise TrackingError(f"experiment={experiment}: there is none of that name in {uri}")
        if not names:
            return []
        found: Iterator[Run] = _pages(client.search_runs, list(names), order_by=["attributes.start_time"])
        database = sqlite_file(uri)
        return [_tracked(run, names[run.info.experiment_id], database) for run in found]


def _pages(search: Any, *given: Sequence[str], **options: Any) -> "Iterator[Any]":
    token = None
    while True:
        page = search(*given, max_results=RUNS_A_CALL, page_token=token, **options)
        yield from page
        token = page.token
        if not token:
            return


def _tracked(run: "Run", experiment: str, database: Path | None) -> TrackedRun:
    info, data = run.info, run.data
    place = place_now(info.artifact_uri, database)
    return TrackedRun(
        info.run_id, info.run_name, info.status, experiment, data.params, data.tags,
        info.start_time, info.end_time, place,
    )  # fmt: skip


def stale_in(uri: str) -> list[Stale]:
    """Returns the runs of the store at uri (absolute) that are RUNNING though their process is gone."""
    with readable_errors(f"tracking.uri={uri}: cannot be read"):
        return stale_runs(open_to_read(uri))


def alive_in(uri: str) -> int:
    """Returns how many runs of the store at uri (absolute) are trained just now, for all that is known."""
    client = open_to_read(uri)
    with readable_errors(f"tracking.uri={uri}: cannot be read"):
        return len(list(running_runs(client))) - len(stale_runs(client))


def end_stale_in(uri: str, stale: Sequence[Stale]) -> None:
    """Ends stale runs of the store at uri (absolute) as FAILED, with the reason as their tag."""
    with readable_errors(f"tracking.uri={uri}: runs cannot be ended"):
        end_these(open_to_read(uri), stale)


def files_of(uri: str, runs: Sequence[TrackedRun]) -> list[set[str]]:
    """Returns, for each run of the store at uri (absolute), the names of the files at the top of its place;
    none where that is not there.
    """

    def listed(run: TrackedRun) -> set[str]:
        if (folder := local_folder(run.place)) is not None:
            return {path.name for path in folder.glob("*")}
        return {file.path for file in open_to_read(uri).list_artifacts(run.run_id)}

    with readable_errors(f"tracking.uri={uri}: the files of its runs cannot be listed"):
        return in_flight(listed, runs)


def take_out(uri: str, runs: Sequence[TrackedRun]) -> None:
    """Takes runs of the store at uri (absolute) out of their sweeps."""
    with readable_errors(f"tracking.uri={uri}: tags cannot be written"):
        supersede(open_to_read(uri), [run.run_id for run in runs])
