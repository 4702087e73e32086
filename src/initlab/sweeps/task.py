"""What Hydra runs for a training job, and the folder in which a command's jobs leave their outcomes."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from initlab.config.targets import GROUPS
from initlab.config.trust import refuse_in
from initlab.runs.outcome import Outcome, failed, forget_together, write_outcome
from initlab.signals import check
from initlab.sweeps.control import without_control
from initlab.sweeps.hydra_private import plain

if TYPE_CHECKING:
    from initlab.runs.summary import Trained
    from initlab.runs.throttle import Progress

F = TypeVar("F", bound=Callable[[DictConfig], Any])


class JobFailed(CompactHydraException):
    """Says in a line why a job of a sweep failed; the closing words tell that of all of them."""


class RememberFolder(Callback):
    """Remembers where a command's jobs leave their outcomes, for whoever sums them up."""

    folder: Path | None = None
    sweeping = False

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Is called by Hydra before a single run."""
        check()
        _remember(config, "hydra.run.dir", sweeping=False)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Is called by Hydra before a sweep."""
        check()
        _remember(config, "hydra.sweep.dir", sweeping=True)
        if RememberFolder.folder is not None:
            forget_together(RememberFolder.folder)


def _remember(config: DictConfig, key: str, sweeping: bool) -> None:
    RememberFolder.folder, RememberFolder.sweeping = None, sweeping
    with suppress(OmegaConfBaseException):  # Hydra, which asks for it next, says what is wrong with it
        RememberFolder.folder = Path(str(OmegaConf.select(config, key))).absolute()


def trains_in_stacks(function: F, *, quiet: bool = False) -> F:
    """Marks a task function whose jobs the stacked launcher may train together.

    With ``quiet`` a sweep says nothing beyond its progress, and a failed job raises nothing: a program reads
    that from the outcomes.
    """
    vars(function).update(trains_in_stacks=True, quiet=quiet)  # read by initlab.sweeps.launch
    return function


def name_of_sweep(folder: Path | str) -> str:
    """Returns what a sweep is called by: its folder's name, with a dash for what MLflow's cannot hold."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(folder).name)


def tags_of(hydra: DictConfig, sweeping: bool, variant: str = "") -> dict[str, str]:
    """Returns the options chosen from each group and, in a sweep, its name and the job's number, overrides
    and variant.
    """
    return tags_in(plain(hydra), hydra.sweep.dir if sweeping else None, variant)


def tags_in(hydra: Mapping[str, Any], sweep: Path | str | None, variant: str = "") -> dict[str, str]:
    """Returns what ``tags_of`` does, of plain values; ``sweep`` is the folder of a sweep, if it is one."""
    choices = hydra["runtime"]["choices"]
    tags = {group: str(choices[group]) for group in GROUPS if choices.get(group)}
    if choices.get("experiment"):
        tags["experiment"] = str(choices["experiment"])
    if sweep is not None:
        tags |= {"sweep": name_of_sweep(sweep), "sweep_job": str(hydra["job"]["num"])}
        own = without_control(hydra["overrides"]["task"])
        tags["overrides"] = json.dumps(own, ensure_ascii=False)
    if variant:
        tags["variant"] = variant
    return tags


def train_job(cfg: DictConfig, progress: "Progress | None") -> "Trained":
    """Returns the trained job that Hydra has composed, which leaves its outcome in its folder.

    Raises what training raised, when that has been left there too.
    """
    job: Any = HydraConfig.get()
    folder, overrides = Path(job.runtime.output_dir), plain(job.overrides.task)
    write_outcome(folder, Outcome(overrides))
    tags = tags_of(job, sweeping=job.mode == RunMode.MULTIRUN)
    try:
        refuse_in(job.job.env_set)
        from initlab.runs.train import run

        [trained] = run([cfg], tags=[tags], folder=job.runtime.cwd, progress=progress)
    except Exception as error:
        write_outcome(folder, failed(overrides, error))
        raise
    write_outcome(folder, Outcome(overrides, trained.summary))
    return trained
