"""A sweep's job configs, equal to Hydra's own at a small part of the cost.

Hydra reads all YAML files anew for every job. But it composes in two steps: the chosen options of groups
give a config, and then the other overrides change values in it. So jobs that choose the same options share
the first step, and Hydra's own function does the second on a copy. Hydra composes a job alone where the
result could differ: for overrides of Hydra's own config, and wherever the short way raises an error.
"""

import pickle
import re
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf

from initlab.signals import check
from initlab.sweeps.hydra_private import ConfigLoaderImpl, apply_overrides, override_dirname, plain

_WHOLE_NUMBER = re.compile(r"([A-Za-z_][\w.]*)=(-?(?:0|[1-9]\d*))")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make the config of the job with these ``overrides``.

    ``base`` is a pickled config that many jobs share. ``updates`` change values in the copy, and ``dirname``
    is its ``hydra.job.override_dirname``, None where the base is the job's whole config. ``cache`` is what
    resolvers have returned in this sweep: ``${now:…}`` is the same in all its jobs.
    """

    base: bytes
    updates: tuple[Override, ...]
    dirname: str | None
    overrides: tuple[str, ...]
    cache: dict[str, Any]

    @property
    def form(self) -> Hashable:
        """What it has in common with recipes that change the same values of the same base."""
        return self.base, tuple((one.type, one.key_or_group, one.value() is None) for one in self.updates)

    @property
    def is_plain(self) -> bool:
        """Whether any other plain value would change the config as well: no text that is read further."""
        return all(map(_is_plain, self.updates))

    def compose(self) -> DictConfig:
        """Returns a new config, with its hydra node, equal to the one Hydra composes."""
        cfg: DictConfig = pickle.loads(self.base)
        self._finish(cfg, self.updates)
        return cfg

    def change(self, cfg: DictConfig, of: "Recipe") -> None:
        """Makes the config of another recipe, plain and of the same form, what ``compose`` returns."""
        both = zip(self.updates, of.updates, strict=True)
        self._finish(cfg, [new for new, old in both if new.input_line != old.input_line])

    def _finish(self, cfg: DictConfig, updates: Sequence[Override]) -> None:
        if self.dirname is not None:
            apply_overrides(updates, cfg)
            cfg.hydra.overrides.task = list(self.overrides)
            cfg.hydra.job.override_dirname = self.dirname
        OmegaConf.set_cache(cfg, self.cache)


class _Base(NamedTuple):
    """A config as Hydra composed it, pickled; whether its jobs copy the environment, whether values outside
    its hydra node mention hydra, and how overrides are joined to the name of a folder.
    """

    pickled: bytes
    copies_env: bool
    mentions_hydra: bool
    dirname: dict[str, Any]


class Composer:
    """Makes the recipes of one sweep's jobs, whose master config Hydra has composed."""

    def __init__(self, loader: ConfigLoader, master_config: DictConfig) -> None:
        self.master_config = master_config
        self._loader = ConfigLoaderImpl(loader.get_search_path())
        self._is_group = cache(self._has_options)
        self._parsed = cache(OverridesParser.create().parse_override)
        self._bases: dict[tuple[str, ...], _Base] = {}
        self._recipes: dict[tuple[str, ...], Recipe] = {}
        self._tried: set[Hashable] = set()

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """Returns a new config of the job with these overrides; raises Hydra's error where Hydra does."""
        return self.recipe(overrides).compose()

    def recipe(self, overrides: Sequence[str]) -> Recipe:
        """Returns the recipe of the job with these overrides; raises Hydra's error where Hydra does."""
        lines = tuple(overrides)
        if lines not in self._recipes:
            self._recipes[lines] = self._with_shared_base(lines) or self._with_own_base(lines)
        return self._recipes[lines]

    def _with_own_base(self, lines: tuple[str, ...]) -> Recipe:
        return Recipe(self._base(lines).pickled, (), None, lines, OmegaConf.get_cache(self.master_config))

    def _with_shared_base(self, lines: tuple[str, ...]) -> Recipe | None:
        """Returns a recipe that was tried, None if its config could differ from Hydra's."""
        with suppress(Exception):  # Hydra, which is asked next, says what is wrong with the job
            parsed = [self._parse(line) for line in lines]
            if any(override.is_sweep_override() or _is_hydras(override) for override in parsed):
                return None
            choices = [override for override in parsed if self._is_choice(override)]
            updates = tuple(override for override in parsed if not self._is_choice(override))
            base = self._base(tuple(str(choice.input_line) for choice in choices))
            # An update may read other values, and the hydra node is not yet as Hydra has it at that moment.
            reads_hydra = base.mentions_hydra or any("hydra" in line for line in lines)
            if base.copies_env or (reads_hydra and any(map(_reads, updates))):
                return None
            dirname = override_dirname(parsed, base.dirname)
            recipe = Recipe(base.pickled, updates, dirname, lines, OmegaConf.get_cache(self.master_config))
            self._try(recipe)
            return recipe
        return None

    def _try(self, recipe: Recipe) -> None:
        """Composes a recipe's config, unless one was that changes the same values to others as plain."""
        form = recipe.form
        if form not in self._tried or not recipe.is_plain:
            recipe.compose()
            self._tried.add(form)

    def _parse(self, line: str) -> Override:
        """Returns an override as Hydra's grammar reads it, which takes long: not again for another number."""
        if not (found := _WHOLE_NUMBER.fullmatch(line)):
            return self._parsed(line)
        key, number = found.groups()
        return replace(self._parsed(f"{key}=1"), _value=int(number), input_line=line)

    def _is_choice(self, override: Override) -> bool:
        return self._is_group(override.key_or_group) and not isinstance(override.value(), dict)

    def _has_options(self, group: str) -> bool:
        hydra = self.master_config.hydra
        names = hydra.job.config_name, plain(hydra.overrides.hydra)
        return bool(self._loader.get_group_options(group, None, *names))

    def _base(self, lines: tuple[str, ...]) -> _Base:
        if lines not in self._bases:
            cfg = self._loader.load_sweep_config(self.master_config, list(lines))
            task = [node for key, node in cfg.items_ex(resolve=False) if key != "hydra"]
            job = cfg.hydra.job
            self._bases[lines] = _Base(
                pickle.dumps(cfg),
                bool(job.env_copy),
                "hydra" in str(task),
                plain(job.config.override_dirname),
            )
        return self._bases[lines]


def _is_hydras(override: Override) -> bool:
    return override.key_or_group.replace("/", ".").split(".")[0] == "hydra"


def _is_plain(update: Override) -> bool:
    value = update.value()
    return (
        value is None
        or isinstance(value, bool | int | float)
        or (isinstance(value, str) and "$" not in value)
    )


def _reads(override: Override) -> bool:
    return override.type is not OverrideType.CHANGE or isinstance(override.value(), dict)


class QuickLoader(ConfigLoaderImpl):
    """Hydra's loader with the configs of a sweep's jobs made by recipes."""

    def __init__(self, loader: ConfigLoader) -> None:
        super().__init__(loader.get_search_path())
        self._composer: Composer | None = None

    def composer(self, master_config: DictConfig) -> Composer:
        """Returns the composer of the sweep with this master config, the same one as long as it runs."""
        if self._composer is None or self._composer.master_config is not master_config:
            self._composer = Composer(self, master_config)
        return self._composer

    def check_jobs(self, master_config: DictConfig, jobs: Sequence[Sequence[str]]) -> None:
        """Raises what Hydra raises for the first job that cannot be composed."""
        composer = self.composer(master_config)
        for overrides in jobs:
            check()
            composer.recipe(overrides)

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """Returns what Hydra's own loader returns, and raises what it raises."""
        check()
        return self.composer(master_config).compose(sweep_overrides)
