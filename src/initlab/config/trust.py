"""Which modules besides Initlab's own a config may name functions of: only those that the user has typed.

They stand in the environment, which the processes of a sweep share. No file can add to them: not a study, a
folder of configs, a sweep's parameters or the stored config of a run.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from initlab.errors import ConfigError

VARIABLE = "INITLAB_ALLOW_TARGETS"


def trusted() -> tuple[str, ...]:
    """Returns the modules that the command line, a program or the environment has named."""
    return tuple(name for name in os.environ.get(VARIABLE, "").split(",") if name)


def check_trust(wanted: Sequence[str]) -> tuple[str, ...]:
    """Returns the modules whose functions may be called; raises ConfigError where a config wants more."""
    if more := [name for name in wanted if name not in trusted()]:
        names = ",".join(more)
        raise ConfigError(
            f"allow_targets=[{names}]: counts only from the command line, not from a file; if you trust it, "
            f"type allow_targets=[{names}] or set {VARIABLE}={names}"
        )
    return trusted()


def refuse_in(environment: Mapping[str, object]) -> None:
    """Raises ConfigError where what a config sets in a job's environment would widen what is trusted."""
    if VARIABLE in map(str.upper, environment):
        raise ConfigError(f"hydra.job.env_set.{VARIABLE}: must be set before the command, not by a config")


@contextmanager
def trusting(modules: Iterable[str]) -> Iterator[None]:
    """Has these modules trusted too within the block, also by processes that are begun there."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = ",".join(dict.fromkeys([*trusted(), *modules]))
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
