"""The words of a command that say whether, how and how far to go on with what it did before."""

from collections.abc import Sequence
from typing import Any

RESUME, DRY_RUN = "resume=true", "dry_run=true"
CONTROL = ("resume=", "dry_run=", "stretch=")


def without_control(overrides: Sequence[str]) -> list[str]:
    """Returns overrides but those that say whether, how and how far to go on, which determine no run."""
    return [override for override in overrides if not override.startswith(CONTROL)]


def is_search(hydra: Any) -> bool:
    """Returns whether Hydra's own config asks for trials that are chosen as one goes, not for given jobs."""
    return "n_trials" in hydra.sweeper
