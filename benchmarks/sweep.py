"""How long a tracked run takes in a sweep, beside the usual idiom and the naive one (see ``idiom``).

Whole commands are timed: composing, training, tracking and drawing. Each leaves runs of 1500
iterations with the cost at every one, gradient norms at every tenth, one boundary image, boundary.png
and cost.png, in a fresh SQLite database.
"""

import resource
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


def taken(arguments: tuple[str, ...]) -> tuple[float, float]:
    """Returns the seconds, and the CPU seconds of all its processes, that a command of Python takes, run once
    in an empty folder; raises if it fails.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": "/usr/bin:/bin"},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure() -> list[tuple[str, str, str]]:
    """Returns a row for each way to run a sweep: name, seconds for one run, relative to ours."""
    seeds = f"seed=range(0,{JOBS})"
    ours = taken((*OURS, seeds))[0] / JOBS
    usual = taken((*IDIOM, seeds, "logging=batch"))[0] / JOBS
    naive = taken((*IDIOM, f"seed=range(0,{NAIVE_JOBS})", "logging=naive"))[0] / NAIVE_JOBS
    rows = [
        (f"Initlab, {JOBS} jobs", ours),
        (f"usual idiom (basic launcher, log_batch, pyplot), {JOBS} jobs", usual),
        (f"naive (log_metrics at every iteration), {NAIVE_JOBS} jobs", naive),
        *((f"Initlab, {jobs:,} jobs", _of_four_starts(jobs) / jobs) for jobs in GROWTH),
    ]
    return [(name, f"{each:.3f}", f"{each / ours:.1f}") for name, each in rows]


def _of_four_starts(jobs: int) -> float:
    return taken((*OURS, "init=zeros,random,xavier,he", f"seed=range(0,{jobs // 4})"))[0]
