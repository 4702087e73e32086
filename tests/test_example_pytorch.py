"""The PyTorch example: its groups compose, and with PyTorch it trains and tracks what its README says."""

import itertools
import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, environment, runs_of
from hydra import compose, initialize_config_dir
from mlflow import MlflowClient
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

EXAMPLE = ROOT / "examples" / "pytorch"
INITS = ("he", "glorot", "normal", "zeros")

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed here")


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(EXAMPLE / "train.py"), *arguments]


def train(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        command(*arguments), cwd=folder, env=environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def artifact(client: MlflowClient, run_id: str, name: str) -> Path:
    return Path(client.get_run(run_id).info.artifact_uri.removeprefix("file://"), name)


def test_every_choice_of_the_example_composes():
    with initialize_config_dir(str(EXAMPLE / "conf"), version_base="1.3"):
        for group in ("model", "init", "optimizer"):
            for file in (EXAMPLE / "conf" / group).glob("*.yaml"):
                assert compose("config", overrides=[f"{group}={file.stem}"])[group]
    assert {file.stem for file in (EXAMPLE / "conf" / "init").iterdir()} == set(INITS)


def test_the_example_is_short_enough_to_be_read_before_it_is_copied():
    files = [path for path in EXAMPLE.rglob("*") if path.suffix in (".py", ".yaml", ".md")]
    assert sum(len(path.read_text().splitlines()) for path in files) <= 300


@needs_torch
@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_sweep_of_the_example_leaves_comparable_runs(folder, client, launcher):
    said = train(folder, "-m", "init=he,zeros", "seed=1,2", "epochs=3", f"hydra/launcher={launcher}")
    runs = {(run.data.tags["init"], run.data.tags["seed"]): run for run in runs_of(client, "pytorch")}
    assert set(runs) == set(itertools.product(("he", "zeros"), ("1", "2")))
    assert len({run.data.tags["sweep"] for run in runs.values()}) == 1
    for (init, seed), run in runs.items():
        assert run.info.status == "FINISHED"
        assert run.info.run_name == f"{init}-seed{seed}"
        assert run.data.params["epochs"] == "3"
        assert run.data.params["optimizer._target_"] == "torch.optim.SGD"
        assert f"/runs/{run.info.run_id}/artifacts" in said
        [data] = run.inputs.dataset_inputs
        assert data.dataset.name == "digits"
        losses = client.get_metric_history(run.info.run_id, "loss/train")
        assert [one.step for one in losses] == [0, 1, 2]
        assert run.data.metrics["final_loss"] == run.data.metrics["loss/test"]
        # Weights of 0 cannot learn more than how frequent each digit is.
        assert (run.data.metrics["accuracy/test"] > 0.5) == (init == "he")
        assert losses[0].value > losses[-1].value


@needs_torch
def test_the_weights_that_the_example_keeps_give_its_accuracy(folder, client):
    said = train(folder, "model=deep", "init=glorot", "optimizer=adam", "epochs=9")
    import torch

    [run] = runs_of(client, "pytorch")
    state = torch.load(artifact(client, run.info.run_id, "weights.pt"), weights_only=True)
    X, y = load_digits(return_X_y=True)
    _, A, _, answers = train_test_split(X / 16, y, test_size=0.25, random_state=0, stratify=y)
    arrays = [array.numpy() for array in state.values()]
    weights, biases = arrays[::2], arrays[1::2]
    assert [W.shape[0] for W in weights] == [32] * 6 + [10]
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        A = np.maximum(A @ W.T + b, 0)
    accuracy = np.mean((A @ weights[-1].T + biases[-1]).argmax(1) == answers)
    assert accuracy > 0.5
    assert run.data.metrics["accuracy/test"] == pytest.approx(accuracy, abs=1e-6)
    assert re.match(rf"{accuracy:.1%} of the test digits", said)
    assert (
        "init:\n  _target_: torch.nn.init.xavier_normal_"
        in artifact(client, run.info.run_id, "config.yaml").read_text()
    )


@needs_torch
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_the_example_ends_its_run_killed_when_it_is_stopped(folder, client, signum):
    with subprocess.Popen(
        command("epochs=100000"), cwd=folder, env=environment(), stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 120
        while not any("loss/train" in run.data.metrics for run in runs_of(client, "pytorch")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        os.kill(process.pid, signum)
        process.wait(timeout=60)
    [run] = runs_of(client, "pytorch")
    assert run.info.status == "KILLED"


@needs_torch
def test_the_example_ends_its_run_failed_when_it_cannot_be_kept(folder, client):
    (folder / "mlruns" / "artifacts").write_text("a file where the folder of the runs' files should be")
    done = subprocess.run(
        command("epochs=2"), cwd=folder, env=environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1
    assert "cannot be written: " in done.stderr
    [run] = runs_of(client, "pytorch")
    assert run.info.status == "FAILED"
    assert len(client.get_metric_history(run.info.run_id, "loss/test")) == 2
