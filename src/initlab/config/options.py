"""What the YAML files in ``conf`` say, read without composing a config, and what they need to be composed."""

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import Any
from uuid import uuid4

from omegaconf import OmegaConf

from initlab.errors import ConfigError
from initlab.passwords import hidden

CONF = resources.files("initlab.conf")
NO_NAME = re.compile(r"null|true|false|[-+.\d\[{].*", re.IGNORECASE)
MOST_OPTIONS = 12  # in one message
JOBS_IN_A_FOLDER = 500


def options_of(group: str) -> list[str]:
    """Returns the names of a group's own options, sorted; none of what is no group."""
    folder = CONF / group
    files = folder.iterdir() if folder.is_dir() else ()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


@lru_cache
def target_of(group: str, option: str) -> str | None:
    """Returns the function that an option names by ``_target_``; None for an option of the user's."""
    file = CONF / group / f"{option}.yaml"
    return file.read_text().partition("_target_:")[2].split()[0] if file.is_file() else None


def values_of(group: str, option: str) -> dict[str, Any]:
    """Returns an option's values; those that it takes from the model are the default model's."""
    cfg = {
        name: OmegaConf.load(str(CONF / name / f"{of}.yaml"))
        for name, of in (("model", "mlp"), (group, option))
    }
    values = OmegaConf.to_container(OmegaConf.create(cfg), resolve=True)
    assert isinstance(values, dict)
    return dict(values[group])


def tracking_uri() -> str:
    """Returns where runs are tracked unless a config says otherwise, a relative path as it stands."""
    setup_resolvers()
    return str(OmegaConf.load(str(CONF / "base.yaml")).tracking.uri)


def refuse_choices(overrides: Sequence[str]) -> None:
    """Raises ConfigError, naming the options, where a group is null, a number, true, false or a list: Hydra's
    own error is a traceback.
    """
    for override in overrides:
        group, _, choices = override.partition("=")
        options = options_of(group) if group.isidentifier() else []
        odd = next((choice for choice in choices.split(",") if NO_NAME.fullmatch(choice)), None)
        if options and odd is not None:
            more = ", … (--help lists all)" if len(options) > MOST_OPTIONS else ""
            names = ", ".join(options[:MOST_OPTIONS])
            raise ConfigError(f"{group}={odd}: must be one of {names}{more}")


def setup_resolvers() -> None:
    """Makes known ``${unique:}``, eight letters and digits that keep folders of simultaneous sweeps apart,
    ``${in_subfolders:…}``, the folder of a job's number within its sweep's, and ``${without_password:…}``,
    which shows an address with ``***`` for the password in it.
    """
    OmegaConf.register_new_resolver("in_subfolders", in_subfolders, replace=True)
    OmegaConf.register_new_resolver("without_password", hidden, replace=True)
    OmegaConf.register_new_resolver("unique", lambda: uuid4().hex[:8], use_cache=True, replace=True)


def in_subfolders(number: int) -> str:
    """Returns the folder of the job with a number: 7, and from 500 on 500-999/777, so that no folder of a
    sweep of some hundred thousand jobs has a thousand entries.
    """
    first = number // JOBS_IN_A_FOLDER * JOBS_IN_A_FOLDER
    return f"{first}-{first + JOBS_IN_A_FOLDER - 1}/{number}" if first else str(number)
