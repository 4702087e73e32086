"""Delivering records to a store that answers again: each run exactly once, whatever was delivered before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from initlab.errors import StoreAwayError, TrackingError
from initlab.tracking.artifacts import write_files
from initlab.tracking.opening import Store, opened
from initlab.tracking.record import Record
from initlab.tracking.spool import Waiting, delivering, load, remove, shown, waiting
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
            except StoreAwayError as error:
                problems[str(error)] = None
                break
            except TrackingError as error:
                problems[str(error)] = None
            else:
                delivered += 1
    return Delivered(delivered, list(problems))


def waiting_for(uri: str, folder: Path) -> list[Waiting]:
    """Returns what waits in the spool of a folder for the store at uri (absolute)."""
    return [one for one in waiting(folder) if one.store == shown(uri, folder)]


def deliver_first(uri: str, folder: Path, say: Callable[[str], None]) -> None:
    """Delivers what waits for a store before a command goes on with it, and says so; it never fails."""
    try:
        if not waiting_for(uri, folder):
            return
        done = deliver_waiting(uri, folder)
    except TrackingError as error:
        say(f"What waits in mlruns/spool was not delivered: {error}")
        return
    if done.runs:
        say(f"{counted(done.runs)} that waited in mlruns/spool {_have(done.runs)} been delivered.")
    for problem in done.problems:
        say(f"A run in mlruns/spool waits on: {problem}")


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
