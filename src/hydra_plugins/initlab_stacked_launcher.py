"""``hydra/launcher=stacked`` trains the jobs of a sweep as stacks, in processes of this machine; with
``stacked_ray`` and ``stacked_slurm`` they are trained where Ray or SLURM has room. Hydra looks for launchers
only here.

It does so whenever it starts, so this is also where Initlab's configs get their resolvers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from initlab.config.options import setup_resolvers

if TYPE_CHECKING:
    from initlab.sweeps.executors.protocol import Executor

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


@dataclass
class StackedRayLauncherConf(StackedLauncherConf):
    """The same on Ray: ``n_jobs`` batches at once (null: as many as the cluster has room for), each on
    ``cpus_per_task`` cores, in the cluster at ``address`` (null: one that is begun on this machine).
    """

    _target_: str = "hydra_plugins.initlab_stacked_launcher.StackedRayLauncher"
    address: str | None = None
    cpus_per_task: int = 1


@dataclass
class StackedSlurmLauncherConf:
    """The same by SLURM's job arrays (``cluster=local``: by processes of this machine, without SLURM).

    Each element of an array trains up to ``batches_per_task`` batches of jobs one after another, on
    ``cpus_per_task`` cores with ``mem_gb`` of memory, for at most ``timeout_min`` minutes, after which it is
    queued again; at most ``array_parallelism`` of them at once. ``additional_parameters`` are sbatch's own.
    Without ``wait`` the command ends when all is submitted.
    """

    _target_: str = "hydra_plugins.initlab_stacked_launcher.StackedSlurmLauncher"
    cluster: str = "slurm"
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    timeout_min: int = 60
    signal_delay_s: int = 90
    cpus_per_task: int = 1
    mem_gb: float | None = None
    array_parallelism: int = 32
    batches_per_task: int = 4
    setup: list[str] = field(default_factory=list)
    additional_parameters: dict[str, Any] = field(default_factory=dict)
    wait: bool = True
    until: str | None = None
    at_most: int = 200


for _name, _conf in (
    ("stacked", StackedLauncherConf),
    ("stacked_ray", StackedRayLauncherConf),
    ("stacked_slurm", StackedSlurmLauncherConf),
):
    ConfigStore.instance().store(group="hydra/launcher", name=_name, node=_conf, provider="initlab")


class StackedLauncher(Launcher):
    """Hydra's side of ``initlab.sweeps.launch``, which is imported only when a sweep begins."""

    def __init__(self, until: str | None, at_most: int, **where: Any) -> None:
        self._seeds, self._where = (until, at_most), where

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

        given = self._context, self._task_function, self._config
        sweep = Sweep(*given, self._executor(), *self._seeds, SweepProgress)
        return launch(sweep, [list(overrides) for overrides in job_overrides], initial_job_idx)

    def _executor(self) -> "Executor":
        from initlab.sweeps.executors.processes import Processes

        return Processes(**self._where)


class StackedRayLauncher(StackedLauncher):
    """The same on a Ray cluster."""

    def _executor(self) -> "Executor":
        from initlab.sweeps.executors.ray import OnRay

        return OnRay(**self._where)


class StackedSlurmLauncher(StackedLauncher):
    """The same by SLURM."""

    def _executor(self) -> "Executor":
        from initlab.sweeps.executors.slurm import OnSlurm

        folder = Path(str(self._config.hydra.sweep.dir)).absolute()
        return OnSlurm(folder, **self._where)
