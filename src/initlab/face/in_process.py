"""Hydra for a program instead of a command line: overrides in, what Hydra returns out, errors in one line."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import TaskFunction
from omegaconf import DictConfig

from initlab.config.options import refuse_choices
from initlab.config.trust import trusting
from initlab.errors import ConfigError, InitlabError
from initlab.passwords import hidden_in_words
from initlab.runs.outcome import Outcome, read_outcomes, remove_unstarted
from initlab.signals import stopping_on_signals
from initlab.sweeps.closing import Closing, closing_of
from initlab.sweeps.hydra_private import composed_configs, hydra_of_its_own, run_hydra, was_refused
from initlab.sweeps.passwords import refuse_passwords
from initlab.sweeps.settling import settle
from initlab.sweeps.task import RememberFolder
from initlab.sweeps.typed import trusted_by

_one_at_a_time = RLock()  # Hydra keeps one config for the whole process


def run_job(task: Callable[[DictConfig], None], overrides: Sequence[str]) -> None:
    """Runs a task function as the one job that overrides describe.

    Raises ConfigError where they do not make its config, and what the task raises.
    """
    with _one_at_a_time, _readable_errors():
        for override in OverridesParser.create().parse_overrides(list(overrides)):
            if override.is_sweep_override():
                raise ConfigError(f"{override.input_line}: is several runs; initlab.sweep trains them")
        _run(task, overrides, sweeping=False)


def run_sweep(task: Callable[[DictConfig], float], overrides: Sequence[str]) -> tuple[list[Outcome], Closing]:
    """Runs a task function as the jobs of a sweep and returns what each of them came to, in order, and what
    there is to say of them all.

    Raises ConfigError where the overrides do not make the jobs' configs.
    """
    with _one_at_a_time, _readable_errors():
        RememberFolder.folder = None
        try:
            _run(task, overrides, sweeping=True)
        finally:
            folder = RememberFolder.folder
            if folder is not None:
                remove_unstarted(folder)
        assert folder is not None  # told when the sweep began
        settle(folder)
        outcomes = read_outcomes(folder)
        return outcomes, closing_of(folder, outcomes)


def _run(task: TaskFunction, overrides: Sequence[str], sweeping: bool) -> None:
    refuse_choices(overrides)
    watching = composed_configs(refuse_passwords)
    with stopping_on_signals(), trusting(trusted_by(overrides)), watching:
        run_hydra("config", task, hidden_in_words(overrides), sweeping)


@contextmanager
def _readable_errors() -> Iterator[None]:
    """Turns Hydra's errors inside into a ConfigError of one line."""
    try:
        yield
    except InitlabError:
        raise
    except Exception as error:
        if isinstance(error, OSError) or was_refused(error):
            raise ConfigError(_explained(error)) from error
        raise


def refuse_study() -> None:
    """Raises ConfigError if the job that Hydra runs stands for many, as those of a study do."""
    hydra = HydraConfig.get()
    if hydra.sweeper.params:
        study = hydra.runtime.choices.get("experiment")
        raise ConfigError(f"experiment={study}: is several runs; initlab.sweep trains them")


def _explained(error: Exception) -> str:
    """Returns in one line what is wrong, and what was probably meant."""
    from initlab.terminal.refusals import joined, refusal

    with hydra_of_its_own():
        return joined(refusal(error, "config", sys.maxsize))


def overrides_of(words: Sequence[str], settings: Mapping[str, Any]) -> list[str]:
    """Returns words and keyword arguments as overrides: ``seed=3``, and a section's by their dotted keys.

    A text stands as on the command line, so that ``init="zeros,he"`` is a sweep; so does ``range(20)``.
    """
    return [*words, *_overrides(settings)]


def _overrides(settings: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _overrides(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}={value if isinstance(value, str) else _in_hydras_grammar(value)}"


def _in_hydras_grammar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():  # a quote is escaped, and so is a backslash before one
            escaped = re.sub(r"(\\*)('|\Z)", lambda found: 2 * found[1] + found[2].replace("'", r"\'"), value)
            return f"'{escaped}'"
        case list() | tuple():
            return f"[{', '.join(map(_in_hydras_grammar, value))}]"
    return str(value)
