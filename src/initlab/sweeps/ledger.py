"""What a launcher hears of a sweep under way: how its jobs end, which runs have begun, which workers died."""

import sys
from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from initlab.errors import TrackingError
from initlab.sweeps.executors.protocol import Halted, Lost
from initlab.sweeps.group import JobEnding, JobGroup, RunsStarted, Said, end_job, leave
from initlab.sweeps.launched import Launched
from initlab.sweeps.sweep_job import SweepJob


class Progress(Protocol):
    """Is told how far a sweep is."""

    def under_way(self, what: Hashable, jobs: float) -> None:
        """Takes of how many jobs the work at ``what`` makes up so far; 0 when they have ended."""

    def ended(self, jobs: int) -> None:
        """Takes that so many more jobs have ended."""


class Ledger:
    """How the jobs of a sweep end, as it is heard. What workers die of is at once left in ``folder``."""

    def __init__(self, folder: Path, progress: Progress, told: Launched) -> None:
        self._folder, self._progress, self._told = folder, progress, told
        self.endings: dict[int, JobEnding] = {}
        self._started: dict[int, RunsStarted] = {}
        self._said = ""

    def hear(self, group: JobGroup, what: Any) -> None:
        """Takes what the process of a group reports."""
        match what:
            case float():
                self._progress.under_way(id(group), what * len(group.jobs))
            case RunsStarted():
                self._started[id(group)] = what
            case JobEnding():
                self.endings[what.number] = what
                if not what.left:
                    leave(next(job for job in group.jobs if job.number == what.number), what.outcome)
                self._told.elsewhere += what.elsewhere
            case Said(line):
                self._say(line)
            case Halted():
                self._told.killed += what.killed
                self._told.unmarked += what.unmarked
            case Lost():
                self._told.unmarked += len(self._under_way(group))

    def _say(self, line: str) -> None:
        if line != self._said:
            print(line, file=sys.stderr, flush=True)
        self._said = line

    def close(self, group: JobGroup) -> None:
        """Takes that a group's process has done what it could."""
        self._started.pop(id(group), None)
        self._progress.under_way(id(group), 0)
        self._progress.ended(len(group.jobs) - len(self._missing(group)))

    def lose(self, group: JobGroup, why: str) -> list[JobGroup]:
        """Takes that a group's worker has died: ends what it left RUNNING, and returns the groups in which
        what is not done is to be tried again. A job that is alone when another worker dies is given up. Where
        all was done nothing is lost, nor told.
        """
        if not self._missing(group):
            self.close(group)
            return []
        self._told.deaths.append(why)
        begun, alone = self._under_way(group), len(group.jobs) == 1 and group.tries > 0
        finished = {}
        try:
            if begun:
                finished = self._started[id(group)].end(f"its process died: {why}")
        except TrackingError:  # a store that is away: what is left RUNNING is marked when it is opened next
            self._told.unmarked += len(begun)
        for job in group.jobs:
            if job.number in finished:
                self.endings[job.number] = end_job(job, finished[job.number])
        rest = self._missing(group)
        if alone and rest:
            self.endings[rest[0].number] = end_job(rest[0], why)
            rest = []
        self._told.again += len(rest)
        self._told.write(self._folder)
        self.close(group)
        return _again(group, rest)

    def _under_way(self, group: JobGroup) -> list[int]:
        """Returns the numbers of the jobs of a group whose runs have begun and, for all that is known, not
        ended.
        """
        begun = self._started.get(id(group))
        return [number for number in (begun.run_ids if begun else ()) if number not in self.endings]

    def _missing(self, group: JobGroup) -> list[SweepJob]:
        return [job for job in group.jobs if job.number not in self.endings]


def _again(group: JobGroup, rest: Sequence[SweepJob]) -> list[JobGroup]:
    """Returns the rest of a group whose worker died: together at first, then each job alone."""
    tries = group.tries + 1
    if tries == 1 and rest:
        return [replace(group, jobs=rest, tries=tries)]
    return [replace(group, jobs=[job], tries=tries) for job in rest]
