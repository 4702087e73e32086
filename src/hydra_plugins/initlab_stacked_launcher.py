"""``hydra/launcher=stacked`` trains the jobs of a sweep as stacks. Hydra looks for launchers only here.

It does so whenever it starts, so this is also where Initlab's configs get their resolvers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from initlab.config.options import setup_resolvers

setup_resolvers()


@dataclass
class StackedLauncherConf:
    """``hydra.launcher``: how many processes train at once (null: one for each core this process may use),
    and whether seeds are added until every pair of starts is ``decided``, up to ``at_most`` for each start.
    """

    _target_: str = "hydra_plugins.initlab_stacked_launcher.StackedLauncher"
    n_jobs: int | None = None
    until: str | None = None
    at_most: int = 200


ConfigStore.instance().store(
    group="hydra/launcher", name="stacked", node=StackedLauncherConf, provider="initlab"
)


class StackedLauncher(Launcher):
    """Hydra's side of ``initlab.sweeps.launch``, which is imported only when a sweep begins."""

    def __init__(self, n_jobs: int | None, until: str | None, at_most: int) -> None:
        self._wanted = n_jobs, until, at_most

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Takes what every launch needs, and makes the sweeper's own composing of each job quick too."""
        from initlab.sweeps.compose import QuickLoader
        from initlab.sweeps.size import check_size

        check_size(config, hydra_context.config_loader)
        hydra_context.config_loader = QuickLoader(hydra_context.config_loader)
        self._context, self._task_function, self._config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Returns what each job returned or failed with, in order."""
        from initlab.sweeps.launch import Sweep, launch
        from initlab.terminal.progress import SweepProgress

        sweep = Sweep(self._context, self._task_function, self._config, *self._wanted, SweepProgress)
        return launch(sweep, [list(overrides) for overrides in job_overrides], initial_job_idx)
