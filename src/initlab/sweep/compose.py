"""A sweep's job configs, equal to Hydra's own at a small part of the cost.

Hydra reads all YAML files anew for every job. But it also composes in two steps: the chosen options of
groups give a config, and only then the other overrides change values in it. So jobs that choose the same
options share the first step, and Hydra's own function does the second on a copy. What is not sure to give
Hydra's result that way is left to Hydra: overrides of Hydra's own config, and whatever raises an error.
"""

import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, ListConfig, Node, OmegaConf, open_dict, read_write
from omegaconf._utils import get_omega_conf_dumper

LONGEST_SIMPLE_KEY = 100  # PyYAML's own limit lies at 128 with the tag
KEPT_ITEMS = 10_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make one job's config from its ``overrides``.

    ``base`` is a pickled config, one object for all jobs that share it, and ``updates`` are what changes
    values in it; ``parsed`` are all the overrides. Both are empty where the base is the job's whole config.
    ``cache`` is what resolvers have already returned in this sweep, pickled: ``${now:…}`` stays the same.
    """

    base: bytes
    updates: tuple[Override, ...]
    parsed: tuple[Override, ...]
    overrides: tuple[str, ...]
    cache: bytes

    def compose(self) -> DictConfig:
        """Returns a new config, with its hydra node, equal to the one Hydra composes."""
        cfg: DictConfig = pickle.loads(self.base)
        if self.parsed:
            ConfigLoaderImpl._apply_overrides_to_config(list(self.updates), cfg)
            cfg.hydra.overrides.task = list(self.overrides)
            cfg.hydra.job.override_dirname = self._dirname(cfg.hydra.job.config.override_dirname)
        OmegaConf.set_cache(cfg, pickle.loads(self.cache))
        return cfg

    def _dirname(self, settings: Any) -> str:
        return get_overrides_dirname(
            list(self.parsed), settings.exclude_keys, settings.item_sep, settings.kv_sep
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
            master_config.hydra.job.config_name, _plain(master_config.hydra.overrides.hydra)
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
            self.compose(lines)
        return replace(self._recipes[lines], cache=self._cache())

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """Returns a new config of the job with these overrides; raises Hydra's error where Hydra does."""
        lines = tuple(overrides)
        if lines in self._recipes:
            return self.recipe(lines).compose()
        # Whatever is wrong with a job, Hydra shall say it.
        with suppress(Exception):
            recipe = self._shared(lines)
            if recipe is not None:
                cfg = recipe.compose()
                self._recipes[lines] = recipe
                return cfg
        self._recipes[lines] = Recipe(self._base(lines).config, (), (), lines, self._cache())
        return self._recipes[lines].compose()

    def _shared(self, lines: tuple[str, ...]) -> Recipe | None:
        """Returns the recipe with a shared base, None if the config could differ from Hydra's."""
        parsed = tuple(self._parse(line) for line in lines)
        if any(override.is_sweep_override() or _is_hydras(override) for override in parsed):
            return None
        choices = tuple(str(override.input_line) for override in parsed if self._is_choice(override))
        updates = tuple(override for override in parsed if not self._is_choice(override))
        base = self._base(choices)
        # An update may read another value through an interpolation. Only the hydra node is not yet as
        # Hydra has it at that moment.
        reads_hydra = base.mentions_hydra or any("hydra" in line for line in lines)
        if base.copies_environment or (reads_hydra and any(_reads(update) for update in updates)):
            return None
        return Recipe(base.config, updates, parsed, lines, self._cache())

    def _is_choice(self, override: Override) -> bool:
        return self._is_group(override.key_or_group) and not isinstance(override.value(), dict)

    def _base(self, lines: tuple[str, ...]) -> _Base:
        if lines not in self._bases:
            cfg = self._loader.load_sweep_config(self.master_config, list(lines))
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
        return self.composer(master_config).compose(sweep_overrides)


@contextmanager
def as_hydra_config(cfg: DictConfig) -> Iterator[None]:
    """Makes ``HydraConfig`` and ``${hydra:…}`` mean this config, whose hydra node becomes read-only, as they
    do within its job.
    """
    hydra_config = HydraConfig.instance()
    OmegaConf.set_readonly(cfg.hydra, True)
    before, hydra_config.cfg = hydra_config.cfg, cfg  # type: ignore[assignment]
    try:
        yield
    finally:
        hydra_config.cfg = before


def save_hydra_folder(cfg: DictConfig) -> tuple[DictConfig, Path]:
    """Writes a job's ``.hydra`` folder as Hydra's basic launcher does and sets its folder in ``cfg``, where
    its number must already be; returns the config without its hydra node, and the folder.
    """
    with as_hydra_config(cfg):
        parts = OmegaConf.select(cfg, "hydra.sweep.dir"), OmegaConf.select(cfg, "hydra.sweep.subdir")
    folder = Path(os.path.abspath(os.path.join(*map(str, parts))))
    with read_write(cfg.hydra.runtime):
        cfg.hydra.runtime.output_dir = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if cfg.hydra.output_subdir is not None:
        _write_hydra_folder(cfg, folder / cfg.hydra.output_subdir)
    return _without_hydra(cfg), folder


def _write_hydra_folder(cfg: DictConfig, folder: Path) -> None:
    config = _plain(cfg)
    hydra = config.pop("hydra")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (
        ("config.yaml", config),
        ("hydra.yaml", {"hydra": hydra}),
        ("overrides.yaml", hydra["overrides"]["task"]),
    ):
        (folder / name).write_text(_text(content), encoding="utf-8")


def _without_hydra(cfg: DictConfig) -> DictConfig:
    buffer = BytesIO()
    _HydralessPickler(buffer, cfg.hydra).dump(cfg)
    task: DictConfig = pickle.loads(buffer.getvalue())
    with read_write(task), open_dict(task):
        del task["hydra"]
    return task


class _HydralessPickler(pickle.Pickler):
    """Pickles a config with nothing in its hydra node, which is most of it and need not be copied."""

    def __init__(self, file: BytesIO, hydra: DictConfig) -> None:
        super().__init__(file)
        self.hydra = hydra

    def reducer_override(self, value: Any) -> Any:
        """Is called by pickle for every object that is not built in."""
        return (DictConfig, ({},)) if value is self.hydra else NotImplemented


def to_yaml(cfg: DictConfig | ListConfig) -> str:
    """Returns the very text of ``OmegaConf.to_yaml(cfg)``, quickly if most of it was asked for before."""
    return _text(_plain(cfg))


def _plain(value: Any) -> Any:
    """Returns what ``OmegaConf.to_container(value, enum_to_str=True)`` does, in a fifth of the time."""
    while isinstance(value, Node):
        value = value._value()
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.name if isinstance(value, Enum) else value


def _text(content: Any) -> str:
    text = _mapping(content, 0) if content and isinstance(content, dict) else _dump(content)
    # An object that stands in two places is written once, which only the whole dumper can see.
    return _dump(content) if "!!python/" in text else text


def _mapping(content: dict[Any, Any], depth: int) -> str:
    """Returns the lines of a mapping as they stand ``depth`` mappings deep: those of its items, joined."""
    return "".join(
        _heading(key, depth) + _mapping(value, depth + 1)
        if value and isinstance(value, dict) and _is_simple(key)
        else _item(pickle.dumps((key, value)), depth)
        for key, value in content.items()
    )


def _is_simple(key: Any) -> bool:
    """Returns whether a key has a line of its own, with no question mark before it."""
    return isinstance(key, str) and 0 < len(key) < LONGEST_SIMPLE_KEY and key.isprintable()


@lru_cache(KEPT_ITEMS)
def _heading(key: str, depth: int) -> str:
    return _nested({key: {"_": 0}}, depth).partition("\n")[0] + "\n"


@lru_cache(KEPT_ITEMS)
def _item(pickled: bytes, depth: int) -> str:
    key, value = pickle.loads(pickled)
    return _nested({key: value}, depth)


def _nested(content: Any, depth: int) -> str:
    for _ in range(depth):
        content = {"_": content}
    return _dump(content).split("\n", depth)[depth]


def _dump(content: Any) -> str:
    """Dumps as OmegaConf does."""
    text = yaml.dump(
        content,
        Dumper=get_omega_conf_dumper(),
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=False,
    )
    return str(text)
