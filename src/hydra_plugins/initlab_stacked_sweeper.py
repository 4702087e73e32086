"""``hydra/sweeper=stacked`` sweeps as Hydra's ``basic`` does, but does not compose every job to check it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hydra.core.config_store import ConfigStore

from initlab.sweeps.hydra_private import BasicSweeper


@dataclass
class StackedSweeperConf:
    """``hydra.sweeper``: what Hydra's basic sweeper takes."""

    _target_: str = "hydra_plugins.initlab_stacked_sweeper.StackedSweeper"
    max_batch_size: int | None = None
    params: dict[str, str] | None = field(default_factory=dict)


ConfigStore.instance().store(
    group="hydra/sweeper", name="stacked", node=StackedSweeperConf, provider="initlab"
)


class StackedSweeper(BasicSweeper):
    """Hydra's basic sweeper, which tries jobs that differ in numbers alone once for all."""

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Raises Hydra's error for the first job that cannot be composed."""
        from initlab.sweeps.compose import QuickLoader

        assert self.hydra_context is not None
        assert self.config is not None
        loader = self.hydra_context.config_loader
        if isinstance(loader, QuickLoader):  # which the stacked launcher brings
            loader.check_jobs(self.config, batch)
        else:
            super().validate_batch_is_legal(batch)
