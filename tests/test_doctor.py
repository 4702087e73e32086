"""The doctor: real stores, really damaged, examined by the real command, mended and examined again."""

import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import chdir, closing, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from conftest import folder_with, run_command
from mlflow import MlflowClient
from terminals import shown_in_terminal
from test_entry import SCRIPT, typed

from initlab.doctor.examination import CHECKS
from initlab.doctor.expected import Curve, logged_steps, thinned
from initlab.doctor.histories import difference
from initlab.terminal import doctor
from initlab.tracking.stored_series import Rows

WIDTH = 80
SWEEP = ("init=he,random", "seed=1,2", "train.iterations=400", "plots.frames=2", "report.keep=false")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Path:
    """A folder with the store of two sweeps, and a run that looks at untrained networks."""
    folder = folder_with(migrated_database, tmp_path_factory.mktemp("doctor"))
    for seeds in ("seed=1,2", "seed=3"):
        done = run_command("-m", *SWEEP, seeds, folder=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def store(swept: Path, tmp_path: Path) -> Path:
    """A folder with a copy of that store, whose runs have their files in the copy."""
    folder = tmp_path / "lab"
    shutil.copytree(swept / "mlruns", folder / "mlruns")
    old, new = ((one / "mlruns").as_uri() for one in (swept, folder))
    sql(folder, f"UPDATE runs SET artifact_uri = replace(artifact_uri, '{old}', '{new}')")
    sql(folder, f"UPDATE experiments SET artifact_location = replace(artifact_location, '{old}', '{new}')")
    return folder


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
    while lines and (cells := [cell.strip() for cell in (lines[0] or '-').split("  ") if cell.strip()])[0] in names:
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


def file(folder: Path, run_id: str, name: str) -> Path:
    return folder / "mlruns" / "artifacts" / run_id / "artifacts" / name


def test_a_store_as_sweeps_leave_it_is_well_and_nothing_is_changed(store):
    before, files = rows(store), sorted(store.rglob("*"))
    code, found, after = examined(store)
    assert code == 0
    assert wrong(found) == {}
    assert list(found) == [
        "database", "schema", "rows", "doubles", "files", "their content", "histories", "latest values",
        "spool", "checkpoints",
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
    doubled = f"run_uuid = '{third}' AND key = 'cost' AND step > 396"
    sql(
        store,
        f"INSERT INTO metrics SELECT key, value, timestamp + 1, run_uuid, step, is_nan FROM metrics WHERE {doubled}",
    )
    code, found, after = examined(store)
    assert code == 1
    words = "rows of 3 runs are not those of history.npz: 45 missing, 3 twice, 1 of another value"
    assert wrong(found)["histories"] == [(words, "writes the series anew from history.npz")]
    assert [line for line in after if first in line]
    code, found, _ = examined(store, "fix=true")
    assert code == 0
    assert found["histories"] == [(words, "wrote the series of 3 runs anew")]
    assert [sorted((r[0], r[1], r[3:]) for r in table) for table in rows(store)[3:]] == [
        sorted((r[0], r[1], r[3:]) for r in table) for table in whole[3:]
    ]
    assert examined(store)[:2] == (0, {name: [("well", "")] for name in found})


def test_a_backup_is_made_before_and_brings_all_back(store):
    first, *_ = finished(store)
    sql(store, f"DELETE FROM metrics WHERE run_uuid = '{first}' AND key = 'cost'")
    before = rows(store)
    assert not list(store.glob("mlruns/*.backup-*"))
    examined(store)
    assert not list(store.glob("mlruns/*.backup-*"))
    _, _, said = examined(store, "fix=true")
    [backup] = store.glob("mlruns/*.backup-*")
    assert said[0] == f"A backup is in {backup}."
    assert rows(store) != before
    assert rows(store, backup) == before
    backup.rename(database(store))
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


def test_thinned_series_keep_what_logging_by_log_would_have_kept(store):
    before = rows(store)
    done = typed("doctor", "thin=log", folder=store)
    assert done.returncode == 0, done.stderr
