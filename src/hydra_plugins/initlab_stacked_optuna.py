"""``hydra/sweeper=stacked_optuna`` searches with Optuna. Hydra looks for sweepers only here."""

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

MISSING = "hydra/sweeper=stacked_optuna: needs Optuna; pip install 'initlab[optuna]'"


@dataclass
class StackedOptunaConf:
    """``hydra.sweeper``: what is searched and how; ``initlab.search.settings`` says what each may be.

    ``params`` are overrides by key, as on the command line; ``search_space`` says the same as ``type``,
    ``low``, ``high``, ``log``, ``step`` and ``choices``.
    """

    _target_: str = "hydra_plugins.initlab_stacked_optuna.StackedOptuna"
    n_trials: Any = 32
    batch: Any = 8
    seeds: Any = 8
    sampler: Any = "tpe"
    pruner: Any = "median"
    rungs: Any = field(default_factory=lambda: [10, 30])
    diagnoses: Any = field(default_factory=lambda: ["diverged", "symmetry never broken", "saturated start"])
    best: Any = 3
    fresh_seeds: Any = 20
    seed: Any = 0
    search_space: Any = None
    params: Any = None


ConfigStore.instance().store(
    group="hydra/sweeper", name="stacked_optuna", node=StackedOptunaConf, provider="initlab"
)


class StackedOptuna(Sweeper):
    """Hydra's side of ``initlab.search``, which is imported only when a search begins."""

    def __init__(self, search_space: Any, params: Any, **settings: Any) -> None:
        self._space, self._params, self._settings = search_space or {}, params or {}, settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Makes the launcher; raises ConfigError where Optuna is not installed."""
        from initlab.errors import ConfigError

        if find_spec("optuna") is None:
            raise ConfigError(MISSING)
        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Searches; what came of it is left in the sweep's folder."""
        from initlab.search.search import search
        from initlab.search.settings import settings_of
        from initlab.search.space import read_space

        assert self.config is not None
        assert self.hydra_context is not None
        assert self.launcher is not None
        loader = self.hydra_context.config_loader
        settings = settings_of(self._settings, self.config.hydra)
        space = read_space(self._space, self._params, arguments, loader)
        search(self.config, loader, self.launcher, settings, space)
