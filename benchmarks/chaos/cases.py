"""A case: a sweep in a fresh folder, what happens to it, and how it goes on. All follows from a seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .faults import Fault, FullDisk, Kill, Outage, When
from .moments import MOMENTS, TRAINING

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGKILL")
TARGETS = ("parent", "worker", "group")


@dataclass(frozen=True)
class Case:
    """What is done: which sweep on which kind of store, whether it is the ``first`` that was ever tracked
    there, the faults one after the other, and whether it is then gone on with ``twice`` at once and by the
    ``short`` command.
    """

    number: int
    store: str
    sweep: str
    first: bool
    faults: Sequence[Fault]
    twice: bool
    short: bool

    @property
    def kind(self) -> str:
        """Its first fault, in words."""
        return self.faults[0].kind


@dataclass(frozen=True)
class Wanted:
    """Which cases are drawn: from which seed, of which sweeps and stores, whether of kills, outages or full
    disks, and what is killed.
    """

    seed: int
    sweeps: Sequence[str]
    stores: Sequence[str]
    what: str = "kills"
    targets: Sequence[str] = TARGETS


def draw(wanted: Wanted, number: int, tried: int = 0) -> Case:
    """Returns a case by its number; what was ``tried`` so often, and came too late, comes earlier now."""
    rng = np.random.default_rng([wanted.seed, sum(wanted.what.encode()), number])
    store, sweep = str(rng.choice(wanted.stores)), str(rng.choice(wanted.sweeps))
    first = bool(rng.random() < 0.4)
    if wanted.what == "kills":
        faults: list[Fault] = [_kill(rng, wanted.targets, number, tried)]
        while rng.random() < 0.2:  # what goes on is killed too
            faults.append(_kill(rng, wanted.targets, int(rng.integers(12)), tried))
    elif wanted.what == "outages":
        first, faults = False, [_outage(rng, store, tried)]
    else:
        store, first, faults = "sqlite", False, [FullDisk(float(rng.uniform(0, 0.9)) * 0.7**tried)]
    return Case(number, store, sweep, first, faults, bool(rng.random() < 0.15), bool(rng.random() < 0.5))


def _kill(rng: np.random.Generator, targets: Sequence[str], number: int, tried: int) -> Kill:
    """Returns a kill at any moment; the kinds of kills take turns."""
    target = targets[number // len(SIGNALS) % len(targets)]
    return Kill(SIGNALS[number % len(SIGNALS)], target, _when(rng, MOMENTS, tried))


def _outage(rng: np.random.Generator, store: str, tried: int) -> Outage:
    """Returns an outage of 1 to 60 seconds at any moment up to the training's."""
    when = _when(rng, MOMENTS[: MOMENTS.index(TRAINING) + 1], tried)
    hang = store == "server" and bool(rng.random() < 0.5)
    return Outage(float(60 ** rng.random()), hang, bool(rng.random() < 0.25), when)


def _when(rng: np.random.Generator, moments: Sequence[str], tried: int) -> When:
    return When(moments[max(0, int(rng.integers(len(moments))) - tried)], float(rng.random()))
