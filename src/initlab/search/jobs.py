"""The jobs of a search: they go to the launcher that the command has, and their outcomes come back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from initlab.errors import ConfigError
from initlab.runs import checkpoints
from initlab.runs.job import Job, build
from initlab.runs.outcome import Outcome, read_outcome
from initlab.sweeps.group import Returned
from initlab.sweeps.job_folder import own_part
from initlab.sweeps.launched import launched


class Jobs(Protocol):
    """What a search asks of whoever trains for it. A job is its overrides."""

    def train(self, jobs: Sequence[Sequence[str]]) -> list[Outcome]:
        """Returns what each job came to, in order."""

    def iterations(self, job: Sequence[str]) -> int:
        """Returns how many iterations a job's whole training has."""

    def forget(self, jobs: Sequence[Sequence[str]]) -> None:
        """Takes that jobs, which may have been left standing, will not go on."""


class LaunchedJobs:
    """Jobs of a Hydra sweep."""

    def __init__(self, config: DictConfig, loader: ConfigLoader, launcher: Launcher) -> None:
        self._config, self._loader, self._launcher = config, loader, launcher
        self.folder = Path(str(config.hydra.sweep.dir)).absolute()
        self._next = 0

    def train(self, jobs: Sequence[Sequence[str]]) -> list[Outcome]:
        """Returns what each job came to, in order; launches them at once, under numbers that none had."""
        first = max(self._next, launched(self.folder).jobs)
        self._next = first + len(jobs)
        return [_outcome_of(one) for one in self._launcher.launch(jobs, initial_job_idx=first)]

    def iterations(self, job: Sequence[str]) -> int:
        """Returns how many iterations a job's whole training has."""
        return int(self.config(job).train.iterations)

    def forget(self, jobs: Sequence[Sequence[str]]) -> None:
        """Removes the checkpoints of jobs that will not go on, where any are left: a job that has finished
        removes its own, but not one that had finished before.
        """
        cwd = Path(str(self._config.hydra.runtime.cwd))
        for job in jobs:
            if any((cwd / checkpoints.FOLDER).glob("*")):
                checkpoints.remove(self.built(job), cwd)

    def built(self, overrides: Sequence[str]) -> Job:
        """Returns a job, built and checked; raises ConfigError where it cannot be."""
        return build(self.config(overrides), {})

    def config(self, overrides: Sequence[str]) -> DictConfig:
        """Returns a job's config, resolved, without its hydra node; raises Hydra's error where Hydra does."""
        whole = self._loader.load_sweep_config(self._config, list(overrides))
        whole.hydra.job.id = whole.hydra.job.num = 0
        return own_part(whole)


def _outcome_of(returned: JobReturn) -> Outcome:
    if isinstance(returned, Returned):
        return returned.outcome
    own: Any = returned.hydra_cfg  # of a job that Hydra itself has run
    return read_outcome(Path(own.hydra.runtime.output_dir))


def validation_words(dataset: Any) -> list[str]:
    """Returns the overrides that give a dataset the validation part that a search chooses by: none where it
    has one. Raises ConfigError where it can have none.
    """
    if "n_validation" in dataset:
        return [] if dataset.n_validation else [f"dataset.n_validation={dataset.n_test}"]
    if "validation_share" in dataset:
        return [] if dataset.validation_share else [f"dataset.validation_share={dataset.test_share}"]
    raise ConfigError(
        f"dataset._target_={dataset._target_}: has no validation part, by which a search must choose"
    )
