"""What the two commands that are Hydra applications share: how they show, end and report errors."""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from omegaconf import OmegaConf

from initlab.config.options import refuse_choices
from initlab.config.trust import trusting
from initlab.errors import ConfigError
from initlab.signals import Stopped
from initlab.sweeps.hydra_private import composed_configs, errors_of_commands, late_help
from initlab.sweeps.passwords import refuse_passwords
from initlab.sweeps.task import JobFailed
from initlab.sweeps.typed import trusted_by
from initlab.terminal.wording import own_command, ui_command

# For the help texts in the configs.
OmegaConf.register_new_resolver("own_command", own_command, replace=True)
OmegaConf.register_new_resolver("ui_command", lambda: ui_command() or "initlab ui", replace=True)

NO_JOBS = "The sweep has no jobs: a range or glob among its overrides stands for no value at all."
SWEEPING = {"-m", "--multirun", "hydra.mode=MULTIRUN"}
SHOWING = ("--help", "-h", "--hydra-help", "--cfg", "-c", "--info", "-i")


def run_application(application: Callable[[], Any], config_name: str) -> Stopped | None:
    """Runs a Hydra application by the command line; returns by which signal it was stopped, if it was.

    What cannot be composed or begun ends the process with 1 and a few lines, a traceback only for an error
    of the program or where the user has asked for it.
    """
    from initlab.terminal.refusals import refuse_options

    words = sys.argv[1:]
    if any(word.partition("=")[0] in SHOWING for word in words):
        end_with_the_reader()
    show = partial(_show, config_name)
    # What a command takes from a file, as `resume` does, stands in sys.argv too, but was not typed.
    try:
        watching = composed_configs(refuse_passwords)
        with errors_of_commands(show), trusting(trusted_by(sys.orig_argv)), watching:
            refuse_options(words)
            refuse_choices(words)
            with late_help():
                application()
    except Stopped as stopped:
        return stopped
    except Exception as error:  # raised before Hydra begins to report
        if not wants_tracebacks():
            show(error)
        raise
    return None


def _show(config_name: str, error: Exception) -> None:
    """Prints what the user's words, files or folders are refused for, and exits with 1; returns for an error
    in the program. Of jobs that failed the closing words tell.
    """
    from initlab.terminal.refusals import refusal

    if isinstance(error, JobFailed):
        sys.exit(1)
    if isinstance(error.__cause__, ConfigError):
        sys.exit(str(error))
    if lines := refusal(error, config_name):
        print(*lines, sep="\n", file=sys.stderr)
        sys.exit(1)


def sweeps_over_nothing(begun: bool) -> bool:
    """Returns whether the command line asked for a sweep of which no job has begun."""
    words = {word.partition("=")[0] if word.startswith("-") else word for word in sys.argv[1:]}
    return not begun and bool(words & SWEEPING) and not words & set(SHOWING)


def end_with_the_reader() -> None:
    """Lets this process end without a word when nobody reads its output to the end, as in ``| head``.

    For commands that only show something: to one that trains, a broken pipe may have another cause.
    """
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def wants_tracebacks() -> bool:
    """Returns whether the user has asked for tracebacks, by Hydra's own variable."""
    return os.environ.get("HYDRA_FULL_ERROR", "0") not in ("", "0")
