"""Passwords in composed configs: Hydra writes these down as they are, so none may hold one."""

from collections.abc import Iterator
from typing import Any

from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from initlab.errors import ConfigError
from initlab.passwords import GIVEN, has_password, hidden, masked
from initlab.sweeps.hydra_private import plain


def refuse_passwords(cfg: DictConfig) -> None:
    """Raises an error of composing, which a ConfigError causes, where a config holds an address with its
    password; one that ``tracking.uri`` takes from elsewhere is known from now on.
    """
    for key, text in _texts(plain(cfg)):
        if "://" in text and has_password(text):
            line = f"{key}={masked(text)}: holds a password; set {GIVEN} to the whole address instead"
            raise ConfigCompositionException(line) from ConfigError(line)
    try:
        uri = OmegaConf.select(cfg, "tracking.uri")
    except OmegaConfBaseException:  # building the job says what cannot be resolved
        return
    if isinstance(uri, str):
        hidden(uri)  # for processes that are started from here


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yields the texts in a plain config with their dotted keys."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{key}[{number}]")
    elif isinstance(value, str):
        yield key, value
