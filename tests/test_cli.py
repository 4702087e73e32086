"""The real command: what it shows, what it refuses, how it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import warm
from conftest import ROOT, environment, run_command, runs_of
from mlflow import MlflowClient

SHORT = ("train.iterations=20", "plots.frames=0", "report.keep=false")
GROUP_HELP = (
    "init: constant, fixup, glorot_normal",
    "dataset: autotrainer_blob, autotrainer_circle, blobs",
    "optimizer: adagrad, adam, adamw, gd",
)


def test_help_shows_the_groups_and_what_they_mean(command):
    shown = command("--help").stdout
    for words in (*GROUP_HELP, "how the weights start", "learning_rate: 0.01"):
        assert words in shown


def test_cfg_job_prints_the_config_and_leaves_nothing(command, folder):
    done = command("--cfg", "job")
    assert "hidden:\n  - 10\n  - 5" in done.stdout
    assert {path.name for path in folder.iterdir()} == {"mlruns"}


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"]])
def test_showing_imports_neither_mlflow_nor_scikit_learn_nor_matplotlib(arguments):
    code = (
        "import sys, atexit\n"
        "heavy = ('mlflow', 'sklearn', 'matplotlib', 'scipy', 'sqlalchemy', 'pandas')\n"
        "atexit.register(lambda: print('HEAVY', [m for m in heavy if m in sys.modules]))\n"
        "from initlab.terminal.command import main\n"
        f"sys.argv = ['initlab', *{arguments}]\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), cwd=ROOT
    )
    assert "HEAVY []" in done.stdout


def test_the_installed_command_completes_in_the_shell(folder):
    script = Path(sys.executable).parent / "initlab"
    typed = "initlab init=z"
    done = subprocess.run(
        [script, "-sc", "query=bash"],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(COMP_LINE=typed, COMP_POINT=str(len(typed))),
    )
    assert done.stdout.split() == ["init=zero_last", "init=zeros"]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("optimizer.learning_rate=-0.5", "optimizer.learning_rate=-0.5: must be a finite number greater"),
        ("model.hidden=[7,0]", "model.hidden=[7, 0]: must be a list of whole numbers"),
        ("model.activation=swish", "must be one of relu, leaky_relu, elu"),
        ("init._target_=os.system", "init._target_=os.system: is outside of initlab"),
        ("tracking.uri=sqlite:////dev/null/x.db", "tracking.uri=sqlite:////dev/null/x.db: cannot be opened"),
    ],
)
def test_a_wrong_value_ends_in_one_line_and_no_run(command, client, override, words):
    done = command(override)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr
    assert runs_of(client) == []


def test_the_traceback_is_there_when_asked_for(command):
    done = command("train.iterations=0", HYDRA_FULL_ERROR="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "train.iterations=0: must be" in done.stderr


@pytest.mark.parametrize(
    ("override", "words"),
    [("init=hee", "Could not find 'init/hee'"), ("init.scael=3", "Key 'scael' is not in struct")],
)
def test_unknown_options_and_mistyped_keys_get_hydras_own_error(command, override, words):
    done = command(override)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_two_sweeps_started_together_share_no_folder(tmp_path):
    words = ["-m", "src.train", "-m", "seed=1,2", *SHORT, "tracking.uri=null"]
    sweeps = [warm.Process(words, tmp_path, environment()) for _ in range(2)]
    assert [sweep.wait(timeout=120) for sweep in sweeps] == [0, 0]
    assert len(list((tmp_path / "multirun").glob("*"))) == 2
    assert len(list((tmp_path / "multirun").glob("*/*/outcome.json"))) == 4
    assert not (tmp_path / "mlruns").exists()


def test_without_tracking_nothing_is_tracked(tmp_path):
    done = run_command("tracking.uri=null", *SHORT, folder=tmp_path)
    assert done.returncode == 0
    assert not (tmp_path / "mlruns").exists()
    assert "he-seed3" in done.stdout


def test_the_environment_names_the_store_as_seen_from_where_the_command_was_started(
    command, folder, migrated_database
):
    (folder / "other.db").write_bytes(migrated_database.read_bytes())
    done = command("hydra.job.chdir=true", *SHORT, MLFLOW_TRACKING_URI="sqlite:///other.db")
    assert done.returncode == 0, done.stderr
    assert [run.info.status for run in runs_of(MlflowClient(f"sqlite:///{folder}/other.db"))] == ["FINISHED"]


def test_a_diverging_run_is_a_result_and_the_others_go_on(command, client):
    done = command("-m", "optimizer.learning_rate=0.1,1e200", *SHORT)
    assert done.returncode == 0
    assert "diverged at" in done.stdout
    by_rate = {run.data.params["optimizer.learning_rate"]: run for run in runs_of(client)}
    diverged = by_rate["1e+200"]
    assert diverged.info.status == "FINISHED"
    assert diverged.data.metrics["diverged"] == 1
    assert diverged.data.metrics["diverged_at"] >= 1
    assert "final_cost" not in diverged.data.metrics
    assert "diverged" in diverged.data.tags["mlflow.note.content"]
    assert by_rate["0.1"].data.metrics["diverged"] == 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_ends_killed_and_keeps_its_metrics(folder, client, signum):
    arguments = ["-m", "src.train", "train.iterations=10000000", "tracking.every=1000"]
    process = warm.Process(arguments, folder, environment())
    deadline = time.monotonic() + 60
    while not [run for run in runs_of(client) if run.inputs.dataset_inputs]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(0.5)
    os.kill(process.pid, signum)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + signum
    assert "Traceback" not in errors
    [run] = runs_of(client)
    assert run.info.status == "KILLED"
    assert run.info.end_time is not None
    assert run.data.metrics["cost"] > 0
