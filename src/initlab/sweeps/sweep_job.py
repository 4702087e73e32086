"""One job of a sweep, and what it needs to be trained."""

from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, read_write

from initlab.runs.job import Config
from initlab.sweeps.compose import Recipe
from initlab.sweeps.job_folder import own_part, save_hydra_folder
from initlab.sweeps.task import name_of_sweep, tags_of


@dataclass(frozen=True)
class SweepJob:
    """One job: its number, overrides and recipe of its config, and how it varies beside start and seed."""

    number: int
    overrides: list[str]
    recipe: Recipe
    variant: str

    def numbered(self) -> DictConfig:
        """Returns its config, with its hydra node, in which its number stands."""
        whole = self.recipe.compose()
        whole.hydra.job.id = whole.hydra.job.num = self.number
        return whole


@dataclass(frozen=True)
class Prepared:
    """A job that has its folder: its whole config, its own part of it resolved, its tags, and the folder that
    its command was started in. Jobs that are prepared together may share the whole config.
    """

    job: SweepJob
    whole: DictConfig
    cfg: Config
    folder: Path
    tags: dict[str, str]
    home: Path


def prepare(job: SweepJob, elsewhere: Path | None = None) -> Prepared:
    """Returns a job, composed anew and with its folder; ``elsewhere`` is where its sweep's folder shall be if
    the command's own folder is not there.
    """
    whole = job.numbered()
    if elsewhere:
        with read_write(whole.hydra):
            whole.hydra.sweep.dir = str(elsewhere / name_of_sweep(whole.hydra.sweep.dir))
    folder, home = save_hydra_folder(whole), Path(whole.hydra.runtime.cwd)
    return Prepared(job, whole, own_part(whole), folder, tags_of(whole.hydra, True, job.variant), home)
