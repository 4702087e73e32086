"""A store that goes away: training goes on, nothing is lost, and all that was kept arrives exactly once."""

import multiprocessing
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import warm
from conftest import environment, folder_with, free_port, mlflow_server, run_command, run_python, runs_of
from mlflow import MlflowClient
from stores import PostgreSQL, disconnect, execute, rows_of, running_postgresql

import initlab
from initlab.errors import StoreAwayError, TrackingError
from initlab.face import in_process
from initlab.runs.outcome import read_outcomes
from initlab.runs.train import run_each
from initlab.tracking import (
    Data,
    Description,
    Run,
    Series,
    Tracker,
    artifacts,
    bulk,
    delivery,
    link,
    sql,
    store,
)
from initlab.tracking.client import ClientWriter
from initlab.tracking.delivery import deliver_waiting
from initlab.tracking.description import completed
from initlab.tracking.record import Record
from initlab.tracking.spool import keep, waiting
from initlab.tracking.writer import Ending

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
    """Waits in this process are short."""
    monkeypatch.setattr(link, "SECONDS_TO_WAIT", 0.3)
    monkeypatch.setattr(link, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(link, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(store, "SECONDS_FOR_A_LOCK", 0.1)
    monkeypatch.setattr(sql, "PRAGMAS", ("foreign_keys = ON", "busy_timeout = 100"))


# The command, whose waits are short, too: of what is imported here anyway, the values are changed.
IMPATIENT = """
import runpy
from initlab.tracking import link, sql, store
link.SECONDS_TO_WAIT, link.FIRST_PAUSE, store.SECONDS_FOR_A_LOCK = 1, 0.05, 0.5
sql.PRAGMAS = ("foreign_keys = ON", "busy_timeout = 500")
runpy.run_module("src.train", run_name="__main__", alter_sys=True)
"""


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


@pytest.mark.parametrize("lost", [1, 2, 3, 5])  # the start, metrics twice, the ending
def test_a_commit_whose_answer_is_lost_doubles_nothing(folder, monkeypatch, lost):
    began, calls = now() - 1000, iter(range(1, 100))

    @contextmanager
    def transaction(engine, real=bulk.transaction):
        with real(engine) as connection:
            yield connection
        if next(calls) == lost:
            raise ConnectionResetError("the answer is lost")

    uri = f"sqlite:///{folder}/mlruns/mlflow.db"
    tracker = Tracker(uri, "initlab", folder)
    monkeypatch.setattr(bulk, "transaction", transaction)
    track(tracker)
    assert next(calls) > lost
    monkeypatch.undo()
    assert waiting(folder) == []
    assert_as_undisturbed(uri, folder, began)


def in_a_process(function: Callable[[], None]) -> multiprocessing.Process:
    """Starts a function in a process of its own, which has imported all that this one has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads, which write nothing
        process = multiprocessing.get_context("fork").Process(target=function)
        process.start()
    return process


def killed_delivery(uri: str, folder: Path, module: ModuleType, name: str, after: int) -> int | None:
    """Returns the exit code of a process that kills itself at a call of a function in its delivery."""

    def deliver() -> None:
        real, calls = getattr(module, name), iter(range(100))

        def call(*arguments, **named):
            if next(calls) == after:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        setattr(module, name, call)
        deliver_waiting(uri, folder)

    process = in_a_process(deliver)
    process.join()
    return process.exitcode


@pytest.fixture
def kept(folder: Path) -> Iterator[tuple[str, Path]]:
    """The store's address and a folder in whose spool three runs wait for it."""
    store = LockedSQLite(folder / "mlruns" / "mlflow.db")
    store.stop()
    track(Tracker(store.uri, "initlab", folder))
    store.start()
    assert len(waiting(folder)) == 3
    return store.uri, folder


def test_a_delivery_that_is_killed_anywhere_is_completed_by_the_next(kept):
    uri, folder = kept
    began = now() - 60_000
    for module, name, after in [
        (artifacts, "write_whole", 1),  # between two files
        (bulk, "insert_tuples", 1),  # in the transaction
        (bulk, "insert_or_replace", 1),
        (delivery, "remove", 0),  # all is written, and waits still
        (shutil, "rmtree", 0),  # in removing the first
        (delivery, "remove", 1),
    ]:
        assert killed_delivery(uri, folder, module, name, after) == -signal.SIGKILL
    assert len(waiting(folder)) == 1
    assert deliver_waiting(uri, folder).runs == 1
    assert_as_undisturbed(uri, folder, began)


def test_what_was_delivered_but_not_removed_is_no_second_run(kept):
    uri, folder = kept
    began = now() - 60_000
    copy = folder / "copy"
    shutil.copytree(folder / "mlruns" / "spool", copy)
    assert deliver_waiting(uri, folder).runs == 3
    shutil.copytree(copy, folder / "mlruns" / "spool", dirs_exist_ok=True)
    assert deliver_waiting(uri, folder).runs == 3
    assert_as_undisturbed(uri, folder, began)


def test_two_deliveries_at_once_share_the_work(kept):
    uri, folder = kept
    delivered = multiprocessing.get_context("fork").Queue()
    both = [in_a_process(lambda: delivered.put(deliver_waiting(uri, folder).runs)) for _ in range(2)]
    assert delivered.get(timeout=60) + delivered.get(timeout=60) == 3
    for one in both:
        one.join()
    assert_as_undisturbed(uri, folder, now() - 60_000)


def test_a_record_that_is_broken_waits_and_the_others_are_delivered(kept):
    uri, folder = kept
    first, *_ = waiting(folder)
    (first.folder / "series.npz").write_bytes(b"PK no zip")
    done = deliver_waiting(uri, folder)
    assert done.runs == 2
    [problem] = done.problems
    assert problem.startswith(f"{first.folder / 'series.npz'}: is not a record of Initlab's: ")
    (first.folder / "record.json").write_bytes(b"{")
    [problem] = deliver_waiting(uri, folder).problems
    assert problem.startswith(f"{first.folder / 'record.json'}: is not a record of Initlab's: ")
    assert [one.folder for one in waiting(folder)] == [first.folder]


def test_a_project_that_was_moved_delivers_into_the_store_that_moved_with_it(kept, tmp_path):
    _, folder = kept
    moved = tmp_path / "elsewhere"
    shutil.copytree(folder / "mlruns", moved / "mlruns")
    uri = f"sqlite:///{moved}/mlruns/mlflow.db"
    assert deliver_waiting(uri, moved).runs == 3
    assert len(runs_of(MlflowClient(uri))) == 3


def test_no_password_is_kept_with_what_waits(tmp_path):
    uri = "postgresql+psycopg://ada:s3cr%40t@127.0.0.1:9/runs"
    track(Tracker(uri, "initlab", tmp_path))
    spooled = [path for path in (tmp_path / "mlruns").rglob("*") if path.is_file()]
    assert len(spooled) > 3
    assert not any(b"s3cr" in path.read_bytes() for path in spooled)
    assert waiting(tmp_path)[0].store == "postgresql+psycopg://ada:***@127.0.0.1:9/runs"
    problems = deliver_waiting(uri, tmp_path).problems
    assert len(problems) == 1
    assert "Connection refused" in problems[0]


class MLflowServer:
    """MLflow's own server, at one address however often it is started."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.uri = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._running = ExitStack()
        places = "--artifacts-destination", self._folder / "files"
        self._running.enter_context(mlflow_server(self._folder, *places, port=self._port))

    def stop(self) -> None:
        self._running.close()  # kills it


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[MLflowServer]:
    """A server that is not there until the first test starts it."""
    one = MLflowServer(folder_with(migrated_database, tmp_path_factory.mktemp("server")))
    yield one
    one.stop()


def read_back(tracker: Tracker) -> list[tuple]:
    """Returns the runs of a tracker's experiment, all that MLflow's client says of them but for ids and what
    the time is.
    """
    found = tracker.client.search_runs([tracker.experiment_id], order_by=["attributes.run_name"])
    return [_read_back(tracker.client, run) for run in found]


def _read_back(client: MlflowClient, run) -> tuple:
    run_id, data = run.info.run_id, run.data
    histories = {
        key: sorted(
            (m.step, m.value, min(m.timestamp, THEN + 999)) for m in client.get_metric_history(run_id, key)
        )
        for key in data.metrics
    }
    files = {one.path for one in client.list_artifacts(run_id)}
    inputs = [one.to_dictionary() for one in run.inputs.dataset_inputs]
    tags = {key: value for key, value in data.tags.items() if key != "spool"}
    return run.info.run_name, run.info.status, data.params, tags, data.metrics, histories, files, inputs


def test_runs_of_a_server_that_is_started_late_or_killed_are_in_the_end_as_if_it_never_was(server, tmp_path):
    late, killed, undisturbed = (Tracker(server.uri, name, tmp_path) for name in ("late", "killed", "whole"))
    assert [run.waits for run in track(late)] == [True] * 3
    server.start()
    assert deliver_waiting(server.uri, tmp_path).runs == 3
    at = {"training": server.stop, "after": server.start}
    assert [run.waits for run in track(killed, lambda moment: at.get(moment, bool)())] == [True] * 3
    assert deliver_waiting(server.uri, tmp_path).runs == 3
    track(undisturbed)
    assert len(read_back(undisturbed)) == 3
    assert read_back(late) == read_back(killed) == read_back(undisturbed)


def test_a_delivery_to_a_server_that_is_killed_anywhere_makes_no_second_run(server, tmp_path):
    experiment = Tracker(server.uri, "broken-off", tmp_path)
    record = Record(completed(a_stack()[0], tmp_path), now(), files={"a.txt": b"a"})
    record.series += some_series([record.key], range(40))
    record.ending = Ending(record.key, "FINISHED", {"final_cost": 1.0}, time=now())
    keep([record], server.uri, "broken-off", tmp_path)
    for module, name, after in [
        (ClientWriter, "_describe", 0),  # it is made, and its answer known to nobody
        (MlflowClient, "log_artifact", 0),
        (MlflowClient, "log_batch", 1),  # between parameters and metrics
        (MlflowClient, "set_terminated", 0),
        (delivery, "remove", 0),
    ]:
        assert killed_delivery(server.uri, tmp_path, module, name, after) == -signal.SIGKILL
    assert deliver_waiting(server.uri, tmp_path).runs == 1
    [(name, status, _, _, metrics, histories, files, inputs)] = read_back(experiment)
    assert (name, status, metrics["final_cost"], files) == ("he-seed1", "FINISHED", 1.0, {"a.txt"})
    assert [len(histories["cost"]), len(histories["final_cost"]), len(inputs)] == [40, 1, 1]


def deleted_while_running(tracker: Tracker, delete: Callable[[str], None]) -> list[Run]:
    """Tracks three runs, of which somebody deletes the second while they are RUNNING."""
    with tracker.runs(a_stack()) as runs:
        tracker.log(some_series([run.run_id for run in runs], range(0, 40)))
        delete(runs[1].run_id)
        tracker.log(some_series([run.run_id for run in runs], range(40, 61)))
        for run in runs:
            run.finish({"final_cost": 0.5})
    return runs


def gc(uri: str) -> Callable[[str], None]:
    """Returns what does with a run what ``mlflow gc`` does."""
    return lambda run_id: MlflowClient(uri)._tracking_client.store._hard_delete_run(run_id)


@pytest.mark.parametrize("how", ["deleted", "gc"])
def test_a_run_that_is_deleted_while_it_trains_fails_alone(database, folder, how):
    tracker = Tracker(database.uri, "initlab", folder)
    delete = tracker.client.delete_run if how == "deleted" else gc(database.uri)
    runs = deleted_while_running(tracker, delete)
    assert [run.deleted for run in runs] == [False, True, False]
    assert waiting(folder) == []
    kept = runs_of(tracker.client)
    assert {run.info.run_name for run in kept} == {"he-seed1", "he-seed3"}
    assert {run.info.status for run in kept} == {"FINISHED"}
    for run in kept:
        assert len(tracker.client.get_metric_history(run.info.run_id, "cost")) == 61
        assert run.data.metrics["final_cost"] == 0.5


def test_the_job_of_a_deleted_run_says_so_with_its_cost_and_the_others_have_theirs(config, folder, client):
    cfgs = [config(*SHORT, f"seed={seed}") for seed in (1, 2, 3)]

    def delete(uri: str, places: list[int], run_ids: list[str]) -> None:
        client.delete_run(run_ids[1])

    done = dict(run_each(cfgs, folder=folder, started=delete))
    assert re.fullmatch(r"run [0-9a-f]{32}: was deleted meanwhile; it had ended at cost 0\.\d+", str(done[1]))
    others = [done[place].summary.run_id for place in (2, 0)]
    assert others == [run.info.run_id for run in runs_of(client)]


def test_a_server_refuses_a_deleted_run_and_takes_the_others(server, tmp_path):
    tracker = Tracker(server.uri, "deleted", tmp_path)
    runs = deleted_while_running(tracker, tracker.client.delete_run)
    assert [run.deleted for run in runs] == [False, True, False]
    assert [run.info.status for run in runs_of(tracker.client, "deleted")] == ["FINISHED"] * 2


def test_a_sweep_outlives_a_database_that_restarts_and_its_summary_too(postgresql, folder):
    store = StoppedPostgreSQL(postgresql)
    words = ["-m", "seed=range(0,24)", "train.iterations=3000", f"tracking.uri={store.uri}", "plots.frames=0"]
    sweep = warm.Process(["-m", "src.train", *words], folder, environment())
    client = MlflowClient(store.uri)
    deadline = time.monotonic() + 120
    while not runs_of(client):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    store.stop()
    time.sleep(1)
    store.start()
    errors = sweep.communicate(timeout=300)[1]
    assert sweep.returncode == 0, errors
    assert waiting(folder) == []
    assert [run.info.status for run in runs_of(client)] == ["FINISHED"] * 24
    ids = [run.info.run_id for run in runs_of(client)]
    assert all(len(client.get_metric_history(run_id, "cost")) == 3000 for run_id in ids[::8])
    assert len(runs_of(client, "initlab-sweeps")) == 1
    disconnect(store.uri)


def test_without_a_store_a_sweep_trains_and_the_next_command_delivers_it(folder, migrated_database):
    uri = "sqlite:///far/away.db"
    (folder / "far").mkdir()
    shutil.copy(migrated_database, folder / "far" / "away.db")
    store = LockedSQLite(folder / "far" / "away.db")
    store.stop()
    done = run_python("-c", IMPATIENT, "-m", "seed=1,2", *SHORT, f"tracking.uri={uri}", folder=folder)
    store.start()
    assert done.returncode == 0, done.stderr
    assert "he" in done.stdout
    lines = done.stderr.splitlines()
    assert lines == [
        f"tracking.uri={store.uri} is locked by another program; the work goes on.",
        "2 runs wait in mlruns/spool for the store; `python -m src.sync` delivers them.",
    ]
    outcomes = read_outcomes(next((folder / "multirun").iterdir()))
    assert [one.summary.waits for one in outcomes] == [True, True]
    more = run_command("seed=3", *SHORT, f"tracking.uri={uri}", folder=folder)
    assert more.returncode == 0, more.stderr
    assert more.stderr.splitlines() == ["Of 2 runs in mlruns/spool, 2 have been delivered."]
    client = MlflowClient(store.uri)
    assert [run.info.status for run in runs_of(client)] == ["FINISHED"] * 3
    assert {run.data.tags["seed"] for run in runs_of(client)} == {"1", "2", "3"}


def sync(capsys, monkeypatch, *words: str) -> tuple[object, str]:
    """Returns what the command exits with, and what it prints."""
    from initlab.terminal import sync

    monkeypatch.setattr(sys, "argv", ["initlab", *words])
    monkeypatch.setattr(sync, "stop_on_signals", lambda: None)
    try:
        sync.main()
    except SystemExit as ended:
        return ended.code, capsys.readouterr().out
    return None, capsys.readouterr().out


def test_sync_delivers_what_waits_and_says_how_much(kept, capsys, monkeypatch):
    _, folder = kept
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    capsys.readouterr()
    track(Tracker("http://127.0.0.1:9", "initlab", folder))
    code, said = sync(capsys, monkeypatch)
    assert code == "tracking.uri=http://127.0.0.1:9: cannot be opened: Connection refused"
    assert said == (
        "3 of 3 runs delivered to sqlite:///mlruns/mlflow.db.\n0 of 3 runs delivered to http://127.0.0.1:9.\n"
    )
    for word in (folder / "mlruns" / "spool").glob("[!.]*"):
        shutil.rmtree(word)
    assert sync(capsys, monkeypatch) == (None, "Nothing waits in mlruns/spool.\n")
    assert sync(capsys, monkeypatch, "uri=x.db") == (None, "Nothing waits in mlruns/spool for x.db.\n")
    assert sync(capsys, monkeypatch, "url=x")[0] == "url: is not a key of this command. Its key: uri."
    assert sync(capsys, monkeypatch, "uri")[0] == "uri: must be uri=VALUE"
    code, said = sync(capsys, monkeypatch, "--help")
    assert code is None
    assert said.startswith("Delivers the runs that wait in mlruns/spool of the current folder.")


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("gopher://x", "must be a path, sqlite"),
        ("{postgresql}/nothing", 'database "nothing" does not exist'),
        ("{nobody}/template", 'role "nobody" does not exist'),
    ],
)
def test_a_wrong_address_is_an_error_and_nothing_waits(postgresql, tmp_path, uri, words):
    nobody = postgresql.address.replace("initlab@", "nobody@")
    with pytest.raises(TrackingError, match=words) as raised:
        Tracker(uri.format(postgresql=postgresql.address, nobody=nobody), "initlab", tmp_path)
    assert not isinstance(raised.value, StoreAwayError)
    assert not (tmp_path / "mlruns" / "spool").exists()


def test_a_sweep_whose_store_is_back_when_it_ends_is_closed_as_if_it_never_was_away(folder, monkeypatch):
    monkeypatch.chdir(folder)
    store = LockedSQLite(folder / "mlruns" / "mlflow.db")

    def settle(sweep: Path, real=in_process.settle) -> None:
        assert len(waiting(folder)) == 2
        store.start()
        real(sweep)

    monkeypatch.setattr(in_process, "settle", settle)
    store.stop()
    sweep = initlab.sweep("seed=1,2", *SHORT[:2], "hydra.launcher.n_jobs=1")
    assert waiting(folder) == []
    kept = [run.info.run_id for run in runs_of(MlflowClient(store.uri))]
    assert [one.run_id for one in sweep.summaries] == kept[::-1]
    assert sweep.closing.problem is None
    assert sweep.closing.run_id is not None


@contextmanager
def small_disk(place: Path, kilobytes: int) -> Iterator[Callable[[int], None]]:
    """Mounts a disk of that size; what it gives makes it larger."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", place]
    place.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield lambda size: subprocess.run(["mount", "-o", f"remount,size={size}k", place], check=True)
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_database_on_a_full_disk_is_named_in_one_line_and_goes_on_when_there_is_room(
    tmp_path, migrated_database
):
    size = migrated_database.stat().st_size // 1024
    with small_disk(tmp_path / "mlruns", size + 400) as enlarge:
        shutil.copy(migrated_database, tmp_path / "mlruns" / "mlflow.db")
        tracker = Tracker("sqlite:///mlruns/mlflow.db", "initlab", tmp_path)
        with tracker.runs(a_stack()[:1]) as [done]:
            done.finish({"final_cost": 0.5})
        words = r"^metrics cannot be written to sqlite:///mlruns/mlflow\.db: database or disk is full$"
        with pytest.raises(TrackingError, match=words), tracker.runs(a_stack()[1:2]) as [run]:
            run.log({"cost": np.ones(40_000)}, range(40_000))
        kept = tracker.client.get_run(done.run_id)
        assert (kept.info.status, kept.data.metrics) == ("FINISHED", {"final_cost": 0.5})
        enlarge(size + 20_000)
        with tracker.runs(a_stack()[1:2]) as [run]:
            run.log({"cost": np.ones(40_000)}, range(40_000))
        assert len(tracker.client.get_metric_history(run.run_id, "cost")) == 40_000
        assert not waiting(tmp_path)
        tracker.client._tracking_client.store.engine.dispose()


def test_a_spool_on_a_full_disk_is_named_and_holds_nothing_half_written(tmp_path):
    def write_much() -> list[Run]:
        with Tracker("http://127.0.0.1:9", "initlab", tmp_path).runs(a_stack()) as runs:
            there.extend(runs)
            runs[1].write({"weights.npz": bytes(100_000)})
        return runs

    there: list[Run] = []
    with small_disk(tmp_path / "mlruns" / "spool", 40):
        words = r"\.part/files/weights\.npz: cannot be written: No space left on device$"
        with pytest.raises(TrackingError, match=words):
            write_much()
        kept = {path.name for path in (tmp_path / "mlruns" / "spool").glob("[!.]*")}
        assert kept == {there[0].run_id, there[2].run_id}  # as a whole


def test_a_run_that_waits_is_not_ended_for_having_no_process(folder):
    store = LockedSQLite(folder / "mlruns" / "mlflow.db")

    def track_and_die() -> None:
        track(Tracker(store.uri, "initlab", folder), locked)

    def locked(moment: str) -> None:
        if moment == "training":
            store.stop()

    process = in_a_process(track_and_die)
    process.join()
    assert len(waiting(folder)) == 3
    other = Tracker(store.uri, "other", folder)
    statuses = {run.info.run_name: run.info.status for run in runs_of(other.client)}
    assert statuses == dict.fromkeys(["he-seed1", "he-seed2", "he-seed3"], "RUNNING")
    assert deliver_waiting(store.uri, folder).runs == 3
    statuses = {run.info.run_name: run.info.status for run in runs_of(other.client)}
    assert statuses == {"he-seed1": "FINISHED", "he-seed2": "FAILED", "he-seed3": "KILLED"}
