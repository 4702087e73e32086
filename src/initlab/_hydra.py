"""Overrides in, Hydra's run or sweep made in this process: what ``initlab.run`` and ``initlab.sweep`` share."""

import re
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from initlab.config.targets import refuse_null_choices
from initlab.errors import ConfigError
from initlab.signals import stopping_on_signals
from initlab.sweep.hydra_private import run_hydra

_one_at_a_time = RLock()  # Hydra keeps one config for a whole process


def run_overrides(task: Callable[[DictConfig], Any], overrides: Sequence[str], *, sweeping: bool) -> Any:
    """Returns what Hydra returns when it runs a task function with overrides.

    Raises ConfigError, in one line, where they make no config.
    """
    refuse_null_choices(overrides)
    with _one_at_a_time, stopping_on_signals():
        try:
            return run_hydra("config", task, overrides, sweeping)
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(" ".join(str(error).split())) from error


def overrides_of(words: Sequence[str], settings: Mapping[str, Any]) -> list[str]:
    """Returns words and keyword arguments as Hydra's overrides: ``seed=3``, ``tracking={uri: null}``.

    A text stands as it would on the command line, so that ``init="zeros,he"`` sweeps over two starts.
    """
    return [
        *words,
        *(f"{key}={value if isinstance(value, str) else _shown(value)}" for key, value in settings.items()),
    ]


def _shown(value: Any) -> str:
    """Returns a value as Hydra's grammar writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):  # a quote is escaped, and so is a backslash before one
        return (
            "'"
            + re.sub(r"(\\*)('|\Z)", lambda found: found[1] * 2 + found[2].replace("'", "\\'"), value)
            + "'"
        )
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_shown(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value)
