"""The real parts that tests share: the command line, a migrated database, a composed config."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from mlflow import MlflowClient
from omegaconf import DictConfig

import initlab.cli  # noqa: F401  registers the resolver that the config's folders use

ROOT = Path(__file__).parent.parent

Command = Callable[..., subprocess.CompletedProcess[str]]
Compose = Callable[..., DictConfig]


def environment(**changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("MLFLOW_TRACKING_URI", "HYDRA_FULL_ERROR")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "", **changes}


def run_command(*arguments: str, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "src.train", *arguments],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def folder(tmp_path: Path, migrated_database: Path) -> Path:
    """A folder with an empty tracking database that needs no migration, which would take seconds a test."""
    (tmp_path / "mlruns").mkdir()
    shutil.copy(migrated_database, tmp_path / "mlruns" / "mlflow.db")
    return tmp_path


@pytest.fixture
def command(folder: Path) -> Command:
    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return run_command(*arguments, folder=folder, **changes)

    return run


@pytest.fixture
def client(folder: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")


@pytest.fixture
def config() -> Iterator[Compose]:
    def composed(*overrides: str) -> DictConfig:
        return compose("config", overrides=list(overrides))

    with initialize_config_module("initlab.conf", version_base="1.3"):
        yield composed


def runs_of(client: MlflowClient, experiment: str = "initlab") -> list:
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id])) if found else []


@pytest.fixture(scope="session")
def headline(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The headline command, as a user types it, in a folder where nothing is."""
    folder = tmp_path_factory.mktemp("headline")
    done = run_command("-m", "init=zeros,random,he", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder, done
