"""How long a tracked run takes in a sweep, beside the usual idiom and the naive one (see ``idiom``).

Whole commands are timed: composing, training, tracking and drawing. Each leaves runs of 1500
iterations with the cost at every one, gradient norms at every tenth, one boundary image, boundary.png
and cost.png, in a fresh SQLite database.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
OURS = ("-m", "src.train", "-m", "train.iterations=1500", "plots.frames=1")
IDIOM = ("-m", "benchmarks.idiom", "-m")

JOBS, NAIVE_JOBS = 60, 3
GROWTH = (12, 100, 1000)


def seconds(arguments: tuple[str, ...]) -> float:
    """Returns how long a command takes, run once in an empty folder; raises if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        run_command(arguments, folder)
        return time.perf_counter() - started


def run_command(arguments: tuple[str, ...], folder: str) -> None:
    """Runs Python with these arguments in a folder; raises if it fails."""
    subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": "/usr/bin:/bin"},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def measure() -> list[tuple[str, str, str]]:
    """Returns a row for each way to run a sweep: name, seconds for one run, relative to ours."""
    seeds = f"seed=range(0,{JOBS})"
    ours = seconds((*OURS, seeds)) / JOBS
    usual = seconds((*IDIOM, seeds, "logging=batch")) / JOBS
    naive = seconds((*IDIOM, f"seed=range(0,{NAIVE_JOBS})", "logging=naive")) / NAIVE_JOBS
    rows = [
        (f"Initlab, {JOBS} jobs", ours),
        (f"usual idiom (basic launcher, log_batch, pyplot), {JOBS} jobs", usual),
        (f"naive (log_metrics at every iteration), {NAIVE_JOBS} jobs", naive),
        *((f"Initlab, {jobs:,} jobs", _of_four_starts(jobs) / jobs) for jobs in GROWTH),
    ]
    return [(name, f"{each:.3f}", f"{each / ours:.1f}") for name, each in rows]


def _of_four_starts(jobs: int) -> float:
    return seconds((*OURS, "init=zeros,random,xavier,he", f"seed=range(0,{jobs // 4})"))
