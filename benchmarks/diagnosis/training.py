"""Trains lists of overrides, tracked nowhere: what can train together does, in this process."""

from collections.abc import Sequence

from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode

import initlab.terminal.command  # noqa: F401  registers what the config's folders use
from initlab.runs.summary import Trained
from initlab.runs.train import run_each
from initlab.sweeps.compose import Composer
from initlab.sweeps.job_folder import without_hydra

QUIET = ("tracking.uri=null", "plots.frames=0", "diagnostics.names=[]", "diagnostics.rare=[]")


def train(cases: Sequence[Sequence[str]]) -> list[Trained]:
    """Returns the runs of the overrides of each case, in order."""
    with initialize_config_module("initlab.conf", version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        composer = Composer(loader, loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN))
        configs = [without_hydra(composer.compose([*case, *QUIET])) for case in cases]
    done = dict(run_each(configs))
    for index, one in done.items():
        if not isinstance(one, Trained):
            raise RuntimeError(f"{' '.join(cases[index])}: {one}")
    return [one for _, one in sorted(done.items()) if isinstance(one, Trained)]
