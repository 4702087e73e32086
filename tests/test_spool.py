"""A store that goes away: training goes on, nothing is lost, and all that was kept arrives exactly once."""

import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from conftest import runs_of
from mlflow import MlflowClient
from stores import PostgreSQL, disconnect, execute, rows_of, running_postgresql

from initlab.tracking import Data, Description, Run, Series, Tracker, link, sql, store
from initlab.tracking.delivery import deliver_waiting
from initlab.tracking.spool import shown, waiting

SHORT = ("train.iterations=20", "plots.frames=0", "report.keep=false")
DATA = Data("circles", "drawn here", np.eye(31), np.ones((31, 1)))
MOMENTS = ("before", "started", "training", "files", "ending", "after")
LOST = {
    "sqlite": "is locked by another program; the work goes on.",
    "postgresql": "does not answer; the work goes on.",
}
THEN = 1_700_000_000_000


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits in this process are short; those of the commands are as they are."""
    monkeypatch.setattr(link, "SECONDS_TO_WAIT", 0.3)
    monkeypatch.setattr(link, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(link, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(store, "SECONDS_FOR_A_LOCK", 0.1)
    monkeypatch.setattr(sql, "PRAGMAS", ("foreign_keys = ON", "busy_timeout = 100"))


class LockedSQLite:
    """A database that another program locks."""

    dialect = "sqlite"

    def __init__(self, database: Path) -> None:
        self.uri = f"sqlite:///{database}"
        self._database = database

    def stop(self) -> None:
        self._other = sqlite3.connect(self._database, check_same_thread=False)
        self._other.execute("BEGIN EXCLUSIVE")

    def start(self) -> None:
        self._other.close()


class StoppedPostgreSQL:
    """A database whose server is stopped."""

    dialect = "postgresql"

    def __init__(self, server: PostgreSQL) -> None:
        self.server, self._name = server, f"d{uuid.uuid4().hex}"
        execute(f"{server.address}/postgres", f"CREATE DATABASE {self._name} TEMPLATE template")
        self.uri = f"{server.address}/{self._name}"

    def stop(self) -> None:
        self.server.stop("immediate")

    def start(self) -> None:
        self.server.start()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with running_postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, folder: Path) -> Iterator[LockedSQLite | StoppedPostgreSQL]:
    if request.param == "sqlite":
        yield LockedSQLite(folder / "mlruns" / "mlflow.db")
        return
    one = StoppedPostgreSQL(request.getfixturevalue("postgresql"))
    yield one
    disconnect(one.uri)


def a_stack() -> list[Description]:
    return [
        Description(f"he-seed{n}", {"Größe": "µ\t\\N", "n": str(n)}, {"seed": str(n)}, data)
        for n, data in enumerate([DATA, DATA, None], start=1)
    ]


def some_series(run_ids: list[str], steps: range) -> list[Series]:
    rng, step = np.random.RandomState(steps.start), np.array(steps)
    return [
        Series(run_id, key, rng.standard_normal(len(steps)), step, THEN + step // 2)
        for run_id in run_ids
        for key in ("cost", "grad_norm/layer1")
    ]


def track(tracker: Tracker, at: Callable[[str], None] = lambda moment: None) -> list[Run]:
    """Tracks three runs that end FINISHED, FAILED and KILLED, and says at which moment it is."""
    with suppress(KeyboardInterrupt), tracker.runs(a_stack()) as runs:
        at("started")
        tracker.log(some_series([run.run_id for run in runs], range(0, 40)))
        at("training")
        tracker.log(some_series([run.run_id for run in runs], range(40, 61)))
        at("files")
        for run in runs:
            run.write({"weights.npz": b"of " + run.record.description.name.encode(), "images/a.png": b"a"})
        tracker.log(some_series([run.run_id for run in runs], range(30, 37)))  # late
        runs[0].finish({"final_cost": 0.25}, {"note": "**ü**", "seed": "changed"})
        runs[1].fail({"final_cost": 0.5})
        at("ending")
        raise KeyboardInterrupt
    at("after")
    return runs


def artifacts_of(client: MlflowClient, experiment: str) -> dict[str, dict[str, bytes]]:
    found = {}
    for run in runs_of(client, experiment):
        place = Path(run.info.artifact_uri.removeprefix("file://"))
        files = {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*") if p.is_file()}
        found[run.info.run_name] = files
    return found


def assert_as_undisturbed(uri: str, folder: Path, began: int) -> None:
    """Fails unless the experiment 'initlab' holds what one does whose store never went away."""
    undisturbed = Tracker(uri, "undisturbed", folder)
    track(undisturbed)
    disturbed = Tracker(uri, "initlab", folder)
    client = disturbed.client
    ours, theirs = (rows_of(client, one.experiment_id, began) for one in (disturbed, undisturbed))
    for table, rows in ours.items():
        assert rows == theirs[table], table
    assert artifacts_of(client, "initlab") == artifacts_of(client, "undisturbed")
    assert [len(ours["runs"]), len(ours["metrics"])] == [3, 3 * 2 * (40 + 21 + 7) + 2]


def now() -> int:
    return time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    ("gone", "back", "kept"),
    [
        ("before", "after", 3),
        ("before", "files", 0),
        ("started", "after", 3),
        ("training", "files", 0),
        ("files", "ending", 0),
        ("ending", "after", 3),
    ],
)
def test_whenever_a_database_is_away_its_rows_are_in_the_end_as_if_it_never_was(
    database, folder, capsys, gone, back, kept
):
    began = now() - 1000

    def at(moment: str) -> None:
        if moment == gone:
            database.stop()
        if moment == back:
            database.start()
            time.sleep(0.03)  # until it is asked again

    at("before")
    runs = track(Tracker(database.uri, "initlab", folder), at)
    assert [run.waits for run in runs] == [kept > 0] * 3
    assert len(waiting(folder)) == kept
    done = deliver_waiting(database.uri, folder)
    assert not done.problems, done.problems
    assert done.runs == kept
    assert waiting(folder) == []
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(" ")[2] for line in said] == [LOST[database.dialect], "answers again."][
        : len(said)
    ]
    assert_as_undisturbed(database.uri, folder, began)
