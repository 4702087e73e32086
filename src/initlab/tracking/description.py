"""What is said of a run when it starts: parameters, tags, data and surroundings, as far as MLflow allows."""

import getpass
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from initlab.errors import TrackingError
from initlab.tracking.process import this_process

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

SHOWN_VERSIONS = ("initlab", "numpy", "scipy", "scikit-learn", "mlflow", "hydra-core")


class HasEntity(Protocol):
    """What MLflow can show as the data of a run."""

    @property
    def entity(self) -> "DatasetInput":
        """MLflow's entity."""


@dataclass(frozen=True, eq=False)
class Data:
    """The examples X (m, …) and targets Y (m, …) that a run trains on, their name and their source.

    Runs that share one Data share MLflow's entity of it, whose digest takes its time.
    """

    name: str
    source: str
    X: NDArray[Any]
    Y: NDArray[Any]

    @cached_property
    def entity(self) -> "DatasetInput":
        """MLflow's entity: name, source and digest of the examples, marked as what is trained on."""
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.numpy_dataset import NumpyDataset
        from mlflow.entities import DatasetInput, InputTag

        source = CodeDatasetSource({"mlflow.source.name": self.source})
        entity = NumpyDataset(self.X, source, self.Y, self.name)._to_mlflow_entity()
        return DatasetInput(entity, [InputTag("mlflow.data.context", "training")])


@dataclass(frozen=True)
class Description:
    """What is known of a run before it starts. A run that sees no data has none."""

    name: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    data: HasEntity | None = None


@lru_cache
def environment_tags(folder: Path) -> dict[str, str]:
    """Returns tags for the user, the versions of what is installed and, where folder is in a git repository,
    its commit and state.

    The names that begin with 'mlflow.' are those that MLflow's own UI shows.
    """
    tags = {"version.python": platform.python_version()}
    for name in SHOWN_VERSIONS:
        with suppress(PackageNotFoundError):  # another project tracks its runs without it
            tags[f"version.{name}"] = version(name)
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


def completed(description: Description, folder: Path) -> Description:
    """Returns the description with the tags that every run has, and within MLflow's limits.

    Values that are too long are cut; raises TrackingError for a name that MLflow would refuse.
    """
    from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH

    known = {"process": this_process().tag, "mlflow.runName": description.name}
    tags = {**environment_tags(folder), **description.tags, **known}
    parameters = _cut(description.parameters, MAX_PARAM_VAL_LENGTH)
    return replace(description, parameters=parameters, tags=fitting_tags(tags))


def fitting_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Returns the tags with values that are too long cut; raises TrackingError for a bad name."""
    from mlflow.utils.validation import MAX_TAG_VAL_LENGTH

    return _cut(tags, MAX_TAG_VAL_LENGTH)


def _cut(values: Mapping[str, str], longest: int) -> dict[str, str]:
    check_names(values)
    return {name: value[:longest] for name, value in values.items()}


def check_names(names: Iterable[str]) -> None:
    """Raises TrackingError for a name that MLflow would refuse."""
    for name in names:
        _check(name)


@lru_cache(maxsize=1024)
def _check(name: str) -> None:
    from mlflow.utils import validation

    # MLflow leaves both functions untyped.
    allowed = validation.validate_param_and_metric_name(name)  # type: ignore[no-untyped-call]
    if not allowed or validation.path_not_unique(name):  # type: ignore[no-untyped-call]
        raise TrackingError(
            f"{name}: cannot be a name in MLflow, which allows letters, digits, spaces and _ - . : /"
        )
    longest = validation.MAX_ENTITY_KEY_LENGTH
    if len(name) > longest:
        raise TrackingError(f"{name}: is longer than the {longest} characters MLflow allows")
