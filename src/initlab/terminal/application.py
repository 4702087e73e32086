"""What the two commands that are Hydra applications share: how they show, end and report errors."""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf

from initlab.errors import ConfigError
from initlab.signals import Stopped
from initlab.sweeps.hydra_private import composed_configs, composition_errors
from initlab.sweeps.passwords import refuse_passwords
from initlab.terminal.wording import own_command, ui_command

# For the help texts in the configs.
OmegaConf.register_new_resolver("own_command", own_command, replace=True)
OmegaConf.register_new_resolver("ui_command", lambda: ui_command() or "initlab ui", replace=True)

SHOWING = ("--help", "-h", "--hydra-help", "--cfg", "-c", "--info", "-i")


def run_application(application: Callable[[], Any], config_name: str) -> Stopped | None:
    """Runs a Hydra application by the command line; returns by which signal it was stopped, if it was."""
    if any(argument.partition("=")[0] in SHOWING for argument in sys.argv[1:]):
        end_with_the_reader()
    try:
        with composition_errors(partial(_explain, config_name)), composed_configs(refuse_passwords):
            application()
    except Stopped as stopped:
        return stopped
    return None


def _explain(config_name: str, error: ConfigCompositionException) -> None:
    """Where Hydra cannot compose the command's config, prints what was probably meant and exits with 1."""
    from initlab.terminal.suggestions import explanation

    if isinstance(error.__cause__, ConfigError):
        sys.exit(str(error))
    if lines := explanation(error, config_name):
        print(*lines, sep="\n", file=sys.stderr)
        sys.exit(1)


def end_with_the_reader() -> None:
    """Lets this process end without a word when nobody reads its output to the end, as in ``| head``.

    For commands that only show something: to one that trains, a broken pipe may have another cause.
    """
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def wants_tracebacks() -> bool:
    """Returns whether the user has asked for tracebacks, by Hydra's own variable."""
    return os.environ.get("HYDRA_FULL_ERROR", "0") not in ("", "0")
