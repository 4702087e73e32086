"""A sweep that was stopped, killed or failed in part goes on, and ends as one that nobody disturbed."""

import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import warm
from conftest import Command, environment, folder_with, run_command, run_python, runs_of
from mlflow import MlflowClient

from initlab.tracking.artifacts import local_folder

SWEEP = ("-m", "train.iterations=30,60000", "seed=1,2", "tracking.every=log", "hydra.launcher.n_jobs=2")
FEW = ("-m", "init=zeros,he", "seed=1,2,3", "train.iterations=30")
SHORT = ("plots.frames=0", "report.keep=false")


def resumed(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return run_python("-m", "initlab", "resume", *words, folder=folder)


def histories(client: MlflowClient) -> "dict[tuple[str, ...], dict[str, bytes]]":
    """Every array of the runs of sweeps, as bytes, by length, start and seed."""
    found = {}
    for run in runs_of(client):
        if "sweep" in run.data.tags:
            assert run.info.status == "FINISHED"
            key = run.data.params["train.iterations"], run.data.tags["init"], run.data.tags["seed"]
            assert key not in found
            folder = local_folder(run.info.artifact_uri)
            arrays = {}
            for name in ("history.npz", "weights.npz"):
                with np.load(folder / name) as file:
                    arrays |= {f"{name} {key}": file[key].tobytes() for key in file}
            found[key] = arrays
    return found


def statuses(client: MlflowClient) -> Counter:
    return Counter((run.info.status, run.data.tags.get("attempt")) for run in runs_of(client))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, migrated_database):
    folder = folder_with(migrated_database, tmp_path_factory.mktemp("undisturbed"))
    done = run_command(*SWEEP, *SHORT, folder=folder)
    assert done.returncode == 0, done.stderr
    return histories(MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db"))


def stopped(folder: Path, client: MlflowClient, how: int) -> "tuple[int, str]":
    """The exit code and the errors of a sweep that is stopped when its short jobs have finished."""
    assert not statuses(client)  # and the first question, which takes longest, is asked
    sweep = warm.Process(["-m", "src.train", *SWEEP, *SHORT], folder, environment(), session=True)
    try:
        deadline = time.monotonic() + 90
        while statuses(client)["FINISHED", None] < 2:
            assert time.monotonic() < deadline
            assert sweep.poll() is None
            time.sleep(0.05)
        os.killpg(sweep.pid, how)
        _, errors = sweep.communicate(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(sweep.pid, signal.SIGKILL)
    return sweep.returncode, errors


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_sweep_goes_on_and_ends_as_an_undisturbed_one(folder, client, undisturbed, how):
    code, errors = stopped(folder, client, how)
    assert code == (-9 if how == signal.SIGKILL else 128 + how)
    if how != signal.SIGKILL:
        finished = sum(run.info.status == "FINISHED" for run in runs_of(client))
        assert f"when {finished} of 4 jobs had finished." in errors
        assert errors.splitlines()[-1] == "To go on: initlab resume"
    again = resumed(folder)
    assert again.returncode == 0, again.stderr
    assert histories(client) == undisturbed
    assert "RUNNING" not in {run.info.status for run in runs_of(client)}
    assert len(list((folder / "multirun").iterdir())) == 1


def test_what_has_finished_is_not_trained_again(command: Command, folder, client):
    assert command(*FEW, *SHORT).returncode == 0
    before = {run.info.run_id for run in runs_of(client)}
    for again in (resumed(folder), command(*FEW, *SHORT, "resume=true")):
        assert again.returncode == 0, again.stderr
        assert "All of its jobs have finished before." in again.stdout
        assert "zeros" in again.stdout  # the table is there as before
    assert {run.info.run_id for run in runs_of(client)} == before


def test_a_job_that_failed_is_a_new_attempt_and_the_old_one_is_no_longer_the_sweeps(command, folder, client):
    assert command(*FEW, *SHORT).returncode == 0
    failed = next(run for run in runs_of(client) if run.data.tags["seed"] == "2")
    client.set_terminated(failed.info.run_id, "FAILED")
    told = resumed(folder, "dry_run=true")
    assert told.stdout.splitlines()[1] == "6 jobs: 1 to train again, 5 done before."
    assert statuses(client) == {("FINISHED", None): 5, ("FAILED", None): 1}
    assert resumed(folder).returncode == 0
    assert statuses(client) == {("FINISHED", None): 5, ("FAILED", None): 1, ("FINISHED", "2"): 1}
    old = client.get_run(failed.info.run_id).data.tags
    assert old["superseded"] == failed.data.tags["sweep"]
    assert "sweep" not in old


def test_jobs_that_another_sweep_has_finished_are_not_trained_again(command, client):
    assert command(*FEW, *SHORT).returncode == 0
    more = ("-m", "init=zeros,he", "seed=1,2,3,4", "train.iterations=30")
    done = command(*more, *SHORT, "resume=true")
    assert done.returncode == 0, done.stderr
    assert len(runs_of(client)) == 8
    assert statuses(client) == {("FINISHED", None): 8}


def test_another_cost_of_learning_is_another_job(command, client):
    assert command(*FEW, *SHORT).returncode == 0
    assert command(*FEW, *SHORT, "optimizer.learning_rate=0.02", "resume=true").returncode == 0
    assert len(runs_of(client)) == 12


def test_a_table_that_has_changed_is_learned_anew(command, folder, client):
    def write(last: float) -> None:
        rows = [f"{x},{x % 3},{x % 2}" for x in range(40)]
        (folder / "my.csv").write_text("\n".join(["a,b,label", *rows, f"{last},1,1"]))

    table = ("train.iterations=30", "dataset=table", "dataset.path=my.csv", "dataset.target=label")
    write(5)
    assert command("-m", "seed=1,2", *table, *SHORT).returncode == 0
    done = command("-m", "seed=1,2", *table, *SHORT, "resume=true")
    assert "All of its jobs have finished before." in done.stdout
    write(6)
    assert command("-m", "seed=1,2", *table, *SHORT, "resume=true").returncode == 0
    assert statuses(client) == {("FINISHED", None): 2, ("FINISHED", "2"): 2}
    assert len(histories(client)) == 2


def test_two_that_go_on_at_once_train_no_job_twice(folder, client, undisturbed):
    stopped(folder, client, signal.SIGKILL)
    both = [warm.Process(["-m", "initlab", "resume"], folder, environment()) for _ in "ab"]
    errors = [one.communicate(timeout=200)[1] for one in both]
    assert histories(client) == undisturbed, errors
    assert Counter(run.info.status for run in runs_of(client))["FINISHED"] == 4


def test_a_lone_run_that_has_finished_is_not_trained_again(command, client):
    assert command("train.iterations=30", *SHORT).returncode == 0
    told = command("train.iterations=30", *SHORT, "resume=true", "dry_run=true")
    assert told.stdout.split() == ["skip", "train.iterations=30", *SHORT]
    again = command("train.iterations=30", *SHORT, "resume=true")
    assert again.returncode == 0, again.stderr
    assert len(runs_of(client)) == 1


def test_there_may_be_nothing_to_go_on_with(tmp_path):
    done = resumed(tmp_path)
    assert (done.returncode, done.stderr) == (1, "multirun: there is no sweep to go on with in this folder\n")
    done = resumed(tmp_path, "two", "names")
    assert done.stderr == "two names: must be the name of one sweep\n"


@pytest.mark.parametrize("left", ["", "hydra:\n  run:\n    dir: out", "hydra: [broken"])
def test_a_sweep_that_was_killed_while_its_command_was_written_is_left_out(tmp_path, left):
    sweep = tmp_path / "multirun" / "half"
    sweep.mkdir(parents=True)
    (sweep / "multirun.yaml").write_text(left)
    done = resumed(tmp_path)
    assert (done.returncode, done.stderr) == (1, "multirun: there is no sweep to go on with in this folder\n")
    done = resumed(tmp_path, "half")
    words = "multirun/half/multirun.yaml: is not whole, and there is nothing to go on with\n"
    assert (done.returncode, done.stderr) == (1, words)


def test_what_would_be_trained_is_told_and_not_trained(command, folder, client):
    done = command(*FEW, *SHORT, "dry_run=true")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "6 jobs: 6 to train."
    assert not runs_of(client)
    assert not list((folder / "multirun").glob("*/*"))


def test_a_sweep_whose_folder_is_gone_goes_on_from_its_summary(command, folder, client):
    kept = [word for word in SHORT if not word.startswith("report")]
    assert command(*FEW, *kept).returncode == 0
    [sweep] = (folder / "multirun").iterdir()
    shutil.rmtree(sweep)
    run = runs_of(client)[0]
    client.set_terminated(run.info.run_id, "KILLED")
    done = resumed(folder, sweep.name)
    assert done.returncode == 0, done.stderr
    assert len(histories(client)) == 6
    summaries = [one for one in runs_of(client, "initlab-sweeps") if "sweep" in one.data.tags]
    assert len(summaries) == 1
    assert "he" in done.stdout
