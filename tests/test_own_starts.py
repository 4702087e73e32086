"""Starts of the user's own, through the real commands: each is recorded by its own name."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import run_python, runs_of

STARTS = """
import numpy as np


def spiral(rng, shape):
    return 0.1 * rng.standard_normal(shape)


def ring(rng, shape):
    return np.full(shape, 0.1)


def broken(rng, shape):
    raise ValueError("I cannot be drawn")
"""
SHORT = ("train.iterations=20", "plots.frames=0", "allow_targets=[my_starts]")


@pytest.fixture
def here(folder):
    """The folder of the command, with the user's module in it."""
    (folder / "my_starts.py").write_text(STARTS)
    return folder


def typed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run_python(*words, folder=folder)


def initlab(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The installed command: the current folder is not on its path by itself."""
    script = Path(sys.executable).parent / "initlab"
    return run_python(script, *words, folder=folder)


def check_lone_run(client, done, name):
    assert done.returncode == 0, done.stderr
    [run] = runs_of(client)
    assert run.info.run_name == f"{name}-seed3"
    assert run.data.tags["init"] == name
    assert run.data.tags["mlflow.note.content"].startswith(f"A **{name}** start (seed 3)")
    assert run.data.params["init._target_"] == "my_starts.spiral"
    assert done.stdout.splitlines()[1].split()[0] == name


@pytest.mark.parametrize("how", [typed, initlab])
def test_a_lone_run_has_the_functions_name(here, client, how):
    words = ("-m", "src.train") if how is typed else ()
    done = how(here, *words, "init._target_=my_starts.spiral", *SHORT)
    check_lone_run(client, done, "spiral")


def test_an_option_of_the_users_own_has_the_options_name(here, client):
    (here / "mine" / "init").mkdir(parents=True)
    (here / "mine" / "init" / "swirl.yaml").write_text("_target_: my_starts.spiral\n_partial_: true\n")
    done = initlab(here, "--config-dir", "mine", "init=swirl", *SHORT)
    check_lone_run(client, done, "swirl")


def test_an_option_that_takes_initlabs_name_has_its_functions(here, client):
    (here / "mine" / "init").mkdir(parents=True)
    (here / "mine" / "init" / "own_he.yaml").write_text("defaults: [he]\n_target_: my_starts.spiral\n")
    done = initlab(here, "--config-dir", "mine", "init=own_he", *SHORT)
    check_lone_run(client, done, "own_he")


def test_each_start_of_a_sweep_has_its_own_name_in_every_process(here, client):
    done = initlab(
        here, "-m", "init._target_=my_starts.spiral,my_starts.ring", "seed=1,2", "model.hidden=[3],[2]",
        "hydra.launcher.n_jobs=2", *SHORT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    runs = runs_of(client)
    assert {run.data.tags["init"] for run in runs} == {"spiral", "ring"}
    assert {run.info.run_name for run in runs} == {
        f"{start}-seed{seed} hidden=[{width}]"
        for start in ("spiral", "ring")
        for seed in (1, 2)
        for width in (3, 2)
    }
    rows = [line.split()[:2] for line in done.stdout.splitlines() if line.startswith(("spiral  ", "ring  "))]
    assert rows == [["spiral", "[3]"], ["spiral", "[2]"], ["ring", "[3]"], ["ring", "[2]"]]
    [summary] = runs_of(client, "initlab-sweeps")
    with Path(summary.info.artifact_uri.removeprefix("file://"), "runs.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert {(line["init._target_"], line["name"].split("-")[0]) for line in lines} == {
        ("my_starts.spiral", "spiral"), ("my_starts.ring", "ring"),
    }  # fmt: skip


def test_the_microscope_names_it_too(here, client):
    done = initlab(
        here,
        "propagate",
        "init._target_=my_starts.spiral",
        "allow_targets=[my_starts]",
        "model.depth=3",
        "seeds=2",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("spiral · 3 hidden layers")
    [run] = runs_of(client, "initlab-propagation")
    assert run.data.tags["init"] == "spiral"


@pytest.mark.parametrize("optimized", [[], ["-O"]])
def test_a_start_that_cannot_be_drawn_fails_alone_with_or_without_assertions(here, client, optimized):
    starts = "init._target_=my_starts.spiral,my_starts.broken,my_starts.ring"
    done = typed(here, *optimized, "-m", "src.train", "-m", starts, *SHORT, "report.keep=false")
    assert done.returncode == 1
    assert {run.data.tags["init"]: run.info.status for run in runs_of(client)} == {
        "spiral": "FINISHED", "ring": "FINISHED",
    }  # fmt: skip
    [failure] = [line for line in done.stderr.splitlines() if line.startswith("  init._target_=")]
    assert failure.startswith("  init._target_=my_starts.broken ")
    assert failure.endswith("init: I cannot be drawn")
