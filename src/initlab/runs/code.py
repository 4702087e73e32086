"""The source that all runs' numbers come from, as a digest."""

from functools import cache
from hashlib import sha256
from pathlib import Path

HOME = Path(__file__).parents[1]
# All that a run's numbers pass through. The data count by what they hold and not by what made them; and what
# tracks, tells and draws changes no number.
NUMERICAL = (
    "activations.py", "diagnostics", "initializers", "networks", "optimizers", "runs/job.py", "runs/train.py",
    "streams.py", "theory", "training",
)  # fmt: skip


@cache
def numerical_code() -> str:
    """Returns a digest of the source of Initlab's own that every run's numbers come from."""
    content = sha256()
    for name in NUMERICAL:
        for path in sorted((HOME / name).rglob("*.py")) or [HOME / name]:
            content.update(f"{path.relative_to(HOME).as_posix()}\n".encode())
            content.update(path.read_bytes())
    return content.hexdigest()
