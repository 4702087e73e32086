"""``hydra/sweeper=stacked`` sweeps as Hydra's ``basic`` does, but does not compose every job to check it."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class StackedSweeperConf:
    """``hydra.sweeper``: what Hydra's basic sweeper takes."""

    _target_: str = "hydra_plugins.initlab_stacked_sweeper.StackedSweeper"
    max_batch_size: int | None = None
    params: dict[str, str] | None = field(default_factory=dict)


ConfigStore.instance().store(
    group="hydra/sweeper", name="stacked", node=StackedSweeperConf, provider="initlab"
)


class StackedSweeper(Sweeper):
    """Hydra's basic sweeper, which tries jobs that differ in numbers alone once for all."""

    def __init__(self, max_batch_size: int | None, params: dict[str, str] | None) -> None:
        from initlab.sweeps.hydra_private import basic_sweeper

        self._basic = basic_sweeper(max_batch_size, params)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Takes what the sweep needs, and has the loader that the stacked launcher brings try its jobs."""
        from initlab.sweeps.compose import QuickLoader

        self._basic.setup(hydra_context=hydra_context, task_function=task_function, config=config)
        loader = hydra_context.config_loader
        if isinstance(loader, QuickLoader):
            self._basic.validate_batch_is_legal = partial(loader.check_jobs, config)

    def sweep(self, arguments: list[str]) -> Any:
        """Returns what each batch of jobs returned; raises Hydra's error for one that cannot be composed."""
        return self._basic.sweep(arguments)
