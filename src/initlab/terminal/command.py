"""The command: Hydra composes, ``experiment`` runs, the terminal shows. Nothing imports this but the
entry points.
"""

import os
import sys
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import uuid4

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from initlab.errors import InitlabError
from initlab.signals import Stopped, stop_on_signals
from initlab.sweep.outcome import Outcome, failed, read_outcomes, remove_unstarted, write_outcome

# Two sweeps may start in the same second; this keeps their folders apart.
OmegaConf.register_new_resolver("unique", lambda: uuid4().hex[:8], use_cache=True, replace=True)


class RememberFolder(Callback):
    """Remembers where this command's jobs leave their outcomes, for ``main`` to sum them up."""

    folder: Path | None = None

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Is called by Hydra before a single run."""
        RememberFolder.folder = Path(config.hydra.run.dir).absolute()

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Is called by Hydra before a sweep."""
        RememberFolder.folder = Path(config.hydra.sweep.dir).absolute()


def trains_in_stacks(function: Callable[[DictConfig], float]) -> Callable[[DictConfig], float]:
    """Marks a task function whose jobs the stacked launcher may train together."""
    function.trains_in_stacks = True  # type: ignore[attr-defined]  # read by initlab.sweep.launch
    return function


@hydra.main(version_base="1.3", config_path="pkg://initlab.conf", config_name="config")
@trains_in_stacks
def train(cfg: DictConfig) -> float:
    """Trains one job and returns its final cost, infinite if it diverged, so that a sweeper can minimize
    it.
    """
    from initlab.sweep.group import tags_of

    stop_on_signals()
    job: Any = HydraConfig.get()
    folder, overrides = Path(job.runtime.output_dir), list(job.overrides.task)
    tags = tags_of(job, sweeping=job.mode == RunMode.MULTIRUN)
    try:
        from initlab.runs.train import run
        from initlab.terminal.progress import ProgressLine

        with ProgressLine() as line:
            [trained] = run([cfg], tags=[tags], folder=job.runtime.cwd, progress=line)
    except (Exception, Stopped) as error:
        write_outcome(folder, failed(overrides, error))
        if isinstance(error, InitlabError) and job.mode == RunMode.RUN and not _full_errors():
            sys.exit(1)  # the closing summary says it in one line
        raise
    outcome = Outcome(overrides, trained.summary)
    write_outcome(folder, outcome)
    return outcome.objective


def main() -> None:
    """Runs the command line; whatever happened, closes with what the jobs left behind and a true exit
    code.
    """
    refuse_null_choices(sys.argv[1:])
    from initlab.terminal.suggestions import explained

    try:
        with explained("config"):
            train()
    except Stopped as stopped:
        print(f"Stopped by {stopped}. What was training is marked KILLED.", file=sys.stderr)
        sys.exit(128 + stopped.signum)
    finally:
        if RememberFolder.folder is not None:
            from initlab.terminal.summary import print_summary

            print_summary(read_outcomes(RememberFolder.folder))
            remove_unstarted(RememberFolder.folder)


def refuse_null_choices(arguments: Sequence[str]) -> None:
    """Exits with a line that names the options where null is chosen from a group: Hydra would show a
    traceback.
    """
    for argument in arguments:
        group, _, choices = argument.partition("=")
        folder = resources.files("initlab.conf") / group
        if "null" in choices.split(",") and group.isidentifier() and folder.is_dir():
            options = sorted(Path(file.name).stem for file in folder.iterdir() if file.name.endswith(".yaml"))
            sys.exit(f"{group}=null: must be one of {', '.join(options)}")


def _full_errors() -> bool:
    return os.environ.get("HYDRA_FULL_ERROR", "0") not in ("", "0")
