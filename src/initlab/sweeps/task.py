"""What Hydra runs for a training job, and the folder in which a command's jobs leave their outcomes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig

from initlab.config.targets import GROUPS
from initlab.runs.outcome import Outcome, failed, write_outcome
from initlab.signals import check
from initlab.sweeps.control import without_control
from initlab.sweeps.hydra_private import plain

if TYPE_CHECKING:
    from initlab.runs.summary import Trained
    from initlab.runs.throttle import Progress

F = TypeVar("F", bound=Callable[[DictConfig], Any])


class RememberFolder(Callback):
    """Remembers where a command's jobs leave their outcomes, for whoever sums them up."""

    folder: Path | None = None
    sweeping = False

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Is called by Hydra before a single run."""
        check()
        RememberFolder.folder, RememberFolder.sweeping = Path(config.hydra.run.dir).absolute(), False

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Is called by Hydra before a sweep."""
        check()
        RememberFolder.folder, RememberFolder.sweeping = Path(config.hydra.sweep.dir).absolute(), True


def trains_in_stacks(function: F, *, quiet: bool = False) -> F:
    """Marks a task function whose jobs the stacked launcher may train together.

    With ``quiet`` a sweep says nothing beyond its progress, and a failed job raises nothing: a program reads
    that from the outcomes.
    """
    vars(function).update(trains_in_stacks=True, quiet=quiet)  # read by initlab.sweeps.launch
    return function


def tags_of(hydra: DictConfig, sweeping: bool, variant: str = "") -> dict[str, str]:
    """Returns the options chosen from each group and, in a sweep, its name and the job's number, overrides
    and variant.
    """
    choices = hydra.runtime.choices
    tags = {group: str(choices[group]) for group in GROUPS if choices.get(group)}
    if choices.get("experiment"):
        tags["experiment"] = str(choices.experiment)
    if sweeping:
        tags |= {"sweep": Path(hydra.sweep.dir).name, "sweep_job": str(hydra.job.num)}
        tags["overrides"] = json.dumps(without_control(plain(hydra.overrides.task)), ensure_ascii=False)
    if variant:
        tags["variant"] = variant
    return tags


def train_job(cfg: DictConfig, progress: "Progress | None") -> "Trained":
    """Returns the trained job that Hydra has composed, which leaves its outcome in its folder.

    Raises what training raised, when that has been left there too.
    """
    job: Any = HydraConfig.get()
    folder, overrides = Path(job.runtime.output_dir), list(job.overrides.task)
    tags = tags_of(job, sweeping=job.mode == RunMode.MULTIRUN)
    try:
        from initlab.runs.train import run

        [trained] = run([cfg], tags=[tags], folder=job.runtime.cwd, progress=progress)
    except Exception as error:
        write_outcome(folder, failed(overrides, error))
        raise
    write_outcome(folder, Outcome(overrides, trained.summary))
    return trained
