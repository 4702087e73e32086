"""A project that was moved or copied: its files are where it is."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from conftest import run_command, runs_of
from mlflow import MlflowClient

import initlab
from initlab.tracking import Description, Tracker
from initlab.tracking.client import ClientWriter
from initlab.tracking.places import beside, place_now
from initlab.tracking.reading import stored_run

SHORT = ("train.iterations=5", "plots.frames=0", "report.keep=false")


def places_of(folder: Path) -> dict[str, str]:
    with closing(sqlite3.connect(folder / "mlruns" / "mlflow.db")) as connection:
        return dict(
            connection.execute("SELECT run_uuid, artifact_uri FROM runs ORDER BY start_time").fetchall()
        )


@pytest.fixture(params=["moved", "copied"])
def project(request, folder: Path, tmp_path_factory) -> tuple[Path, Path]:
    """The folder where a project with one run was, and that where it is now."""
    now = tmp_path_factory.mktemp("elsewhere") / "project"
    done = run_command(*SHORT, folder=folder)
    assert done.returncode == 0, done.stderr
    (shutil.move if request.param == "moved" else shutil.copytree)(folder, now)
    return folder, now


def test_a_project_that_was_moved_or_copied_has_its_files_where_it_is_and_says_so(project):
    before, now = project
    files = sorted(before.rglob("*"))
    done = run_command("-m", "seed=1,2", "hydra.launcher.n_jobs=2", *SHORT, folder=now)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "artifacts" in line or "moved" in line]
    assert said == [
        f"Files are in {now}/mlruns/artifacts, not in {before}/mlruns/artifacts.",
        "The project was moved; `initlab doctor fix=true` has its database say so.",
    ]
    old, *new = places_of(now).items()
    assert all(place.startswith(now.as_uri()) for _, place in new)
    assert old[1].startswith(before.as_uri())
    for run_id in places_of(now):
        assert (now / "mlruns" / "artifacts" / run_id[-2:] / run_id / "artifacts" / "history.npz").is_file()
        assert len(initlab.load(run_id, f"sqlite:///{now}/mlruns/mlflow.db").history["cost"]) == 5
    assert sorted(before.rglob("*")) == files


def test_what_mlflows_client_writes_is_there_too(project, monkeypatch):
    _, now = project
    monkeypatch.setattr("initlab.tracking.opening.writer_into", ClientWriter, raising=True)
    tracker = Tracker("sqlite:///mlruns/mlflow.db", "initlab", now)
    with tracker.runs([Description("one", {}, {})]) as [run]:
        run.write({"note.txt": b"here"})
        run.finish()
    assert (now / "mlruns" / "artifacts" / run.run_id / "artifacts" / "note.txt").read_bytes() == b"here"
    assert stored_run(run.run_id, tracker.uri, ["note.txt"]).files == {"note.txt": b"here"}
    assert len(runs_of(MlflowClient(tracker.uri))) == 2


def test_only_a_place_of_initlabs_own_layout_that_is_no_longer_there_is_taken_for_moved(tmp_path):
    database = tmp_path / "mlruns" / "mlflow.db"
    own, theirs = tmp_path / "mlruns" / "artifacts", tmp_path / "other" / "mlruns" / "artifacts"
    assert beside((own / "r").as_uri(), database) is None
    assert beside("mlflow-artifacts:/mlruns/artifacts/r", database) is None
    assert beside("file:///data/artifacts/r", database) is None
    assert beside("file:///data/mlruns/0/r", database) is None
    assert place_now((theirs / "r").as_uri(), database) == (own / "r").as_uri()
    (theirs / "r").mkdir(parents=True)
    assert place_now((theirs / "r").as_uri(), database) == (theirs / "r").as_uri()
    (own / "r").mkdir(parents=True)
    assert place_now((theirs / "r").as_uri(), database) == (own / "r").as_uri()
    assert place_now((theirs / "r").as_uri(), None) == (theirs / "r").as_uri()
