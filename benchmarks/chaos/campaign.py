"""Many cases of one kind, in lanes that work side by side, each with stores of its own."""

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from .applications import INITLAB, Application
from .cases import Case, Wanted, draw
from .stores import STORES
from .trial import Result, small_disk, try_case
from .undisturbed import Undisturbed, undisturbed

MOST_TRIES = 10

Tell = Callable[[Result], None]


class Campaign:
    """An application's cases. ``folder`` takes their folders; those of cases without problems are removed."""

    def __init__(self, application: Application, wanted: Wanted, folder: Path, tell: Tell) -> None:
        self._application, self._wanted, self._folder, self._tell = application, wanted, folder, tell
        self._usual: dict[tuple[str, str], Undisturbed] = {}
        self._one_at_a_time = threading.Lock()

    def run(self, numbers: Iterable[int], lanes: int) -> list[Result]:
        """Returns what came of the cases of these numbers."""
        queue: SimpleQueue[int] = SimpleQueue()
        for number in numbers:
            queue.put(number)
        with ThreadPoolExecutor(lanes) as threads:
            done = [threads.submit(self._lane, queue) for _ in range(lanes)]
            try:
                return [result for lane in done for result in lane.result()]
            finally:  # after Ctrl-C, or where a lane has failed, each ends with the case that it is at
                for _ in _taken_from(queue):
                    pass

    def _lane(self, queue: "SimpleQueue[int]") -> list[Result]:
        results = []
        with ExitStack() as open_ones:
            stores: dict[str, Any] = {}
            for number in _taken_from(queue):
                kind = draw(self._wanted, number).store
                if kind not in stores:
                    stores[kind] = open_ones.enter_context(STORES[kind]())
                results.append(self._case(number, stores[kind]))
                self._tell(results[-1])
        return results

    def _case(self, number: int, store: Any) -> Result:
        """Tries a case until its first fault is in time, each time in a folder of its own."""
        for tried in range(MOST_TRIES):
            case = self._drawn(number, tried)
            folder = self._folder / f"{self._application.name}-{self._wanted.what}-{number:04}-{tried}"
            usual = self._usual_of(case.store, case.sweep, store)
            result = try_case(case, self._application, store, usual, folder)
            if result is None or self._application != INITLAB or not result.problems:
                shutil.rmtree(folder)
            if result is not None:
                return result
        raise SystemExit(f"Case {number} of {self._wanted.what}: {case.kind} came too late every time.")

    def _drawn(self, number: int, tried: int) -> Case:
        case = draw(self._wanted, number, tried)
        return replace(case, first=case.first and self._application.bears_first_start)

    def _usual_of(self, kind: str, sweep: str, store: Any) -> Undisturbed:
        with self._one_at_a_time:
            if (kind, sweep) not in self._usual:
                folder = self._folder / f"{self._application.name}-undisturbed-{kind}-{sweep}"
                found = undisturbed(self._application, sweep, store, folder)
                for (_, other), usual in self._usual.items():
                    if other == sweep and usual.jobs != found.jobs:
                        raise SystemExit(f"{sweep}: an undisturbed sweep has other numbers on another store.")
                self._usual[kind, sweep] = found
            return self._usual[kind, sweep]


def _taken_from(queue: "SimpleQueue[int]") -> Iterator[int]:
    while True:
        try:
            yield queue.get_nowait()
        except Empty:
            return


def disks_can_be_small(folder: Path) -> bool:
    """Returns whether this process may make a disk of its own."""
    place = folder / "disk"
    place.mkdir(parents=True, exist_ok=True)
    try:
        with small_disk(place):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def keep(result: Result, file: Path) -> None:
    """Adds a result to a file, one line of JSON for each."""
    with file.open("a") as lines:
        lines.write(json.dumps(result.plain) + "\n")
