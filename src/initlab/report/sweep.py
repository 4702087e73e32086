"""What a report is about: a sweep that has ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from initlab.runs.outcome import Outcome


@dataclass(frozen=True)
class Sweep:
    """A sweep that has ended: its name, its experiment, the command that made it, what its jobs came to, and
    the modules, beside Initlab's own, whose functions its configs may name.
    """

    name: str
    experiment: str
    command: str
    outcomes: Sequence[Outcome]
    allow_targets: Sequence[str] = ()
