"""The wheel, installed into an environment of its own outside the checkout, does what the checkout does."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT, environment, folder_with, free_port
from mlflow import MlflowClient

BUILT_FROM = ("src", "conf", "replications", "pyproject.toml", "setup.py", "README.md", "LICENSE")
SHORT = ("train.iterations=20", "plots.frames=0")


def done(*words: str | Path, folder: Path, **changes: str) -> str:
    """What a command says that must succeed."""
    ended = subprocess.run(
        words,
        cwd=folder,
        env=environment(PYTHONPATH="", **changes),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The folder of the commands of a new environment, in which the wheel is and else this one's packages."""
    place = tmp_path_factory.mktemp("wheel")
    (place / "source").mkdir()
    for name in BUILT_FROM:  # building leaves files where it builds
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("*.egg-info", "__pycache__")
            shutil.copytree(ROOT / name, place / "source" / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, place / "source" / name)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    done(
        *pip,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        place,
        place / "source",
        folder=place,
    )
    done(sys.executable, "-m", "venv", "--without-pip", place / "venv", folder=place)
    commands = place / "venv" / ("Scripts" if os.name == "nt" else "bin")
    [wheel] = place.glob("initlab-*.whl")
    done(*pip, "--python", commands / "python", "install", "--no-deps", "--no-index", wheel, folder=place)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(done(commands / "python", "-c", code, folder=place).strip())
    # The `.pth` files in folders that are named here are not read, so this environment's checkout stays out.
    (packages / "others.pth").write_text(
        f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n"
    )
    return commands


@pytest.fixture(scope="module")
def here(tmp_path_factory, migrated_database) -> Path:
    return folder_with(migrated_database, tmp_path_factory.mktemp("elsewhere"))


def test_it_is_the_wheel_that_is_imported(installed, here):
    code = (
        "import initlab, initlab.conf, hydra_plugins.initlab_stacked_launcher as launcher\n"
        "print(initlab.__file__, initlab.conf.__file__, launcher.__file__)"
    )
    for file in done(installed / "python", "-c", code, folder=here).split():
        assert Path(file).is_relative_to(installed.parent)
    assert done(installed / "initlab", "--version", folder=here).startswith("initlab ")


def test_it_has_all_that_the_source_has(installed):
    [package] = installed.parent.rglob("site-packages/initlab")
    outside = ("conf", package / "conf"), ("replications", package / "replications")
    for folder, inside in (("src/initlab", package), *outside):
        there = {
            path.relative_to(ROOT / folder)
            for path in (ROOT / folder).rglob("*.*")
            if "__pycache__" not in str(path)
        }
        assert there - {path.relative_to(inside) for path in inside.rglob("*.*")} == set()


def test_it_sweeps_in_processes_looks_and_shows(installed, here):
    swept = done(
        installed / "initlab", "-m", "init=zeros,he", "model.hidden=[3],[2]", "hydra.launcher.n_jobs=2",
        *SHORT, folder=here,
    )  # fmt: skip
    assert "Its pictures, side by side in MLflow:" in swept
    assert re.search(r"^multirun/\S+/report/report.html$", swept, re.MULTILINE)
    assert "(initlab ui)" in swept
    assert done(installed / "initlab", "propagate", "model.depth=3", "seeds=2", folder=here).startswith(
        "he · 3 "
    )
    client = MlflowClient(f"sqlite:///{here}/mlruns/mlflow.db")
    experiment = client.get_experiment_by_name("initlab").experiment_id
    runs = client.search_runs([experiment])
    assert [run.info.status for run in runs] == ["FINISHED"] * 4

    port = free_port()
    ui = subprocess.Popen(
        [installed / "initlab", "ui", "--port", str(port)],
        cwd=here, env=environment(PYTHONPATH=""), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert ui.stdout is not None
        address = re.fullmatch(r"(http://127.0.0.1:\d+)/#/experiments/(\d+)/runs\?.*\n", ui.stdout.readline())
        assert address is not None
        assert address[2] == experiment
        where = f"{address[1]}/api/2.0/mlflow/runs/get?run_id={runs[0].info.run_id}"
        with urllib.request.urlopen(where, timeout=30) as answer:
            assert json.load(answer)["run"]["info"]["run_name"] == runs[0].info.run_name
        with urllib.request.urlopen(address[1], timeout=30) as answer:
            assert b"<title>MLflow</title>" in answer.read()
    finally:
        ui.send_signal(signal.SIGTERM)
        ui.communicate(timeout=60)
    assert ui.returncode == 0


def test_its_public_face_works_in_a_script(installed, here):
    code = (
        "import initlab\n"
        "run = initlab.run(train={'iterations': 20})\n"
        "print(initlab.load(run.run_id), initlab.start('he', (2, 3)).shape)"
    )
    said = done(installed / "python", "-c", code, folder=here)
    assert said.startswith("<Run he-seed3: final cost ")
    assert said.endswith("(2, 3)\n")
