"""The first start on a folder: whenever it is killed, the next one works."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from conftest import environment, run_command, runs_of
from mlflow import MlflowClient

from initlab.tracking.new_database import PAGE_SIZE

SHORT = ("train.iterations=5", "plots.frames=0", "report.keep=false")
OPENING = (
    "from pathlib import Path\n"
    "from initlab.tracking import Tracker\n"
    "Tracker('sqlite+pysqlite:///mlruns/mlflow.db?timeout=9', 'initlab', Path.cwd())\n"
)


def ended(command: list[str], folder: Path, moment: Callable[[], bool], *signals: signal.Signals) -> int:
    """Starts a command, sends it signals at a moment, and returns how it ended."""
    command = [sys.executable, *command]
    with subprocess.Popen(command, cwd=folder, env=environment(), stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not moment():
            time.sleep(0.002)
        for signum in signals:
            process.send_signal(signum)
            time.sleep(0.05)
        return process.wait(timeout=240)


def test_a_first_start_that_is_killed_at_any_moment_leaves_a_folder_in_which_the_next_one_works(tmp_path):
    folder = tmp_path / "mlruns"
    database = folder / "mlflow.db"

    def made(least: int) -> Callable[[], bool]:
        return lambda: any(new.stat().st_size >= least for new in folder.glob("mlflow.db.new-*[0-9]"))

    opening = ["-c", OPENING]
    assert ended(opening, tmp_path, made(0), signal.SIGKILL) == -signal.SIGKILL
    assert ended(opening, tmp_path, made(40 * PAGE_SIZE), signal.SIGKILL) == -signal.SIGKILL
    training = ["-m", "src.train", *SHORT]
    assert ended(training, tmp_path, made(100 * PAGE_SIZE), signal.SIGINT, signal.SIGINT) != 0
    assert ended(opening, tmp_path, made(1), signal.SIGKILL) == -signal.SIGKILL
    left = [path.name for path in folder.iterdir() if path.name.startswith("mlflow.db.new")]
    assert left
    assert not database.exists()
    database.touch()  # as somebody else's start may leave it
    done = run_command(*SHORT, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not list(folder.glob("mlflow.db.new*"))
    assert [run.info.status for run in runs_of(MlflowClient(f"sqlite:///{database}"))] == ["FINISHED"]
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA page_size").fetchone() == (PAGE_SIZE,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert os.stat(database).st_mode & 0o777 == (0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
