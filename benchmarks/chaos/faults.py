"""What is done to a command while it runs, and when: it is killed, its store goes away, its disk is full."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from .moments import MOMENTS
from .processes import A_MOMENT, Command
from .stores import Place

SECONDS_TO_STOP = 5
SECONDS_FOR_ORPHANS = 15  # after which what still lives is one
SECONDS_TO_END = 300

Look = Callable[[], str]


@dataclass(frozen=True)
class When:
    """At which moment, and after what share of the time that it usually lasts."""

    moment: str
    share: float

    def wait(self, command: Command, look: Look, lengths: Mapping[str, float]) -> str | None:
        """Waits until then; returns at which moment the command is now, or None if it has ended before."""
        ripe = MOMENTS[MOMENTS.index(self.moment) :]
        while command.running and look() not in ripe:
            time.sleep(2 * A_MOMENT)
        until = time.monotonic() + self.share * lengths.get(self.moment, 0)
        while command.running and time.monotonic() < until:
            time.sleep(A_MOMENT / 5)
        now = look()
        return now if command.running else None


@dataclass(frozen=True)
class Blow:
    """What came of a fault: its kind and moment; how long it took to stop, if it was to; the exit code, None
    where it had to be killed; and how many processes were left.
    """

    kind: str
    moment: str
    seconds: float | None
    code: int | None
    orphans: int

    @property
    def problems(self) -> list[str]:
        """What should not have been."""
        found = []
        if self.seconds is not None and self.seconds > SECONDS_TO_STOP:
            found.append(f"{self.kind}: stopped after {self.seconds:.1f} s")
        if self.orphans:
            found.append(f"{self.kind}: {self.orphans} processes lived on")
        if self.code is None:
            found.append(f"{self.kind}: did not end by itself")
        return found


class Fault(Protocol):
    """Something that happens to a command."""

    @property
    def kind(self) -> str:
        """What it is, in words."""

    def strike(self, command: Command, place: Place, look: Look, lengths: Mapping[str, float]) -> Blow | None:
        """Lets it happen and waits until the command has ended; returns None if that came first."""


@dataclass(frozen=True)
class Kill:
    """A signal to the parent, to a worker or to the whole process group."""

    signal: str
    target: str
    when: When

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return f"{self.signal} to the {self.target}"

    @property
    def codes(self) -> tuple[int, ...]:
        """The exit codes of a command that it has stopped, as Python and as a shell see them."""
        number = signal.Signals[self.signal].value
        return () if self.target == "worker" else (-number, 128 + number)

    def strike(self, command: Command, place: Place, look: Look, lengths: Mapping[str, float]) -> Blow | None:
        """Sends the signal. A command of which it ends one worker is to go on, any other is to stop."""
        moment = self.when.wait(command, look, lengths)
        while self.target == "worker" and command.running and not command.workers():
            time.sleep(A_MOMENT)
            moment = look()
        if moment is None or not command.running:
            return None
        command.send(signal.Signals[self.signal], self.target)
        if self.target == "worker":
            return ended(self.kind, moment, command)
        return stopped(self.kind, moment, command)


@dataclass(frozen=True)
class Outage:
    """The store goes away for some seconds, or hangs; with ``impatient``, Ctrl-C comes twice meanwhile."""

    seconds: float
    hang: bool
    impatient: bool
    when: When

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return f"the store {'hangs' if self.hang else 'is away'}{', two Ctrl-C' if self.impatient else ''}"

    def strike(self, command: Command, place: Place, look: Look, lengths: Mapping[str, float]) -> Blow | None:
        """Takes the store away and brings it back."""
        moment = self.when.wait(command, look, lengths)
        if moment is None:
            return None
        blow = None
        with place.away(self.hang):
            time.sleep(1 if self.impatient else self.seconds)
            if self.impatient and command.running:
                command.send(signal.SIGINT, "group")
                time.sleep(1)
                command.send(signal.SIGINT, "group")
                blow = stopped(self.kind, moment, command)
        return blow or ended(self.kind, moment, command)


@dataclass(frozen=True)
class FullDisk:
    """The disk has room for only a share of what the sweep writes."""

    share: float

    kind = "full disk"

    def strike(self, command: Command, place: Place, look: Look, lengths: Mapping[str, float]) -> Blow | None:
        """Waits until the command has ended, and makes room."""
        blow = ended(self.kind, "writing", command)
        subprocess.run(["mount", "-o", "remount,size=1g", place.folder], check=True)
        return blow if blow.code else None  # it fitted


def ended(kind: str, moment: str, command: Command) -> Blow:
    """Returns what came of a fault when a command has ended that was to go on as far as it could."""
    code = command.wait(SECONDS_TO_END)
    command.seconds_until_gone(SECONDS_FOR_ORPHANS)
    left = command.end()
    return Blow(kind, moment, None, code, 0 if code is None else left)


def stopped(kind: str, moment: str, command: Command) -> Blow:
    """Returns what came of a fault that was to stop a command."""
    seconds = command.seconds_until_gone(SECONDS_FOR_ORPHANS)
    code = command.process.poll()
    left = command.end()
    return Blow(kind, moment, seconds, code, 0 if code is None else left)
