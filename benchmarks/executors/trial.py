"""One sweep on one executor: run, disturbed if that is wanted, and compared with another."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chaos.state import Tracked, numbers_of
from benchmarks.chaos.stores import Place, PostgreSQL

from .clusters import Cluster

KEPT = ("history.npz", "weights.npz")
SECONDS_BETWEEN_LOOKS = 0.2
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Result:
    """What came of a sweep: the numbers of its jobs as digests, and counts of what went wrong."""

    executor: str
    killed: str
    jobs: int
    seconds: float
    again: int
    lost: int
    doubled: int
    running: int
    other: int
    numbers: Mapping[str, Mapping[str, str]] = field(repr=False)

    @property
    def problems(self) -> int:
        """How much went wrong."""
        return self.lost + self.doubled + self.running + self.other

    @property
    def row(self) -> list[str]:
        """The result as cells of the table."""
        counts = (self.lost, self.doubled, self.other, self.running, self.again)
        once = self.jobs - self.lost - self.doubled
        shown = (f"{count:,}" for count in (self.jobs, once, *counts))
        return [self.executor, self.killed, *shown, f"{self.seconds:.0f}"]


@dataclass(frozen=True)
class Trial:
    """A sweep of so many jobs of so many iterations, each in a place of its own; its numbers are compared
    with those of ``first``.
    """

    store: PostgreSQL
    folder: Path
    jobs: int
    iterations: int
    first: Result | None = None

    def run(self, executor: str, cluster: Cluster, kill: bool) -> Result:
        """Runs the sweep, and kills a node of the cluster when a quarter of the jobs have FINISHED."""
        name = f"{executor.split(',')[0].split()[0].lower()}-{kill}".lower()
        (folder := self.folder / name).mkdir()
        place = self.store.place(folder, name, first=False)
        began = time.monotonic()
        sweep = self._start(place, cluster)
        if kill:
            self._wait_for_a_quarter(place, sweep)
            cluster.kill_a_node(place.folder)
        sweep.communicate()
        seconds = time.monotonic() - began
        return self._judged(executor, place, seconds, "a node" if "Ray" in executor else "a process", kill)

    def _start(self, place: Place, cluster: Cluster) -> "subprocess.Popen[bytes]":
        tracking = (f"tracking.uri={place.uri}", f"tracking.experiment={place.experiment}")
        length = (f"train.iterations={self.iterations}", "plots.frames=0", "report.keep=false")
        sweep = ("init=he,zeros", f"seed=range(0,{self.jobs // 2})", *length)
        own = {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [sys.executable, "-m", "initlab", "-m", *sweep, *cluster.words, *tracking],
            cwd=place.folder,
            env={**os.environ, **own, **cluster.environment},
            stdout=subprocess.DEVNULL,
        )

    def _wait_for_a_quarter(self, place: Place, sweep: "subprocess.Popen[bytes]") -> None:
        while len(place.finished()) < self.jobs / 4 and sweep.poll() is None:
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _judged(self, executor: str, place: Place, seconds: float, what: str, kill: bool) -> Result:
        finished = place.finished()
        numbers = {run.job: numbers_of(run, place.database, place.files(run), KEPT) for run in finished}
        other = sum(numbers[job] != self.first.numbers.get(job) for job in numbers) if self.first else 0
        return Result(
            executor=executor,
            killed=what if kill else "–",
            jobs=self.jobs,
            seconds=seconds,
            again=_tried_again(place.sweeps()[-1]),
            lost=self.jobs - len(numbers),
            doubled=_doubled(finished),
            running=sum(run.status == "RUNNING" for run in place.runs()),
            other=other,
            numbers=numbers,
        )


def _doubled(finished: list[Tracked]) -> int:
    return sum(count > 1 for count in Counter(run.job for run in finished).values())


def _tried_again(sweep: Path) -> int:
    again: int = json.loads((sweep / "launch.json").read_text())["again"]
    return again
