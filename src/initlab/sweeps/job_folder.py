"""A job's output folder, with ``.hydra`` in it as Hydra's basic launcher leaves it, and what a job sees: its
own ``hydra:`` values, and a config without them.
"""

import os
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from initlab.sweeps.hydra_private import plain, yaml_text


@contextmanager
def as_hydra_config(cfg: DictConfig) -> Iterator[None]:
    """Makes ``HydraConfig`` and ``${hydra:…}`` mean this config, as they do within its job."""
    OmegaConf.set_readonly(cfg.hydra, True)
    singleton = HydraConfig.instance()
    before, singleton.cfg = singleton.cfg, cfg  # type: ignore[assignment]  # set_config would copy it
    try:
        yield
    finally:
        singleton.cfg = before


def save_hydra_folder(cfg: DictConfig) -> Path:
    """Returns a job's folder, which then holds ``.hydra`` as Hydra's basic launcher writes it. The job's
    number must be in ``cfg``; the folder is set there.
    """
    folder = folder_of(cfg)
    with read_write(cfg.hydra.runtime):
        cfg.hydra.runtime.output_dir = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = plain(cfg)
    write_configs(config, config.pop("hydra"), folder)
    return folder


def folder_of(cfg: DictConfig) -> Path:
    """Returns the folder of the job with this config, whose number must be in it."""
    return places_of(cfg)[1]


def places_of(cfg: DictConfig) -> tuple[str, Path]:
    """Returns what the config calls the sweep's folder, and the absolute folder of the job in it."""
    with as_hydra_config(cfg):
        sweep, own = (str(OmegaConf.select(cfg, f"hydra.sweep.{key}")) for key in ("dir", "subdir"))
    return sweep, Path(os.path.abspath(os.path.join(sweep, own)))


def write_configs(config: Mapping[str, Any], hydra: Mapping[str, Any], folder: Path) -> None:
    """Writes the files of ``.hydra`` for a job's config, as plain values, into the folder of the job."""
    if hydra["output_subdir"] is None:
        return
    within = folder / hydra["output_subdir"]
    within.mkdir(parents=True, exist_ok=True)
    parts = {"config.yaml": _text(config, ""), "hydra.yaml": "hydra:\n" + _text(hydra, "hydra")}
    for name, text in {**parts, "overrides.yaml": yaml_text(hydra["overrides"]["task"])}.items():
        (within / name).write_text(text, encoding="utf-8")


def _text(content: Mapping[str, Any], within: str) -> str:
    """Returns the lines of a mapping, of which most parts are the same in all jobs of a sweep."""
    return "".join(_part(within, pickle.dumps({key: part})) for key, part in content.items()) or "{}\n"


@lru_cache(1000)
def _part(within: str, pickled: bytes) -> str:
    part = pickle.loads(pickled)
    return yaml_text({within: part}).partition("\n")[2] if within else yaml_text(part)


def own_part(whole: DictConfig) -> DictConfig:
    """Returns a copy of a job's config without its hydra node, resolved. What cannot be resolved stays as it
    is: building the job then says so, as it does for a lone run.
    """
    with as_hydra_config(whole):
        task = without_hydra(whole)
        with suppress(OmegaConfBaseException):
            OmegaConf.resolve(task)
    return task


def without_hydra(cfg: DictConfig) -> DictConfig:
    """Returns a copy of a job's config without its hydra node."""
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
