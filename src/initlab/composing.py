"""A sweep's job configs, equal to Hydra's own at a small part of the cost.

Hydra reads all YAML files anew for every job. But it also composes in two steps: the chosen options of
groups give a config, and only then the other overrides change values in it. So jobs that choose the same
options share the first step, and Hydra's own function does the second on a copy. What is not sure to give
Hydra's result that way is left to Hydra: overrides of Hydra's own config, and whatever raises an error.
"""

import copy
import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf._utils import get_omega_conf_dumper

LONGEST_PLAIN_KEY = 100


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make one job's config.

    ``base`` is a pickled config, one object for all jobs that share it; ``updates`` are the ``overrides`` to
    apply to it. A recipe without overrides has the job's whole config as its base. ``cache`` holds what the
    sweep's resolvers have already returned, pickled, so that ``${now:…}`` is the same in all jobs.
    """

    base: bytes
    updates: tuple[Override, ...]
    overrides: tuple[Override, ...]
    cache: bytes

    def compose(self) -> DictConfig:
        """Returns a new config, with its hydra node, equal to the one Hydra composes."""
        cfg: DictConfig = pickle.loads(self.base)
        if self.overrides:
            ConfigLoaderImpl._apply_overrides_to_config(list(self.updates), cfg)
            _note_overrides(cfg, self.overrides)
        OmegaConf.set_cache(cfg, pickle.loads(self.cache))
        return cfg


def _note_overrides(cfg: DictConfig, overrides: Sequence[Override]) -> None:
    cfg.hydra.overrides.task = [override.input_line for override in overrides]
    settings = cfg.hydra.job.config.override_dirname
    cfg.hydra.job.override_dirname = get_overrides_dirname(
        list(overrides), settings.exclude_keys, settings.item_sep, settings.kv_sep
    )


class _Base(NamedTuple):
    """A pickled config and what stands against changing its values afterwards."""

    config: bytes
    mentions_hydra: bool
    copies_environment: bool


class Composer:
    """Makes the recipes of one sweep's jobs, whose master config Hydra has composed."""

    def __init__(self, loader: ConfigLoader, master_config: DictConfig) -> None:
        self.master_config = master_config
        self._loader = ConfigLoaderImpl(loader.get_search_path())
        _, repository = self._loader._parse_overrides_and_create_caching_repo(
            master_config.hydra.job.config_name, list(master_config.hydra.overrides.hydra)
        )
        self._is_group = cache(repository.group_exists)
        self._parse = cache(OverridesParser.create().parse_override)
        self._bases: dict[tuple[str, ...], _Base] = {}
        self._recipes: dict[tuple[str, ...], Recipe] = {}
        self._caches: dict[bytes, bytes] = {}

    def recipe(self, overrides: Sequence[str]) -> Recipe:
        """Returns the recipe of the job with these overrides; raises Hydra's error where Hydra does."""
        lines = tuple(overrides)
        if lines not in self._recipes:
            self._recipes[lines] = self._tried(lines) or Recipe(self._base(lines).config, (), (), b"")
        return replace(self._recipes[lines], cache=self._cache())

    def _tried(self, lines: tuple[str, ...]) -> Recipe | None:
        """Returns the recipe with a shared base if it can be composed; if not, Hydra shall say why."""
        with suppress(Exception):
            recipe = self._shared(lines)
            if recipe is not None:
                recipe.compose()
                return recipe
        return None

    def _shared(self, lines: tuple[str, ...]) -> Recipe | None:
        """Returns the recipe with a shared base, None if the config could differ from Hydra's."""
        overrides = tuple(self._parse(line) for line in lines)
        if any(override.is_sweep_override() or _is_hydras(override) for override in overrides):
            return None
        chosen = [self._is_choice(override) for override in overrides]
        base = self._base(tuple(line for line, choice in zip(lines, chosen, strict=True) if choice))
        updates = tuple(one for one, choice in zip(overrides, chosen, strict=True) if not choice)
        # An update may read another value through an interpolation. Only the hydra node is not yet as
        # Hydra has it at that moment.
        reads_hydra = base.mentions_hydra or any("hydra" in line for line in lines)
        if base.copies_environment or (reads_hydra and any(_reads(update) for update in updates)):
            return None
        return Recipe(base.config, updates, overrides, self._cache())

    def _is_choice(self, override: Override) -> bool:
        return self._is_group(override.key_or_group) and not isinstance(override.value(), dict)

    def _base(self, lines: tuple[str, ...]) -> _Base:
        if lines not in self._bases:
            cfg = self._loader.load_sweep_config(self.master_config, list(lines))
            OmegaConf.clear_cache(cfg)
            task = [node for key, node in cfg.items_ex(resolve=False) if key != "hydra"]
            self._bases[lines] = _Base(
                pickle.dumps(cfg), "hydra" in str(task), len(cfg.hydra.job.env_copy) > 0
            )
        return self._bases[lines]

    def _cache(self) -> bytes:
        """Returns the master config's resolver cache as it is now; equal ones are one object."""
        now = pickle.dumps(OmegaConf.get_cache(self.master_config))
        return self._caches.setdefault(now, now)


def _is_hydras(override: Override) -> bool:
    return override.key_or_group.replace("/", ".").split(".")[0] == "hydra"


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

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """Returns what Hydra's own loader returns, and raises what it raises."""
        return self.composer(master_config).recipe(sweep_overrides).compose()


def save_hydra_folder(cfg: DictConfig, num: int) -> tuple[DictConfig, Path]:
    """Writes a job's ``.hydra`` folder as Hydra's basic launcher does; returns the config without its hydra
    node and the job's output folder. The job's number and folder are set in ``cfg``.
    """
    cfg.hydra.job.id = num
    cfg.hydra.job.num = num
    with _as_hydra_config(cfg):
        parts = (OmegaConf.select(cfg, "hydra.sweep.dir"), OmegaConf.select(cfg, "hydra.sweep.subdir"))
    cfg.hydra.runtime.output_dir = os.path.abspath(os.path.join(*map(str, parts)))
    folder = Path(cfg.hydra.runtime.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    if cfg.hydra.output_subdir is not None:
        _write_hydra_folder(cfg, folder / cfg.hydra.output_subdir)
    return _without_hydra(cfg), folder


@contextmanager
def _as_hydra_config(cfg: DictConfig) -> Iterator[None]:
    """Makes ``${hydra:…}`` mean this config."""
    hydra_config = HydraConfig.instance()
    before, hydra_config.cfg = hydra_config.cfg, cfg  # type: ignore[assignment]
    try:
        yield
    finally:
        hydra_config.cfg = before


def _write_hydra_folder(cfg: DictConfig, folder: Path) -> None:
    config: Any = OmegaConf.to_container(cfg, enum_to_str=True)
    hydra = config.pop("hydra")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (
        ("config.yaml", config),
        ("hydra.yaml", {"hydra": hydra}),
        ("overrides.yaml", hydra["overrides"]["task"]),
    ):
        (folder / name).write_text(_dumped(content), encoding="utf-8")


def _without_hydra(cfg: DictConfig) -> DictConfig:
    # Most of a config is its hydra node, which need not be copied to be deleted.
    task = copy.deepcopy(cfg, {id(cfg.hydra): DictConfig({})})
    with read_write(task), open_dict(task):
        del task["hydra"]
    return task


def to_yaml(cfg: Any) -> str:
    """Returns the very text of ``OmegaConf.to_yaml(cfg)``, written by libyaml where PyYAML has it."""
    return _dumped(OmegaConf.to_container(cfg, enum_to_str=True))


def _dumped(content: Any) -> str:
    dumper = _c_dumper()
    if dumper is not None and _has_plain_keys(content):
        text = _dump(content, dumper)
        # libyaml breaks and escapes double-quoted text in other places than PyYAML's own emitter.
        if text.isascii() and "\\" not in text:
            return text
    return _dump(content, get_omega_conf_dumper())


def _dump(content: Any, dumper: Any) -> str:
    text = yaml.dump(content, Dumper=dumper, default_flow_style=False, allow_unicode=True, sort_keys=False)
    return str(text)


def _has_plain_keys(content: Any) -> bool:
    """Returns whether no key is of the kind that PyYAML's own emitter writes after a question mark."""
    if isinstance(content, dict):
        return all(_is_plain_key(key) and _has_plain_keys(value) for key, value in content.items())
    return not isinstance(content, list) or all(map(_has_plain_keys, content))


def _is_plain_key(key: Any) -> bool:
    return isinstance(key, str) and 0 < len(key) <= LONGEST_PLAIN_KEY and key.isprintable()


@cache
def _c_dumper() -> type | None:
    """Returns OmegaConf's dumper upon libyaml's emitter, None if PyYAML was built without it."""
    if not yaml.__with_libyaml__:
        return None
    omegaconf = get_omega_conf_dumper()

    class CDumper(yaml.CDumper):
        yaml_representers = omegaconf.yaml_representers
        yaml_multi_representers = omegaconf.yaml_multi_representers
        yaml_implicit_resolvers = omegaconf.yaml_implicit_resolvers

    return CDumper
