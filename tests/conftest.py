"""The real parts that tests share: the command line, a migrated database, a composed config."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import warm
from browser import Open, pages
from hydra import compose, initialize_config_module
from mlflow import MlflowClient
from omegaconf import DictConfig
from xdist.scheduler import LoadFileScheduling

import initlab.terminal.command  # noqa: F401  registers the resolver that the config's folders use

ROOT = Path(__file__).parent.parent

Command = Callable[..., subprocess.CompletedProcess[str]]
Compose = Callable[..., DictConfig]


def environment(**changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("MLFLOW_TRACKING_URI", "HYDRA_FULL_ERROR")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "", **changes}


def run_command(
    *arguments: str, folder: Path, program: str = "train", fresh: bool = False, **changes: str
) -> subprocess.CompletedProcess[str]:
    return run_python("-m", f"src.{program}", *arguments, folder=folder, fresh=fresh, **changes)


def run_python(
    *words: str | Path, folder: Path, fresh: bool = False, **changes: str
) -> subprocess.CompletedProcess[str]:
    """Runs ``python *words``, in a fresh interpreter where that, or what one reads, is asked for."""
    started_by = {name for name in changes if name.startswith(("PYTHON", "OPENBLAS"))}
    if fresh or started_by or words[0] == "-O":
        command, settings = [sys.executable, *words], {"cwd": folder, "env": environment(**changes)}
        return subprocess.run(command, **settings, capture_output=True, text=True, timeout=300)
    return warm.run(words, folder, environment(**changes), timeout=300)


class HeadlineTogether(LoadFileScheduling):
    """Gives a process whole files, as modules share costly fixtures, and the headline's files to one."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "headline" if Path(file).stem in ("test_headline", "test_readme", "test_ui") else file


# Few tests, but long: begun last, one of these would keep a single process busy at the end.
LONGEST = "executors", "replications", "lesson", "resume", "chaos", "spool", "launching", "wheel", "until"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem.removeprefix("test_") not in LONGEST)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than cores, as some tests wait for servers and signals; a few are enough."""
    return min(4, len(os.sched_getaffinity(0)) + 1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> HeadlineTogether:
    config.option.loadscopereorder = False  # it would begin with the files of the most tests
    return HeadlineTogether(config, log)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def mlflow_server(folder: Path, *arguments: str | Path, port: int | None = None) -> Iterator[str]:
    """MLflow's own server on the store of a folder, as `make ui` starts it; gives its address."""
    port = port or free_port()
    places = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    store = ["--backend-store-uri", f"sqlite:///{folder}/mlruns/mlflow.db"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *places, *store, *arguments],
        cwd=folder,
        env=environment(MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", MLFLOW_DISABLE_TELEMETRY="true"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=1).close()
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.1)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # asked politely, it waits for its clients to hang up
        process.wait()


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


def folder_with(database: Path, folder: Path) -> Path:
    (folder / "mlruns").mkdir()
    shutil.copy(database, folder / "mlruns" / "mlflow.db")
    return folder


@pytest.fixture
def folder(tmp_path: Path, migrated_database: Path) -> Path:
    """A folder with an empty tracking database that needs no migration, which would take seconds a test."""
    return folder_with(migrated_database, tmp_path)


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
    done = run_command("-m", "init=zeros,random,he", folder=folder, fresh=True)
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Open]:
    """Opens pages in a real browser: ``page, errors = browser_page(1440, 900, dark=False)``."""
    with pages() as open_page:
        yield open_page
