"""All that is known of one run: enough to write it into a store again from nothing."""

import secrets
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from initlab.tracking.description import Description
from initlab.tracking.writer import Ending, Series, now


def new_id() -> str:
    """Returns 32 hex digits that nothing else has, greater than those of a millisecond ago: a UUID of
    version 7 (RFC 9562, 2024).

    A database's indexes grow at their ends by such ids. By random ones each run changes other pages of every
    index, and the more of them the more runs there are.
    """
    random = secrets.token_hex(9)
    return f"{now():012x}7{random[:3]}8{random[3:]}"


@dataclass(eq=False)
class Record:
    """A run's description within MLflow's limits, when it started (ms since 1970), its metrics, those of its
    files that no store has, and how it ended, if it has.

    ``key`` is the id that Initlab gives it, and an SQL database too; ``run_id`` is the store's, which servers
    choose by themselves: None as long as it has not.
    """

    description: Description
    started: int
    key: str = field(default_factory=new_id)
    run_id: str | None = None
    series: list[Series] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    ending: Ending | None = None

    @property
    def id(self) -> str:
        """The run's id, as far as it is known."""
        return self.run_id or self.key

    @property
    def endings(self) -> list[Ending]:
        """The ending of the run under its id; none of a run that has not ended."""
        return [self.ending._replace(run_id=self.id)] if self.ending else []

    def merged(self) -> list[Series]:
        """Returns one series for each metric under the run's id, in rising order of the steps."""
        ordered = sorted(self.series, key=lambda one: one.key)
        return [_joined(self.id, list(of)) for _, of in groupby(ordered, key=lambda one: one.key)]


def _joined(run_id: str, parts: list[Series]) -> Series:
    values, steps, times = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("values", "steps", "timestamps")
    )
    order = np.lexsort((values, times, steps))
    return Series(run_id, parts[0].key, values[order], steps[order], times[order])
