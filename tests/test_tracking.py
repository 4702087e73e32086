"""The store as it really behaves: missing, shared, locked, full, far away."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import environment, run_command, runs_of
from mlflow import MlflowClient
from mlflow.entities import Metric

from initlab.errors import TrackingError
from initlab.runs import record as tracked
from initlab.runs.job import build
from initlab.runs.record import TrackedStack
from initlab.runs.train import run
from initlab.signals import STOPPING, Stopped, stop_on_signals
from initlab.tracking import Series, Tracker
from initlab.tracking.artifacts import write_files
from initlab.tracking.store import absolute_uri, address_of, open_store
from initlab.tracking.turns import turn
from initlab.training.history import History

SHORT = ("train.iterations=20", "plots.frames=0")


def test_a_relative_sqlite_path_is_seen_from_the_given_folder():
    assert absolute_uri("sqlite:///mlruns/x.db", Path("/a/b")) == "sqlite:////a/b/mlruns/x.db"
    assert absolute_uri("sqlite:////c/x.db", Path("/a/b")) == "sqlite:////c/x.db"
    assert absolute_uri("http://127.0.0.1:5000", Path("/a")) == "http://127.0.0.1:5000"
    assert absolute_uri("postgresql://u@h/d", Path("/a")) == "postgresql://u@h/d"


def test_the_address_opens_the_charts_of_the_sweep():
    address = address_of("sqlite:////a.db", "7", "s-1")
    assert address.startswith("http://127.0.0.1:5000/#/experiments/7/runs?workflowType=machine_learning")
    assert address.endswith("&compareRunsMode=CHART&searchFilter=tags.sweep%20%3D%20%27s-1%27")


def test_processes_that_meet_a_missing_database_do_not_destroy_it(tmp_path):
    code = (
        "from pathlib import Path\n"
        "from initlab.datasets import circles\n"
        "from initlab.tracking import Description, Ending, Tracker\n"
        "data = circles(n_train=31, n_test=7, noise=0.1, seed=1)\n"
        "tracker = Tracker('sqlite:///mlruns/mlflow.db', 'initlab', Path.cwd())\n"
        "[run_id] = tracker.start([Description('he', {}, {}, data, 'circles')])\n"
        "tracker.close([Ending(run_id, 'FINISHED')])\n"
    )
    arguments = [sys.executable, "-c", code]
    starts = [subprocess.Popen(arguments, cwd=tmp_path, env=environment()) for _ in range(3)]
    assert [start.wait(timeout=240) for start in starts] == [0] * 3
    runs = runs_of(MlflowClient(f"sqlite:///{tmp_path}/mlruns/mlflow.db"))
    assert [run.info.status for run in runs] == ["FINISHED"] * 3


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
    with pytest.raises(TrackingError, match="^metrics cannot be written: .*FOREIGN KEY"):
        tracker.log([good, bad])
    assert client.get_run(run_id).data.metrics == {}


def statuses_of(client: MlflowClient) -> dict[str, str]:
    return {run.data.tags["seed"]: run.info.status for run in runs_of(client)}


def test_a_stop_while_files_are_written_finishes_the_runs_that_have_theirs(
    config, folder, client, monkeypatch
):
    def draw(job, result):
        if job.settings.seed == 2:
            raise KeyboardInterrupt
        return b"picture"

    monkeypatch.setattr(tracked, "cost_png", draw)
    with pytest.raises(KeyboardInterrupt):
        run([config(*SHORT, f"seed={seed}") for seed in (1, 2, 3)], folder=folder)
    assert statuses_of(client) == {"1": "FINISHED", "2": "KILLED", "3": "KILLED"}
    for kept in runs_of(client):
        assert len(client.get_metric_history(kept.info.run_id, "cost")) == 20
        assert ("final_cost" in kept.data.metrics) == (kept.info.status == "FINISHED")


def test_runs_that_are_left_unfinished_end_failed(config, folder, client):
    jobs = [build(config(*SHORT, f"seed={seed}"), {}) for seed in (1, 2)]
    tracker = Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder)
    with TrackedStack(tracker, jobs, History(2, 20, [])):
        assert statuses_of(client) == {"1": "RUNNING", "2": "RUNNING"}
    assert statuses_of(client) == {"1": "FAILED", "2": "FAILED"}


def test_a_stop_while_runs_are_started_ends_them_killed(config, folder, client, monkeypatch):
    def start(self, descriptions, start=Tracker.start):
        run_ids = start(self, descriptions)
        os.kill(os.getpid(), signal.SIGTERM)
        return run_ids

    handlers = {signum: signal.getsignal(signum) for signum in STOPPING}
    monkeypatch.setattr(Tracker, "start", start)
    try:
        stop_on_signals()
        with pytest.raises(Stopped):
            run([config(*SHORT, f"seed={seed}") for seed in (1, 2)], folder=folder)
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
    assert statuses_of(client) == {"1": "KILLED", "2": "KILLED"}


def test_a_turn_comes_when_the_one_before_is_given_back_or_dies(tmp_path):
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from initlab.tracking.turns import turn\n"
        "with turn(Path(sys.argv[1])):\n"
        "    print('mine', flush=True)\n"
        "    time.sleep(60)\n"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "lock")]
    with subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "mine\n"
        threading.Timer(0.5, holder.kill).start()
        asked = time.monotonic()
        with turn(tmp_path / "lock"):
            assert 0.4 < time.monotonic() - asked < 20


def test_a_locked_database_is_a_readable_error_and_the_runs_before_are_intact(config, folder, client):
    run([config(*SHORT)], folder=folder)
    with sqlite3.connect(folder / "mlruns" / "mlflow.db") as blocker:
        blocker.execute("BEGIN EXCLUSIVE")
        done = run_command(*SHORT, folder=folder)
        blocker.rollback()
    blocker.close()
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "database is locked" in done.stderr
    assert [run.info.status for run in runs_of(client)] == ["FINISHED"]


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
    with pytest.raises(TrackingError, match="tracking.uri=gopher://x: cannot be opened"):
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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_sweep_on_a_disk_that_fills_up_keeps_the_runs_it_finished(folder, client):
    artifacts = folder / "mlruns" / "artifacts"
    artifacts.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", artifacts]).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        done = run_command("-m", "seed=1,2,3,4", "train.iterations=2000", folder=folder)
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
