"""Running a case: its faults one after the other, then what the user types to go on, then the counting."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .applications import Application, Words
from .cases import Case
from .counts import Count, count
from .faults import SECONDS_TO_END, SECONDS_TO_STOP, Blow, Fault, FullDisk, Kill
from .moments import moment_of
from .processes import Command
from .stores import Place, Store
from .undisturbed import Undisturbed, size_of


@dataclass(frozen=True)
class Result:
    """What came of a case: its blows, what there was in the end, and all that should not have been."""

    application: str
    case: Case
    blows: Sequence[Blow]
    count: Count
    problems: Sequence[str]

    @property
    def plain(self) -> dict[str, Any]:
        """Its facts as plain values."""
        case = {name: getattr(self.case, name) for name in ("number", "store", "sweep", "first", "kind")}
        blows = [asdict(blow) for blow in self.blows]
        rest = {"blows": blows, **asdict(self.count), "problems": list(self.problems)}
        return {"application": self.application, **case, **rest}


@dataclass(frozen=True)
class Trial:
    """A case that is tried in a place with an application."""

    case: Case
    application: Application
    usual: Undisturbed
    place: Place
    said: Path

    def run(self) -> Result | None:
        """Returns what came of it, or None if the command ended before its first fault."""
        blows, lies = self._strike()
        if not blows:
            return None
        failed = self._go_on()
        counted = count(self.place, self.usual, self.application.kept)
        problems = [*(problem for blow in blows for problem in blow.problems), *lies, *failed]
        return Result(self.application.name, self.case, blows, counted, [*problems, *counted.problems])

    def _strike(self) -> tuple[list[Blow], list[str]]:
        """Returns the blows that were in time, and which of the exit codes are not true."""
        blows: list[Blow] = []
        lies: list[str] = []
        look = partial(moment_of, self.place, len(self.usual.jobs))
        for fault in self.case.faults:
            command = self._start(self._again() if blows else self._anew())
            blow = fault.strike(command, self.place, look, self.usual.lengths)
            if blow is None:
                command.wait(SECONDS_TO_END)
                command.end()
                break
            blows.append(blow)
            lies += self._lies(fault, blow)
        return blows, lies

    def _lies(self, fault: Fault, blow: Blow) -> list[str]:
        """Returns what is not true of a command's exit code: 0 if and only if all jobs have FINISHED or wait
        for the store, or what says which signal has stopped it.
        """
        if blow.code is None or (isinstance(fault, Kill) and blow.code in fault.codes):
            return []
        there = len({run.job for run in self.place.finished()})
        # What waits may also be an earlier attempt at a job that has FINISHED since.
        lost = max(0, len(self.usual.jobs) - there - self.place.waiting())
        if blow.code == 0 and lost:
            return [f"{blow.kind}: exit code 0, and {lost} jobs have not FINISHED"]
        if isinstance(fault, Kill) and blow.code and not lost:
            return [f"{blow.kind}: exit code {blow.code}, and all jobs have FINISHED"]
        return []

    def _go_on(self) -> list[str]:
        """Goes on until the sweep is whole; returns what failed."""
        failed = []
        if self.application.deliver and not isinstance(self.case.faults[0], Kill):
            failed += self._failure(self._start(self.application.deliver))
        if self.case.twice and self.application.go_on:
            both = [self._start(self._again()) for _ in range(2)]
            for command in both:  # one of them may find that the other is at it
                command.wait(SECONDS_TO_END)
                command.end()
        return failed + self._failure(self._start(self._again()))

    def _failure(self, command: Command) -> list[str]:
        """Waits for a command that is to succeed; returns how it failed, if it did."""
        words = " ".join(command.arguments)
        code = command.wait(SECONDS_TO_END)
        command.seconds_until_gone(SECONDS_TO_STOP)
        left = command.end()
        if code == 0 and not left:
            return []
        how = "did not end" if code is None else f"exit code {code}, {left} processes left"
        return [f"{words}: {how}"]

    def _anew(self) -> Words:
        return self.application.start(self.case.sweep, self.place.experiment)

    def _again(self) -> Words:
        short = self.case.short and bool(self.place.sweeps())
        return self.application.start_again(self.case.sweep, self.place.experiment, short)

    def _start(self, arguments: Words) -> Command:
        return Command(arguments, self.place.folder, self.said, self.place.uri)


def try_case(
    case: Case, application: Application, store: Store, usual: Undisturbed, folder: Path
) -> Result | None:
    """Returns what came of a case in an empty folder, or None if its first fault came too late."""
    work = folder / "work"
    work.mkdir(parents=True)
    disks = [fault for fault in case.faults if isinstance(fault, FullDisk)]
    if not disks:
        place = store.place(work, folder.name, case.first)
        return Trial(case, application, usual, place, folder / "said.txt").run()
    with small_disk(work):
        place = store.place(work, folder.name, case.first)
        room = size_of(work)
        room += int(disks[0].share * (usual.size - room))
        mount("-o", f"remount,size={room}", work)
        return Trial(case, application, usual, place, folder / "said.txt").run()


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Makes a folder a disk of its own, in memory; what is there in the end is kept beside. Raises
    CalledProcessError where that is not allowed.
    """
    mount("-t", "tmpfs", "-o", "size=1g", "tmpfs", folder)
    try:
        yield
    finally:
        shutil.copytree(folder, folder.with_name("kept"), dirs_exist_ok=True)
        subprocess.run(["umount", folder], check=True)


def mount(*words: str | Path) -> None:
    """Calls mount; raises CalledProcessError where that is not allowed."""
    subprocess.run(["mount", *words], check=True, stderr=subprocess.DEVNULL)
