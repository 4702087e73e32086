"""The microscope's command: Hydra composes, ``look`` looks and keeps, the terminal shows."""

import sys
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from initlab.config.targets import name_of_choice
from initlab.config.trust import refuse_in
from initlab.errors import InitlabError
from initlab.passwords import hidden_in_words
from initlab.signals import check, stop_on_signals
from initlab.sweeps.hydra_private import plain
from initlab.sweeps.launched import Launched
from initlab.sweeps.task import name_of_sweep
from initlab.terminal.application import (
    NO_JOBS,
    run_application,
    sweeps_over_nothing,
    wants_tracebacks,
)
from initlab.terminal.stopping import AT_ONCE, words_of_stop


def _options(group: str) -> str:
    return ", ".join(sorted(GlobalHydra.instance().config_loader().get_group_options(group)))


# Hydra's $APP_CONFIG_GROUPS would list the groups of training too.
OmegaConf.register_new_resolver("options", _options, replace=True)

LOOKED: list[str] = []
"""The folders of the jobs of this command that have begun."""

FAILURES: list[str] = []
"""What went wrong in which job of this command."""


@hydra.main(version_base="1.3", config_path="pkg://initlab.conf", config_name="propagate")
def propagate(cfg: DictConfig) -> float | None:
    """Looks at one start and returns its χ1, if there is one. A job that fails stops no other."""
    check()
    job: Any = HydraConfig.get()
    LOOKED.append(job.runtime.output_dir)
    try:
        refuse_in(job.job.env_set)
        from initlab.propagation.run import look

        tags = _tags(cfg, job)
        setup, observation, address = look(cfg, tags, job.runtime.cwd)
    except InitlabError as error:
        if wants_tracebacks():
            raise
        sweeping = job.mode == RunMode.MULTIRUN
        FAILURES.append(f"{' '.join(plain(job.overrides.task))}: {error}" if sweeping else str(error))
        print(FAILURES[-1], file=sys.stderr)
        return None
    from initlab.terminal.propagation_table import print_observation

    print_observation(setup, tags, observation, address, job.runtime.cwd)
    return None if observation.phase is None else observation.phase.chi


def main() -> None:
    """Runs the command line; exits with 1 if a job has failed, with a signal's code if that stopped it."""
    stop_on_signals(AT_ONCE)
    sys.argv[1:] = hidden_in_words(sys.argv[1:])
    if stopped := run_application(propagate, "propagate"):
        print(*words_of_stop(stopped, [], Launched()), sep="\n", file=sys.stderr)
        sys.exit(128 + stopped.signum)
    if sweeps_over_nothing(bool(LOOKED)):
        sys.exit(NO_JOBS)
    if FAILURES:
        sys.exit(1)


def _tags(cfg: DictConfig, job: Any) -> dict[str, str]:
    from initlab.propagation.setup import GROUPS

    targets = {group: str(OmegaConf.select(cfg, f"{group}._target_")) for group in GROUPS}
    tags = {group: name_of_choice(group, job.runtime.choices[group], targets[group]) for group in GROUPS}
    if job.mode == RunMode.MULTIRUN:
        tags |= {"sweep": name_of_sweep(job.sweep.dir), "sweep_job": str(job.job.num)}
    return tags
