"""Where the CPU time of a tracked run goes: a sweep in one process, part by part.

The parts are functions of Initlab, timed where they are called; what one part calls of another counts for
the other. A small sweep goes first, so that nothing here is imported, opened or drawn for the first time.
"""

import importlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, wraps
from typing import Any
from unittest.mock import patch

import initlab

JOBS, WARM = 320, 8
ITERATIONS = 1500
MOST = 5.0  # times the CPU time of a run's training, that all of it may take
TRAINING, REST = "training", "the rest"
PARTS = {
    "recipes of the jobs": (
        "initlab.sweeps.launch.jobs_of",
        "initlab.sweeps.compose.QuickLoader.load_sweep_config",
    ),
    "composing, Hydra's folders, outcomes": (
        "initlab.sweeps.group._prepare",
        "initlab.sweeps.group._ending",
    ),
    "building and drawing the starts": ("initlab.runs.train.build", "initlab.runs.job.Job.draw"),
    TRAINING: ("initlab.runs.train._fit_stack",),
    "final scores and diagnosis": (
        "initlab.runs.train._final",
        "initlab.runs.train.layers_at",
        "initlab.runs.train.summarize",
    ),
    "beginning and ending runs": (
        "initlab.runs.train.Tracker",
        "initlab.tracking.tracker.Tracker._start",
        "initlab.tracking.tracker.Tracker._end_each",
        "initlab.runs.train.ended",
    ),
    "metric rows": ("initlab.runs.record.RunRecorder.flush",),
    "history.npz, weights.npz, config.yaml": ("initlab.runs.record._data_files",),
    "pictures": ("initlab.runs.record._pictures",),
    "writing files": ("initlab.tracking.tracker.Run.write",),
    "table, statistics, report": ("initlab.sweeps.closing.close",),
}


class Ledger:
    """CPU seconds by part; the part that was entered last counts."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys([*PARTS, REST], 0.0)
        self._parts, self._since = [REST], time.process_time()

    def _settle(self) -> None:
        now = time.process_time()
        self.seconds[self._parts[-1]] += now - self._since
        self._since = now

    @contextmanager
    def timing(self, part: str) -> Iterator[None]:
        """Counts what happens in the block for a part."""
        self._settle()
        self._parts.append(part)
        try:
            yield
        finally:
            self._settle()
            self._parts.pop()

    def of(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns a function whose time counts for a part."""

        @wraps(function)
        def timed(*args: Any, **keywords: Any) -> Any:
            with self.timing(part):
                return function(*args, **keywords)

        return timed


@cache
def cpu_ms() -> dict[str, float]:
    """Returns the CPU milliseconds of one tracked run by part."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as patches:
        uri = f"sqlite:///{folder}/mlflow.db"
        patches.enter_context(patch.dict(os.environ, MLFLOW_TRACKING_URI=uri))
        _sweep(folder, WARM)
        ledger = Ledger()
        for part, names in PARTS.items():
            for name in names:
                patches.enter_context(patch(name, ledger.of(part, _found(name))))
        with ledger.timing(REST):
            _sweep(folder, JOBS)
    return {part: 1000 * seconds / JOBS for part, seconds in ledger.seconds.items()}


def _found(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        outer, _, owner = module.rpartition(".")
        return getattr(getattr(importlib.import_module(outer), owner), attribute)


def _sweep(folder: str, jobs: int) -> None:
    initlab.sweep(
        "init=zeros,random,xavier,he",
        f"seed=range(0,{jobs // 4})",
        f"train.iterations={ITERATIONS}",
        f"hydra.sweep.dir={folder}/multirun/{jobs}",
        "hydra.launcher.n_jobs=1",
    )


def measure() -> list[tuple[str, str, str]]:
    """Returns a row for each part: its name, CPU milliseconds a run, relative to the training."""
    parts = {**cpu_ms(), "all": sum(cpu_ms().values())}
    return [(part, f"{ms:.1f}", f"{ms / parts[TRAINING]:.2f}") for part, ms in parts.items()]


def hold() -> None:
    """Exits with an error if all of a run takes more than MOST times the CPU of its training."""
    if cpu_ms.cache_info().currsize and sum(cpu_ms().values()) > MOST * cpu_ms()[TRAINING]:
        sys.exit(f"a tracked run takes more than {MOST:g} times the CPU time of its training")
