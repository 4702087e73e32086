"""The doctor: real stores, really damaged, examined by the real command, mended and examined again."""

import os
import shutil
import signal
import sqlite3
import sys
import uuid
from collections.abc import Callable
from contextlib import chdir, closing, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from conftest import folder_with, mlflow_server
from hydra import compose, initialize_config_module
from mlflow import MlflowClient
from terminals import shown_in_terminal
from test_entry import SCRIPT, typed
from test_tracking_bulk import disconnect, execute, postgresql  # noqa: F401

from initlab.doctor.examination import CHECKS
from initlab.doctor.expected import Curve, thinned
from initlab.runs.logged import logged_steps
from initlab.runs.train import run
from initlab.signals import stopping_on_signals
from initlab.terminal import doctor
from initlab.tracking import backup
from initlab.tracking.process import Process, this_process

WIDTH = 80
WORDS = ("train.iterations=2000", "plots.frames=2", "diagnostics.rare=[]")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Path:
    """A folder with the store of two sweeps of four and of two jobs."""
    folder = folder_with(migrated_database, tmp_path_factory.mktemp("doctor"))
    trained("first", ["init=he", "init=random", "init=he seed=4", "init=random seed=4"], folder)
    trained("second", ["init=he", "init=random"], folder)
    return folder


def trained(sweep: str, jobs: list[str], folder: Path, *words: str) -> None:
    with initialize_config_module("initlab.conf", version_base="1.3"):
        configs = [compose("config", overrides=[*WORDS, *words, *job.split()]) for job in jobs]
    tags = [{"sweep": sweep, "sweep_job": str(number)} for number in range(len(jobs))]
    run(configs, tags=tags, folder=folder)


@pytest.fixture
def copied(swept: Path, tmp_path: Path) -> Path:
    """A folder with a copy of that store, as a user copies it."""
    shutil.copytree(swept / "mlruns", tmp_path / "lab" / "mlruns")
    return tmp_path / "lab"


@pytest.fixture
def store(swept: Path, copied: Path) -> Path:
    """A folder with a copy of that store, whose runs have their files in the copy."""
    old, new = ((one / "mlruns").as_uri() for one in (swept, copied))
    sql(copied, f"UPDATE runs SET artifact_uri = replace(artifact_uri, '{old}', '{new}')")
    sql(copied, f"UPDATE experiments SET artifact_location = replace(artifact_location, '{old}', '{new}')")
    return copied


def database(folder: Path) -> Path:
    return folder / "mlruns" / "mlflow.db"


def sql(folder: Path, statement: str, path: Path | None = None) -> list[tuple]:
    with closing(sqlite3.connect(path or database(folder))) as connection, connection:
        return connection.execute(statement).fetchall()


def told(folder: Path, *words: str) -> tuple[int, str]:
    """Returns the exit code of `initlab doctor` in a folder, run in this process, and what it says."""
    said = StringIO()
    with chdir(folder), redirect_stdout(said), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["initlab doctor", *words])
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with pytest.raises(SystemExit) as exit_:
            doctor.main()
    code = exit_.value.code
    return (1, str(code)) if isinstance(code, str) else (code, said.getvalue())


def examined(folder: Path, *words: str) -> tuple[int, dict[str, list[tuple[str, str]]], list[str]]:
    """Returns the exit code, what was found and is or would be done by check, and the lines around that."""
    exit_code, said = told(folder, *words)
    before, _, after = said.partition("check ")
    _, *lines = after.splitlines()
    found: dict[str, list[tuple[str, str]]] = {}
    names = {check.name for check in CHECKS}
    while (
        lines
        and (cells := [cell.strip() for cell in (lines[0] or "-").split("  ") if cell.strip()])[0] in names
    ):
        name, what, *done = cells
        found.setdefault(name, []).append((what, "".join(done)))
        lines.pop(0)
    return exit_code, found, [*before.splitlines(), *lines]


def wrong(found: dict[str, list[tuple[str, str]]]) -> dict[str, list[tuple[str, str]]]:
    return {name: cells for name, cells in found.items() if cells != [("well", "")]}


def finished(folder: Path) -> list[str]:
    """Returns the ids of the training runs, the oldest first."""
    order = "SELECT r.run_uuid FROM runs r JOIN params p USING (run_uuid) WHERE p.key = 'train.iterations'"
    return [run_id for (run_id,) in sql(folder, f"{order} ORDER BY start_time")]


def rows(folder: Path, path: Path | None = None) -> list[list[tuple]]:
    """Returns all that the doctor may change in a database."""
    tables = ("runs", "tags", "params", "metrics", "latest_metrics")
    return [sorted(sql(folder, f"SELECT * FROM {table}", path)) for table in tables]


def untimed(tables: list[list[tuple]]) -> list[list[tuple]]:
    """Returns the rows of metrics and of the latest ones without their times, which are known about."""
    return [sorted((*row[:2], *row[3:]) for row in table) for table in tables[3:]]


def file(folder: Path, run_id: str, name: str) -> Path:
    return folder / "mlruns" / "artifacts" / run_id[-2:] / run_id / "artifacts" / name


def test_a_store_as_sweeps_leave_it_is_well_and_nothing_is_changed(store):
    before, files = rows(store), sorted(store.rglob("*"))
    code, found, after = examined(store)
    assert code == 0
    assert wrong(found) == {}
    assert list(found) == [
        "database", "schema", "rows", "statuses", "doubles", "places", "files",
        "histories", "latest values", "spool", "checkpoints",
    ]  # fmt: skip
    assert any(line.startswith("Experiments: initlab (6 runs)") for line in after)
    assert examined(store, "fix=true")[:2] == (0, found)
    assert rows(store) == before
    assert sorted(path for path in store.rglob("*") if path.suffix != ".lock") == [
        path for path in files if path.suffix != ".lock"
    ]


def test_series_that_are_damaged_are_written_anew_from_the_exact_histories(store):
    first, second, third, *_ = finished(store)
    whole = rows(store)
    sql(store, f"DELETE FROM metrics WHERE run_uuid = '{first}' AND key = 'cost' AND step BETWEEN 7 AND 11")
    sql(store, f"DELETE FROM metrics WHERE run_uuid = '{first}' AND key = 'grad_norm/layer1'")
    sql(
        store,
        f"UPDATE metrics SET value = value + 1e-9 WHERE run_uuid = '{second}' AND key = 'cost' AND step = 3",
    )
    doubled = f"run_uuid = '{third}' AND key = 'cost' AND step > 1996"
    sql(
        store,
        "INSERT INTO metrics SELECT key, value, timestamp + 1, run_uuid, step, is_nan "
        f"FROM metrics WHERE {doubled}",
    )
    code, found, after = examined(store)
    assert code == 1
    words = "rows of 3 runs are not those of history.npz: 205 missing, 3 twice, 1 of another value"
    assert wrong(found)["histories"] == [(words, "writes the series anew from history.npz")]
    assert [line for line in after if first in line]
    code, found, _ = examined(store, "fix=true")
    assert code == 0
    assert found["histories"] == [(words, "wrote the series of 3 runs anew")]
    assert untimed(rows(store)) == untimed(whole)
    assert examined(store)[:2] == (0, {name: [("well", "")] for name in found})


def test_a_backup_is_made_before_and_brings_all_back(store):
    first, *_ = finished(store)
    sql(store, f"DELETE FROM metrics WHERE run_uuid = '{first}' AND key = 'cost'")
    before = rows(store)
    assert not list(store.glob("mlruns/*.backup-*"))
    examined(store)
    assert not list(store.glob("mlruns/*.backup-*"))
    _, _, said = examined(store, "fix=true")
    [copy] = store.glob("mlruns/*.backup-*")
    assert said[0] == f"A backup is in {copy}."
    assert rows(store) != before
    assert rows(store, copy) == before
    copy.rename(database(store))
    assert rows(store) == before


def test_latest_values_follow_the_rows_and_rows_that_are_lost_come_back_from_them(store):
    first, second, *_ = finished(store)
    whole = rows(store)
    sql(store, f"UPDATE latest_metrics SET value = 7 WHERE run_uuid = '{first}' AND key = 'final_cost'")
    sql(store, f"DELETE FROM latest_metrics WHERE run_uuid = '{second}' AND key = 'cost'")
    sql(store, f"DELETE FROM metrics WHERE run_uuid = '{second}' AND key = 'seconds'")
    code, found, _ = examined(store)
    assert code == 1
    assert wrong(found) == {
        "latest values": [("3 latest values are not that of the last row", "takes it from the last row")]
    }
    assert examined(store, "fix=true")[0] == 0
    assert rows(store) == whole


def test_files_that_are_gone_or_broken_are_named(store):
    first, second, third, fourth, *_ = finished(store)
    file(store, first, "weights.npz").unlink()
    history = file(store, second, "history.npz")
    history.write_bytes(history.read_bytes()[:1000])
    file(store, third, "config.yaml").write_bytes(b"\xff\xfe: [")
    np.savez(file(store, fourth, "weights.npz"), W1=np.array([{"a": 1}], dtype=object))
    np.savez(file(store, fourth, "history.npz"), other=np.arange(3))
    code, found, after = examined(store, "fix=true")
    assert code == 1
    said = [what for cells in wrong(found).values() for what, _ in cells]
    assert said == [
        "weights.npz is missing in 1 run",
        "config.yaml cannot be read in 1 run",
        "history.npz cannot be read in 2 runs",
        "weights.npz cannot be read in 1 run",
    ]
    assert {run_id for run_id in finished(store) if any(run_id in line for line in after)} == {
        first, second, third, fourth,
    }  # fmt: skip
    assert not list(store.glob("mlruns/*.backup-*"))


@pytest.mark.parametrize("moved", [False, True], ids=["copied", "moved"])
def test_a_project_that_was_copied_or_moved_has_its_files_where_it_is(copied, swept, moved):
    places = (
        "SELECT artifact_uri FROM runs UNION SELECT artifact_location FROM experiments WHERE name = 'initlab'"
    )
    if moved:
        sql(copied, "UPDATE runs SET artifact_uri = replace(artifact_uri, '/mlruns/', '/gone/mlruns/')")
    code, found, _ = examined(copied)
    assert code == 1
    words = "the files of 6 runs are beside the database, which names another place"
    assert wrong(found) == {"places": [(words, "names the place beside it")]}
    assert examined(copied, "fix=true")[1]["places"] == [(words, "named the places of 6 runs")]
    assert all(
        place.startswith((copied / "mlruns" / "artifacts").as_uri()) for (place,) in sql(copied, places)
    )
    shutil.rmtree(copied / "mlruns" / "artifacts")
    assert examined(copied)[1]["files"][0][0] == "config.yaml is missing in 6 runs"
    assert examined(swept)[0] == 0


def tagged(folder: Path, run_id: str, **tags: str) -> None:
    client = MlflowClient(f"sqlite:///{database(folder)}")
    for key, value in tags.items():
        client.set_tag(run_id, key, value)


def test_of_two_runs_that_did_one_job_the_first_stays_in_the_sweep(store):
    first, second, third, *_ = finished(store)
    for run_id in (first, second, third):
        tagged(store, run_id, identity="ab" * 16, sweep_job="0")
    sql(store, f"UPDATE runs SET end_time = end_time - 100000 WHERE run_uuid = '{second}'")
    code, found, after = examined(store)
    assert code == 1
    assert found["doubles"][0][0] == "2 runs did a job of a sweep that had been done"
    assert any(first in line for line in after)
    assert not any(second in line for line in after)
    assert examined(store, "fix=true")[0] == 0
    client = MlflowClient(f"sqlite:///{database(store)}")
    tags = [client.get_run(run_id).data.tags for run_id in (first, second, third)]
    assert ["sweep" in one for one in tags] == [False, True, False]
    assert tags[0]["superseded"] == tags[1]["sweep"]
    assert examined(store)[0] == 0


def test_rows_of_no_run_are_removed_and_tables_of_others_are_left_alone(store):
    whole = rows(store)
    sql(store, "INSERT INTO tags VALUES ('a', 'b', 'no such run')")
    sql(store, "CREATE TABLE mine (a)")
    code, found, _ = examined(store)
    assert code == 1
    assert found["rows"] == [
        ("1 row of tags belongs to nothing", "removes what belongs to no run"),
        ("tables that are not MLflow's: mine", "leaves them alone"),
    ]
    assert examined(store, "fix=true")[0] == 0
    assert rows(store) == whole
    assert sql(store, "SELECT * FROM mine") == []


def test_what_waits_in_the_spool_is_counted_and_old_checkpoints_are_removed(store):
    (store / "mlruns" / "spool" / "abc").mkdir(parents=True)
    (store / "mlruns" / "spool" / "abc" / "record.json").write_text("{}")
    (store / "mlruns" / "checkpoints").mkdir()
    old, new = (store / "mlruns" / "checkpoints" / f"{letters * 16}.npz" for letters in ("ab", "cd"))
    old.write_bytes(b"")
    new.write_bytes(b"")
    tagged(store, finished(store)[0], identity="ab" * 16)
    code, found, _ = examined(store, "fix=true")
    assert code == 1
    assert found["spool"] == [("records of 1 run wait in mlruns/spool", "nothing: run initlab sync")]
    assert [what for what, _ in found["checkpoints"]] == [
        "1 checkpoint of jobs that are done", "1 checkpoint of jobs that are not done",
    ]  # fmt: skip
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.write_bytes(b"x" * 4096), "cannot be read: file is not a database"),
        (lambda path: path.unlink(), "there is no such database; the first run makes it"),
        (lambda path: path.write_bytes(b""), "is a database, but not one of MLflow's"),
    ],
)
def test_what_is_no_database_of_mlflows_is_said_in_one_line(store, damage: Callable[[Path], object], says):
    damage(database(store))
    left = database(store).exists() and database(store).read_bytes()
    assert told(store, "fix=true") == (1, f"tracking.uri=sqlite:///{database(store)}: {says}")
    assert (database(store).exists() and database(store).read_bytes()) == left


def test_a_database_with_a_broken_page_is_not_touched(store):
    [(page, size)] = sql(store, "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master"
                                " WHERE name = 'index_metrics_run_uuid'")  # fmt: skip
    with database(store).open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\x07" * size)
    left = database(store).read_bytes()
    code, found, _ = examined(store, "fix=true")
    assert code == 1
    assert found["database"][0][1].startswith("nothing: bring a backup back")
    assert {cells[0][0] for name, cells in found.items() if name != "database"} == {"not checked"}
    assert database(store).read_bytes() == left


@pytest.mark.parametrize(("version", "says"), [("4465047574b1", "an older"), ("ffffffffffff", "a newer")])
def test_tables_of_another_mlflow_are_not_touched(store, version, says):
    sql(store, f"UPDATE alembic_version SET version_num = '{version}'")
    code, found, _ = examined(store, "fix=true")
    assert code == 1
    assert found["schema"][0][0].startswith(f"tables of {says} MLflow ({version}) than MLflow 3.")
    assert found["histories"] == [("not checked", "")]


def steps_of(folder: Path, run_id: str, key: str) -> list[int]:
    where = f"run_uuid = '{run_id}' AND key = '{key}'"
    return [step for (step,) in sql(folder, f"SELECT step FROM metrics WHERE {where} ORDER BY step")]


def test_what_is_thinned_is_left_as_if_it_had_been_logged_so():
    every = np.arange(15_000)
    curve = Curve(every, every * 0.5)
    left = thinned(curve)
    assert left.steps.tolist() == logged_steps(15_000).tolist()
    assert (left.values == left.steps * 0.5).all()
    assert left.steps[:101].tolist() == list(range(101))
    assert left.steps[-1] == 14_999
    assert 700 < len(left.steps) < 1200
    measured = thinned(curve.at(every % 10 == 0)).steps
    assert not measured.size % 1 and set(measured % 10) == {0}  # noqa: PT018
    assert measured[:30].tolist() == list(range(0, 300, 10))
    assert measured[-1] == 14_990
    assert thinned(Curve(every[:0], every[:0] * 0.5)).steps.size == 0


def test_series_are_thinned_on_request_and_nothing_is_lost(store):
    ids = finished(store)
    damaged, lost, *others = ids
    sql(store, f"UPDATE metrics SET value = 9 WHERE run_uuid = '{damaged}' AND key = 'cost' AND step = 200")
    file(store, lost, "history.npz").unlink()
    summaries = [sql(store, f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("latest_metrics", "params")]
    before = {run_id: steps_of(store, run_id, "cost") for run_id in ids}
    size = database(store).stat().st_size
    code, _, said = examined(store, "thin=log")
    assert code == 1  # as the damage stays
    assert "2 runs are left alone: history.npz does not agree or is not there." in said
    [copy] = store.glob("mlruns/*.backup-*")
    assert f"A backup is in {copy}." in said
    for run_id in ids:
        expected = range(2000) if run_id in (damaged, lost) else logged_steps(2000)
        assert steps_of(store, run_id, "cost") == list(expected)
    assert len(before[others[0]]) == 2000
    assert [
        sql(store, f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("latest_metrics", "params")
    ] == summaries
    assert database(store).stat().st_size < size
    _, found, _ = examined(store)
    assert found["histories"][0][0] == "rows of 1 run are not those of history.npz: 1 of another value"
    again = examined(store, "thin=log")[2]
    assert "thin=log: removed 0 rows of 0 runs." in again
    assert not any(line.startswith("A backup is in") for line in again)


def test_series_are_written_anew_as_they_were_thinned(store):
    assert examined(store, "thin=log")[0] == 0
    whole = rows(store)
    sql(store, "DELETE FROM metrics WHERE key = 'cost' AND step > 300")
    assert examined(store, "fix=true")[0] == 0
    for run_id in finished(store):
        assert steps_of(store, run_id, "cost") == logged_steps(2000).tolist()
    assert untimed(rows(store)) == untimed(whole)


def test_pictures_of_all_but_the_newest_sweeps_go(store):
    pictures = {run_id: list(file(store, run_id, "images").glob("*")) for run_id in finished(store)}
    assert {len(paths) for paths in pictures.values()} == {4}
    _, _, said = examined(store, "keep=1")
    assert any(line.startswith("thin=pictures keep=1 would remove 16 pictures, ") for line in said)
    code, _, said = examined(store, "thin=pictures", "keep=1")
    assert code == 0
    assert said[-1].startswith("thin=pictures: removed 16 pictures, ")
    left = [sum(path.exists() for path in paths) for paths in pictures.values()]
    assert left == [0, 0, 0, 0, 4, 4]
    assert all(file(store, run_id, "boundary.png").exists() for run_id in pictures)


def running(folder: Path, process: Process) -> str:
    client = MlflowClient(f"sqlite:///{database(folder)}")
    experiment = client.get_experiment_by_name("initlab").experiment_id
    return client.create_run(experiment, tags={"process": process.tag}).info.run_id


def test_runs_of_processes_that_are_gone_are_ended_and_runs_that_live_are_let_be(store):
    here = this_process()
    dead, alive = running(store, here._replace(started=1.0)), running(store, here)
    code, found, said = examined(store)
    assert code == 1
    assert found["statuses"] == [("1 run RUNNING without a process", "ends them FAILED")]
    assert any(dead in line for line in said)
    assert not any(alive in line for line in said)
    assert examined(store, "fix=true")[0] == 0
    client = MlflowClient(f"sqlite:///{database(store)}")
    assert [client.get_run(run_id).info.status for run_id in (dead, alive)] == ["FAILED", "RUNNING"]
    before = rows(store)
    for rule in ("log", "pictures"):
        words = f"thin={rule}: 1 run is being trained; wait until the store is at rest"
        assert told(store, f"thin={rule}", "keep=0") == (1, words)
    assert rows(store) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fixx=true"], "fixx: is not a key of this command. Did you mean fix?"),
        (["fix"], "fix: must be fix=VALUE"),
        (["fix=yes"], "fix=yes: must be one of true, false"),
        (["thin=all"], "thin=all: must be one of log, pictures"),
        (["keep=-1"], "keep=-1: must be a whole number of at least 0"),
        (["experiment=no"], "experiment=no: there is none of that name in sqlite:///{}"),
    ],
)
def test_words_that_mean_nothing_here_are_refused(store, words, says):
    assert told(store, *words) == (1, says.format(database(store)))


def test_one_experiment_can_be_examined_alone(store):
    client = MlflowClient(f"sqlite:///{database(store)}")
    client.create_run(
        client.create_experiment("others"), tags={"process": this_process()._replace(started=1.0).tag}
    )
    assert examined(store, "experiment=initlab")[0] == 0
    assert examined(store, "experiment=others")[0] == 1


def test_a_command_that_is_stopped_leaves_no_half_of_a_backup(store, monkeypatch):
    left = store / "mlruns" / "mlflow.db.backup-2026-01-01_00-00-00.part"
    left.write_bytes(b"half")
    sql(store, f"DELETE FROM metrics WHERE run_uuid = '{finished(store)[0]}' AND key = 'cost'")
    before = rows(store)
    monkeypatch.setattr(backup, "closing", stopping_first(closing))
    with stopping_on_signals():
        code, _ = told(store, "fix=true")
    assert code == 128 + signal.SIGTERM
    assert not list(store.glob("mlruns/*.backup-*"))
    assert rows(store) == before


def stopping_first(function: Callable) -> Callable:
    """As if a signal came when the function is called."""

    def stopped(*given: object) -> object:
        os.kill(os.getpid(), signal.SIGTERM)
        return function(*given)

    return stopped


def test_the_command_fits_a_terminal_of_80_columns(store):
    sql(store, f"DELETE FROM metrics WHERE run_uuid = '{finished(store)[0]}' AND key = 'cost' AND step > 7")
    shown = shown_in_terminal([SCRIPT, "doctor", "fix=true"], WIDTH, store)
    lines = [line.rpartition("\r")[2] for line in shown.splitlines()]
    assert [line for line in lines if len(line) > WIDTH and not line.startswith("A backup is in ")] == []
    assert any("histories" in line and "wrote the series of 1 run" in line for line in lines)
    shown = typed("doctor", "--help", folder=store).stdout
    assert shown.startswith("Says what is wrong in a tracking store, and mends it.")
    assert max(map(len, shown.splitlines())) <= WIDTH
    done = typed("doctor", "uri=no.db", folder=store)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_server_is_asked_what_it_can_be_asked(store):
    first, second, *_ = finished(store)
    for run_id in (first, second):
        tagged(store, run_id, identity="ab" * 16, sweep_job="0")
    file(store, first, "weights.npz").unlink()
    with mlflow_server(store) as address:
        code, found, _ = examined(store, f"uri={address}", "fix=true")
        assert code == 1
        assert [name for name, cells in found.items() if cells == [("not checked", "")]] == [
            "database", "schema", "rows", "places", "histories", "latest values",
        ]  # fmt: skip
        assert found["doubles"] == [
            ("1 run did a job of a sweep that had been done", "took 1 run out of the sweep")
        ]
        assert found["files"][0][0] == "weights.npz is missing in 1 run"
        words = "thin=log: cannot be done through a server; give the address of its database as uri"
        assert told(store, f"uri={address}", "thin=log") == (1, words)


def test_a_store_in_postgresql_is_examined_and_mended_too(postgresql, tmp_path):  # noqa: F811
    name = f"d{uuid.uuid4().hex}"
    execute(f"{postgresql}/postgres", f"CREATE DATABASE {name} TEMPLATE template")
    uri = f"{postgresql}/{name}"
    trained("first", ["init=he"], tmp_path, f"tracking.uri={uri}")
    execute(uri, "DELETE FROM metrics WHERE key = 'cost' AND step > 11")
    code, found, _ = examined(tmp_path, f"uri={uri}")
    assert code == 1
    assert found["histories"][0][0] == "rows of 1 run are not those of history.npz: 1,988 missing"
    code, found, said = examined(tmp_path, f"uri={uri}", "fix=true")
    assert code == 0
    assert said[0] == "There is no backup by Initlab: pg_dump makes one of this store."
    code, found, said = examined(tmp_path, f"uri={uri}", "thin=log")
    assert (code, wrong(found)) == (
        0,
        {name: [("not checked", "")] for name in ("database", "rows", "places")},
    )
    assert any("removed " in line for line in said), said
    disconnect(uri)
