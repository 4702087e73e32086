"""Delivering records to a store that answers again: each run exactly once, whatever was delivered before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from initlab.errors import StoreAwayError, TrackingError
from initlab.tracking.address import absolute_uri
from initlab.tracking.artifacts import write_files
from initlab.tracking.link import to_stderr
from initlab.tracking.opening import Store, opened
from initlab.tracking.record import Record
from initlab.tracking.spool import Waiting, delivering, load, remove, shown, spool_of, waiting
from initlab.tracking.store import readable_errors


@dataclass(frozen=True)
class Delivered:
    """How many runs were delivered to a store, and of those that still wait the reasons."""

    runs: int
    problems: Sequence[str]


def deliver(store: Store, records: Sequence[Record]) -> list[str]:
    """Brings runs with their files into a store as they are recorded, and returns the places of their files.

    Done again after it was done, or half done, it leaves the same. The errors are those of the store.
    """
    places = store.writer.locate(store.experiment_id, records)
    for record, (run_id, place) in zip(records, places, strict=True):
        record.run_id = run_id
        write_files(store.client, run_id, place, record.files)
    store.writer.deliver(store.experiment_id, records)
    return [place for _, place in places]


def deliver_waiting(uri: str, folder: Path) -> Delivered:
    """Delivers what waits in the spool of a folder for the store at uri (absolute).

    A run whose delivery fails by itself waits on, and so do all when the store does not answer.
    """
    delivered, problems = 0, dict[str, None]()
    with delivering(folder):
        for one in waiting_for(uri, folder):
            try:
                _deliver(one, uri, folder)
                delivered += 1
            except TrackingError as error:
                problems[str(error)] = None
                if isinstance(error, StoreAwayError):
                    break
    return Delivered(delivered, list(problems))


def waiting_for(uri: str, folder: Path) -> list[Waiting]:
    """Returns what waits in the spool of a folder for the store at uri (absolute), for all that is known."""
    return [one for one in waiting(folder) if one.store in (None, shown(uri, folder))]


def deliver_first(uri: str | None, folder: Path) -> None:
    """Delivers what waits for the store that a command in a folder is about to use, and says so; it never
    fails. None stands for no store.
    """
    if uri is None or not spool_of(folder).is_dir():
        return
    uri = absolute_uri(uri, folder)
    try:
        there = len(waiting_for(uri, folder))
        done = deliver_waiting(uri, folder) if there else Delivered(0, ())
    except TrackingError as error:
        there, done = 0, Delivered(0, [str(error)])
    if there:
        to_stderr(f"Of {counted(there)} in mlruns/spool, {done.runs:,} {_have(done.runs)} been delivered.")
    for problem in done.problems:
        to_stderr(problem)


def counted(runs: int) -> str:
    """Returns a number of runs in words."""
    return "1 run" if runs == 1 else f"{runs:,} runs"


def _have(runs: int) -> str:
    return "has" if runs == 1 else "have"


def _deliver(one: Waiting, uri: str, folder: Path) -> None:
    record = load(one.folder)
    store = opened(uri, one.experiment, folder)
    with readable_errors(f"run {record.description.name} ({record.key}): cannot be delivered"):
        deliver(store, [record])
        remove(one.folder)
