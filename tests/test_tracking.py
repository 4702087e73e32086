"""The store as it really behaves: missing, shared, locked, full, far away."""

import importlib.metadata
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import warm
from conftest import environment, run_command, runs_of
from mlflow import MlflowClient
from mlflow.entities import Metric

from initlab.errors import TrackingError
from initlab.runs import record
from initlab.runs.job import build
from initlab.runs.record import RunRecorder, description_of
from initlab.runs.train import run
from initlab.signals import Stopped, stopping_on_signals
from initlab.tracking import Description, Series, Tracker, description
from initlab.tracking.address import absolute_uri, address_of, sqlite_file
from initlab.tracking.artifacts import write_files
from initlab.tracking.description import environment_tags
from initlab.tracking.locks import exclusive
from initlab.tracking.store import open_store
from initlab.training.history import History

SHORT = ("train.iterations=20", "plots.frames=0", "report.keep=false")


def test_a_relative_sqlite_path_is_seen_from_the_given_folder():
    assert absolute_uri("sqlite:///mlruns/x.db", Path("/a/b")) == "sqlite:////a/b/mlruns/x.db"
    assert absolute_uri("sqlite:////c/x.db", Path("/a/b")) == "sqlite:////c/x.db"
    assert absolute_uri("http://127.0.0.1:5000", Path("/a")) == "http://127.0.0.1:5000"
    assert absolute_uri("postgresql://u@h/d", Path("/a")) == "postgresql://u@h/d"


@pytest.mark.parametrize(
    "uri",
    [
        "sqlite:///mlruns/x.db",
        "SQLite:///mlruns/x.db",
        "sqlite+pysqlite:///mlruns/x.db",
        "sqlite:///mlruns/../mlruns/x.db?timeout=5",
        "sqlite:////a/b/mlruns/x.db",
    ],
)
def test_every_spelling_of_a_database_is_the_same_file(uri):
    absolute = absolute_uri(uri, Path("/a/b"))
    assert absolute.partition("?")[0] == "sqlite:////a/b/mlruns/x.db"
    assert sqlite_file(absolute) == Path("/a/b/mlruns/x.db")


@pytest.mark.parametrize(
    ("uri", "right"),
    [
        ("gopher://x", "must be a path, sqlite:///…, postgresql://…"),
        ("postgres://u@h/db", "must be a path, sqlite:///…, postgresql://…"),
        ("sqlite://", "must name a file, as in sqlite:///mlruns/mlflow.db"),
        ("sqlite:///:memory:", "must name a file, as in sqlite:///mlruns/mlflow.db"),
        ("sqlite:x.db", "must name a file, as in sqlite:///mlruns/mlflow.db"),
        ("postgresql://u@h:port/db", "must have the form postgresql://user:password@host:port/database"),
        ("postgresql:/h", "must have the form postgresql://user:password@host:port/database"),
        ("postgresql+nothing://u@h/db", "needs a driver that is not installed: "),
        ("http://", "must have the form http://host:port"),
        ("HTTPS://h:port", "must have the form https://host:port"),
        ("http://a b", "must have the form http://host:port"),
    ],
)
def test_what_is_no_address_of_a_store_is_said_in_one_line(uri, right, tmp_path):
    with pytest.raises(TrackingError) as raised:
        Tracker(uri, "initlab", tmp_path)
    scheme, _, rest = uri.partition(":")
    assert str(raised.value).startswith(f"tracking.uri={scheme.lower()}:{rest}: {right}")
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_an_experiment_that_another_process_made_meanwhile_is_taken(folder, client, monkeypatch):
    there = client.create_experiment("initlab")
    looked = []

    def look(self, name, look=MlflowClient.get_experiment_by_name):
        looked.append(name)
        return look(self, name) if len(looked) > 1 else None

    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", look)
    assert Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder).experiment_id == there


def test_the_address_opens_the_charts_of_the_sweep():
    address = address_of("sqlite:////a.db", "7", "s-1")
    assert address.startswith("http://127.0.0.1:5000/#/experiments/7/runs?workflowType=machine_learning")
    assert address.endswith("&compareRunsMode=CHART&searchFilter=tags.sweep%20%3D%20%27s-1%27")


def test_processes_that_meet_a_missing_database_do_not_destroy_it(tmp_path):
    code = (
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from initlab.tracking import Data, Description, Tracker\n"
        "data = Data('circles', 'here', np.eye(7), np.ones(7))\n"
        "tracker = Tracker('sqlite:///mlruns/mlflow.db', 'initlab', Path.cwd())\n"
        "with tracker.runs([Description('he', {}, {}, data)]):\n"
        "    pass\n"
    )
    starts = [warm.Process(["-c", code], tmp_path, environment()) for _ in range(3)]
    assert [start.wait(timeout=240) for start in starts] == [0] * 3
    runs = runs_of(MlflowClient(f"sqlite:///{tmp_path}/mlruns/mlflow.db"))
    assert [run.info.status for run in runs] == ["FINISHED"] * 3


def test_tracking_needs_no_other_part_of_initlab(folder):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from initlab.tracking import Data, Description, Tracker\n"
        "tracker = Tracker('sqlite:///mlruns/mlflow.db', 'mine', Path.cwd())\n"
        "data = Data('mine', 'measured', np.eye(7), np.ones(7))\n"
        "with tracker.runs([Description('one', {}, {}, data)]) as [run]:\n"
        "    run.log({'cost': [2.0, 1.0]}, [0, 1])\n"
        "print(*sorted(name for name in sys.modules if name.partition('.')[0] in ('initlab', 'hydra')))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=True)
    own = {
        "initlab",
        "initlab.errors",
        "initlab.files",
        "initlab.passwords",
        "initlab.signals",
        "initlab.types",
    }
    assert {name for name in done.stdout.split() if not name.startswith("initlab.tracking")} <= own


def test_what_is_not_installed_has_no_version_tag(tmp_path, monkeypatch):
    def installed(name, version=importlib.metadata.version):
        if name in ("initlab", "scikit-learn"):
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(description, "version", installed)
    environment_tags.cache_clear()
    try:
        versions = {tag for tag in environment_tags(tmp_path) if tag.startswith("version.")}
    finally:
        environment_tags.cache_clear()
    known = ("python", "numpy", "scipy", "mlflow", "hydra-core")
    assert versions == {f"version.{name}" for name in known}


def a_run(client: MlflowClient) -> str:
    found = client.get_experiment_by_name("initlab")
    experiment = found.experiment_id if found else client.create_experiment("initlab")
    return client.create_run(experiment).info.run_id


def some_series(run_id: str, seed: int) -> list[Series]:
    rng = np.random.RandomState(seed)
    steps = np.arange(0, 3001, 3)
    times = 1_700_000_000_000 + np.sort(rng.randint(0, 9, steps.size))
    cost = rng.standard_normal(steps.size) * 10.0 ** rng.randint(-300, 300, steps.size)
    spoiled = np.where(rng.rand(steps.size) < 0.1, np.nan, cost)
    spoiled[-1] = np.inf
    return [
        Series(run_id, "cost", cost, steps, times),
        Series(run_id, "grad_norm/layer1", spoiled, steps, times),
        Series(run_id, "never", np.array([np.nan, np.inf]), steps[:2], times[:2]),
        Series(run_id, "final_cost", cost[-1:], steps[-1:], times[-1:]),
    ]


def everything_of(client: MlflowClient, run_id: str) -> tuple[dict, dict]:
    latest = client.get_run(run_id).data.metrics
    histories = {
        key: sorted((m.step, m.timestamp, m.value) for m in client.get_metric_history(run_id, key))
        for key in latest
    }
    return latest, histories


def test_bulk_metrics_are_read_back_just_as_those_of_log_batch(folder, client):
    tracker = Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder)
    ours, theirs = a_run(client), a_run(client)
    series = some_series(ours, seed=5)
    for start in (0, 400):  # in two flushes, as a long run does
        part = slice(start, start + 400) if start == 0 else slice(400, None)
        tracker.log(
            [
                one._replace(values=one.values[part], steps=one.steps[part], timestamps=one.timestamps[part])
                for one in series
            ]
        )
    metrics = [
        Metric(one.key, value, int(stamp), int(step))
        for one in series
        for value, stamp, step in zip(one.values.tolist(), one.timestamps, one.steps, strict=True)
        if np.isfinite(value)
    ]
    for start in range(0, len(metrics), 1000):
        client.log_batch(theirs, metrics=metrics[start : start + 1000])
    assert everything_of(client, ours) == everything_of(client, theirs)


def test_metrics_of_many_runs_go_in_one_transaction_or_not_at_all(folder, client):
    tracker = Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder)
    run_id = a_run(client)
    good, bad = some_series(run_id, 1)[0], some_series("no-such-run", 1)[0]
    with pytest.raises(
        TrackingError, match="^metrics cannot be written to sqlite:///mlruns/mlflow.db: .*FOREIGN KEY"
    ):
        tracker.log([good, bad])
    assert client.get_run(run_id).data.metrics == {}


def statuses_of(client: MlflowClient) -> dict[str, str]:
    return {run.data.tags["seed"]: run.info.status for run in runs_of(client)}


def test_a_stop_while_files_are_written_finishes_the_runs_that_have_theirs(
    config, folder, client, monkeypatch
):
    def draw(one):
        if one.job.settings.seed == 2:
            raise KeyboardInterrupt
        return b"picture"

    monkeypatch.setattr(record, "cost_png", draw)
    with pytest.raises(KeyboardInterrupt):
        run([config(*SHORT, f"seed={seed}") for seed in (1, 2, 3)], folder=folder)
    assert statuses_of(client) == {"1": "FINISHED", "2": "KILLED", "3": "KILLED"}
    for kept in runs_of(client):
        assert len(client.get_metric_history(kept.info.run_id, "cost")) == 20
        assert ("final_cost" in kept.data.metrics) == (kept.info.status == "FINISHED")


def numbered(count: int) -> list[Description]:
    return [Description(f"run{n}", {"n": str(n)}, {"seed": str(n)}) for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, "FINISHED"), (MemoryError("no more"), "FAILED"), (KeyboardInterrupt(), "KILLED")],
)
def test_a_run_ends_as_it_was_told_and_otherwise_by_how_its_block_is_left(folder, client, error, status):
    tracker = Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder)
    with (
        pytest.raises(type(error)) if error else nullcontext(),
        tracker.runs(numbered(3)) as [first, second, third],
    ):
        assert statuses_of(client) == dict.fromkeys("123", "RUNNING")
        first.finish({"final_cost": 0.5}, {"note": "good"})
        second.fail({"final_cost": 7.0})
        third.log({"cost": [0.5, np.nan, 0.25], "accuracy": [0, 1, 1]}, steps=[0, 10, 20])
        third.log({"cost": 0.125}, steps=30)
        third.write({"notes/why.txt": b"because"})
        assert statuses_of(client) == dict.fromkeys("123", "RUNNING")
        if error:
            raise error
    assert statuses_of(client) == {"1": "FINISHED", "2": "FAILED", "3": status}
    kept = [client.get_run(run.run_id).data for run in (first, second, third)]
    assert [run.metrics for run in kept[:2]] == [{"final_cost": 0.5}, {"final_cost": 7.0}]
    assert [run.tags.get("note") for run in kept] == ["good", None, None]
    history = client.get_metric_history(third.run_id, "cost")
    assert [(one.step, one.value) for one in history] == [(0, 0.5), (20, 0.25), (30, 0.125)]
    assert abs(history[0].timestamp - time.time() * 1000) < 60_000
    assert kept[2].metrics == {"cost": 0.125, "accuracy": 1.0}
    [file] = client.list_artifacts(third.run_id, "notes")
    assert file.file_size == len(b"because")


def test_a_metric_must_have_a_value_for_each_step(folder, client):
    tracker = Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder)
    with tracker.runs(numbered(1)) as [one]:
        with pytest.raises(ValueError, match="^cost: has 3 values for 2 steps; must have one for each$"):
            one.log({"cost": [3.0, 2.0, 1.0]}, steps=[0, 1])
        assert client.get_run(one.run_id).data.metrics == {}


def test_the_runs_of_a_block_are_ended_by_one_call(folder, client, monkeypatch):
    tracker, calls = Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder), []
    monkeypatch.setattr(tracker._writer, "close", calls.append)
    with tracker.runs(numbered(3)) as runs:
        runs[1].fail()
    [[*endings]] = calls
    assert [(one.run_id, one.status) for one in endings] == [
        (run.run_id, status) for run, status in zip(runs, ("FINISHED", "FAILED", "FINISHED"), strict=True)
    ]


def test_an_ending_that_cannot_be_written_leaves_no_run_running(folder, client):
    tracker = Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder)
    with (
        pytest.raises(TrackingError, match=r"^dead \[%\]: cannot be a name"),
        tracker.runs(numbered(2)) as [first, _],
    ):
        first.finish({"dead [%]": 1.0})
    assert statuses_of(client) == {"1": "FAILED", "2": "FAILED"}


def test_only_runs_that_are_still_running_are_ended_from_outside(folder, client):
    tracker = Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder)
    with tracker.runs(numbered(1)) as [done]:
        pass
    with tracker.runs(numbered(2)) as [_, left]:
        finished = tracker.end_if_running([done.run_id, left.run_id], "its process died")
        assert [client.get_run(one.run_id).info.status for one in (done, left)] == ["FINISHED", "FAILED"]
        assert finished == [done.run_id]
        assert client.get_run(left.run_id).data.tags["ended_because"] == "its process died"


def test_metrics_that_were_not_flushed_are_written_before_a_run_ends_killed(config, folder, client):
    jobs = [build(config(*SHORT, f"seed={seed}"), {}) for seed in (1, 2)]
    tracker, history = Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder), History(2, 20, [])
    history.costs[:7], history.times[:7] = np.arange(14).reshape(7, 2), range(7)

    def interrupted(recorder: RunRecorder) -> None:
        history.length = 3
        recorder.flush()
        history.length = 7
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        tracker.runs([description_of(job) for job in jobs]) as runs,
        RunRecorder(runs, tracker, history, 1) as recorder,
    ):
        interrupted(recorder)
    assert statuses_of(client) == {"1": "KILLED", "2": "KILLED"}
    for one, costs in zip(runs, history.costs[:7].T, strict=True):
        assert [m.value for m in client.get_metric_history(one.run_id, "cost")] == costs.tolist()


@pytest.fixture
def stopping() -> Iterator[None]:
    """Stopping signals are heard, as they are in a command."""
    with stopping_on_signals():
        yield


def test_a_stop_while_runs_are_started_ends_them_killed(config, folder, client, monkeypatch, stopping):
    def start(self, descriptions, start=Tracker._start):
        runs = start(self, descriptions)
        os.kill(os.getpid(), signal.SIGTERM)
        return runs

    monkeypatch.setattr(Tracker, "_start", start)
    with pytest.raises(Stopped):
        run([config(*SHORT, f"seed={seed}") for seed in (1, 2)], folder=folder)
    assert statuses_of(client) == {"1": "KILLED", "2": "KILLED"}


def test_runs_whose_end_a_stop_meets_end_as_they_were_to(config, folder, client, monkeypatch, stopping):
    def end(self, runs, endings, end=Tracker._end):
        os.kill(os.getpid(), signal.SIGTERM)
        end(self, runs, endings)

    monkeypatch.setattr(Tracker, "_end", end)
    trained = run([config(*SHORT, f"seed={seed}") for seed in (1, 2)], folder=folder)
    assert [one.summary.iterations for one in trained] == [20, 20]
    assert statuses_of(client) == {"1": "FINISHED", "2": "FINISHED"}


def test_a_lock_is_free_when_its_holder_dies(tmp_path):
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from initlab.tracking.locks import exclusive\n"
        "with exclusive(Path(sys.argv[1])):\n"
        "    print('mine', flush=True)\n"
        "    time.sleep(60)\n"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "lock")]
    with subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "mine\n"
        threading.Timer(0.5, holder.kill).start()
        asked = time.monotonic()
        with exclusive(tmp_path / "lock"):
            assert 0.4 < time.monotonic() - asked < 20


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mark a file immutable")
def test_an_unwritable_database_is_a_readable_error(folder):
    database = folder / "mlruns" / "mlflow.db"
    if subprocess.run(["chattr", "+i", database], capture_output=True).returncode:
        pytest.skip("this file system has no immutable files")
    try:
        with pytest.raises(TrackingError, match=r"^tracking.uri=sqlite:///.*mlflow\.db: cannot be opened: "):
            open_store(f"sqlite:///{database}", "initlab", folder)
    finally:
        subprocess.run(["chattr", "-i", database], check=True)


def test_a_file_that_is_no_database_is_a_readable_error(tmp_path):
    (tmp_path / "notes.txt").write_text("these are notes, not tables " * 100)
    with pytest.raises(TrackingError, match=r"notes\.txt: cannot be opened: file is not a database$"):
        Tracker("sqlite:///notes.txt", "initlab", tmp_path)


def test_an_unknown_scheme_and_a_deleted_experiment_are_readable_errors(folder, client):
    with pytest.raises(
        TrackingError, match="^tracking.uri=gopher://x: must be a path, sqlite:///…, postgresql"
    ):
        open_store("gopher://x", "initlab", folder)
    client.delete_experiment(client.create_experiment("gone"))
    with pytest.raises(TrackingError, match="^tracking.experiment=gone: is deleted"):
        Tracker("sqlite:///mlruns/mlflow.db", "gone", folder)


def test_a_full_disk_is_a_readable_error_and_leaves_no_half_written_file(tmp_path, client):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))  # the disk ends here
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(TrackingError, match=r"big\.bin: cannot be written: File too large"):
            write_files(client, "r", tmp_path.as_uri(), {"small.bin": b"ok", "big.bin": b"x" * 20_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert (tmp_path / "small.bin").read_bytes() == b"ok"
    assert not (tmp_path / "big.bin").exists()


def test_a_file_in_the_place_of_a_folder_is_a_readable_error(tmp_path, client):
    (tmp_path / "images").write_text("in the way")
    with pytest.raises(TrackingError, match=r"images/a/b\.png: cannot be written: Not a directory$"):
        write_files(client, "r", tmp_path.as_uri(), {"images/a/b.png": b"picture"})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_sweep_on_a_disk_that_fills_up_keeps_the_runs_it_finished(folder, client):
    artifacts = folder / "mlruns" / "artifacts"
    artifacts.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", artifacts]).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        done = run_command("-m", "seed=1,2,3,4", "train.iterations=2000", "report.keep=false", folder=folder)
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        statuses = [run.info.status for run in reversed(runs_of(client))]
        assert statuses[0] == "FINISHED"
        assert "FAILED" in statuses
        assert "RUNNING" not in statuses
        first = runs_of(client)[-1]
        assert Path(first.info.artifact_uri.removeprefix("file://"), "boundary.png").stat().st_size > 0
    finally:
        subprocess.run(["umount", artifacts], check=True)


def test_an_unreachable_server_is_a_readable_error_within_seconds(tmp_path):
    started = time.monotonic()
    with pytest.raises(TrackingError, match="^tracking.uri=http://127.0.0.1:9: cannot be opened: "):
        open_store("http://127.0.0.1:9", "initlab", tmp_path)
    assert time.monotonic() - started < 30  # MLflow alone retries for minutes
