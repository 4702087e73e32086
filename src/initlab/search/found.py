"""What a search has found, left in its sweep's folder for the closing words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from initlab.files import write_whole

FILE = "search.json"


@dataclass(frozen=True)
class Candidate:
    """A setting: the overrides that were chosen, the number of its trial, the value by which it was chosen,
    and the validation and test scores of fresh seeds.
    """

    overrides: Sequence[str]
    trial: int
    value: float
    validation: Sequence[float] = ()
    test: Sequence[float] = ()


@dataclass(frozen=True)
class Found:
    """The trials of a search, so many ``wanted``: how many went to their end with how many different
    settings, were pruned because others were ahead, or for a diagnosis; how many failed; which share of the
    training of all was saved by pruning; and the best settings, the first by the value in the search.

    ``seeds`` are those of every trial, the first and how many; ``fresh_seeds`` likewise those of no trial.
    """

    wanted: int
    seeds: Sequence[int]
    fresh_seeds: Sequence[int]
    score: str
    classifies: bool
    whole: int = 0
    different: int = 0
    behind: int = 0
    diagnosed: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    saved: float = 0.0
    best: Sequence[Candidate] = ()

    @property
    def ended(self) -> int:
        """How many trials have come to a value, or were pruned."""
        return self.whole + self.behind + sum(self.diagnosed.values())

    def write(self, folder: Path) -> None:
        """Leaves it in the sweep's folder."""
        write_whole(folder / FILE, json.dumps(asdict(self), indent=1).encode())


def found_in(folder: Path) -> Found | None:
    """Returns what the search of a folder has found so far; None where there is no search."""
    file = folder / FILE
    if not file.is_file():
        return None
    left = json.loads(file.read_text())
    return Found(**{**left, "best": [Candidate(**one) for one in left["best"]]})
