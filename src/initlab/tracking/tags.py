"""What surrounds a run and may explain it: who, from which code, with which versions."""

import getpass
import platform
import subprocess
import sys
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

SHOWN_VERSIONS = ("initlab", "numpy", "scikit-learn", "mlflow", "hydra-core")


@lru_cache
def environment_tags(folder: Path) -> dict[str, str]:
    """Returns tags for the user, the versions and, where folder is in a git repository, its commit and state.

    The names that begin with 'mlflow.' are those that MLflow's own UI shows.
    """
    tags = {f"version.{name}": version(name) for name in SHOWN_VERSIONS}
    tags["version.python"] = platform.python_version()
    tags["mlflow.user"] = getpass.getuser()
    tags["mlflow.source.name"] = Path(sys.argv[0]).name
    tags["mlflow.source.type"] = "LOCAL"
    commit = _git(folder, "rev-parse", "HEAD")
    if commit:
        tags["git.commit"] = tags["mlflow.source.git.commit"] = commit
        changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
        tags["git.dirty"] = str(bool(changes)).lower()
    return tags


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:  # no git on this machine: a run without a commit is still a run
        return None
    return done.stdout.strip() if done.returncode == 0 else None
