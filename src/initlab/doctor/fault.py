"""What a check finds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from initlab.tracking.inspection import TrackedRun


@dataclass(frozen=True)
class Fault:
    """Something that is wrong: what was ``found``, what ``fix=true`` does or a user can do (``remedy``), the
    runs it is about, and ``mend``, which mends it and returns what it did; None where that cannot be done.

    A ``harmless`` one is only worth to be known.
    """

    found: str
    remedy: str
    runs: Sequence[TrackedRun] = ()
    mend: Callable[[], str] | None = None
    harmless: bool = False
