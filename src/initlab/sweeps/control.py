"""The words of a command that say whether and how to go on with what it did before."""

from collections.abc import Sequence

RESUME, DRY_RUN = "resume=true", "dry_run=true"
CONTROL = ("resume=", "dry_run=")


def without_control(overrides: Sequence[str]) -> list[str]:
    """Returns overrides but those that say whether and how to go on, which determine no run."""
    return [override for override in overrides if not override.startswith(CONTROL)]
