"""In what share of all settings a conclusion survives (Simonsohn, Simmons & Nelson 2020)."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from initlab.statistics.pairs import Pair

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Specifications:
    """One pair in many settings, in rising order of the difference: the specification curve."""

    settings: Sequence[Hashable]
    pairs: Sequence[Pair]

    def share(self, verdict: str) -> float:
        """Returns the share of settings in which the pair has that verdict."""
        return sum(pair.verdict == verdict for pair in self.pairs) / len(self.pairs)


def specifications(pairs: Mapping[Key, Pair], first: str) -> Specifications:
    """Returns a pair's specification curve from the pair in each setting, seen from the entrant ``first``."""
    seen = {setting: pair.seen_from(first) for setting, pair in pairs.items()}
    ordered = sorted(seen, key=lambda setting: seen[setting].difference)
    return Specifications(ordered, [seen[setting] for setting in ordered])
