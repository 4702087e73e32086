"""The settings of a config: all that does not name a function, each with its rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from initlab.config.rules import (
    Count,
    Flag,
    NonNegative,
    Positive,
    Rule,
    Seed,
    Size,
    Text,
    check_arguments,
    list_of,
    one_of,
    optional,
    or_word,
    shown,
)
from initlab.errors import ConfigError, first_line
from initlab.passwords import hidden

Names = Annotated[Sequence[str], list_of("names", lambda v: isinstance(v, str))]
Prefixes = Annotated[
    Sequence[str], list_of("module names such as [my_starts]", lambda v: isinstance(v, str) and v != "")
]
Uri = Annotated[str | None, Rule("null or an MLflow tracking URI", lambda v: v is None or isinstance(v, str))]
OptionalCount = Annotated[int | None, optional(Count)]
CountOrLog = Annotated[int | str, or_word(Count, "log")]
OptionalPositive = Annotated[float | None, optional(Positive)]
Stretch = Annotated[
    Sequence[int] | None,
    Rule(
        "null or two rising whole numbers such as [0, 100]",
        lambda v: v is None or (_are_whole(v) and len(v) == 2 and 0 <= v[0] < v[1]),
    ),
]

T = TypeVar("T")


def _are_whole(values: Any) -> bool:
    return isinstance(values, list | tuple) and all(type(value) is int for value in values)


@dataclass(frozen=True, kw_only=True)
class Train:
    """How a run trains: for how long, on how many examples at a time, with how large a gradient at most, in
    which precision and with how many BLAS threads. Every ``checkpoint`` seconds it is kept where it stands.
    """

    iterations: Count
    batch_size: OptionalCount
    clip: OptionalPositive
    precision: Annotated[str, one_of("float64", "float32")]
    threads: Count
    checkpoint: OptionalPositive = None


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """What is measured every how many iterations, and what at ``points`` log-spaced iterations only."""

    every: Count
    names: Names
    rare: Names
    points: Count


@dataclass(frozen=True, kw_only=True)
class Plots:
    """How many boundary pictures along the training are logged beside the final one."""

    frames: Size


@dataclass(frozen=True, kw_only=True)
class Report:
    """How runs are compared: when one has reached what counts as learned, by what, and what is a difference.

    The ``threshold`` is a share of the cost of the best constant answer. Differences ``equal_within`` are
    none in practice: of scores as they are, of costs relative to each other. ``keep`` is whether a sweep
    leaves a summary run, views and a report.
    """

    threshold: Positive
    by: Annotated[str, one_of("score", "cost")]
    equal_within: NonNegative
    keep: Flag


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Where runs are tracked (null: nowhere) and in which experiment."""

    uri: Uri
    experiment: Text


@dataclass(frozen=True, kw_only=True)
class RunTracking(Tracking):
    """Where training runs are tracked, and every how many iterations their cost is logged; with ``log`` all
    their metrics are, less and less often. ``model`` is whether each leaves its network as an MLflow model;
    ``database_uri`` is the database behind a server, into which metrics are then written at once.
    """

    every: CountOrLog
    model: Flag = False
    database_uri: Uri = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a training run."""

    seed: Seed
    resume: Flag = False
    dry_run: Flag = False
    stretch: Stretch = None
    allow_targets: Prefixes
    train: Train
    diagnostics: Diagnostics
    plots: Plots
    report: Report
    tracking: RunTracking

    @property
    def last(self) -> int:
        """After how many iterations the training here ends: all of them, or those of its stretch."""
        return self.stretch[1] if self.stretch else self.train.iterations

    @property
    def in_part(self) -> bool:
        """Whether the training here ends before the run does."""
        return self.last < self.train.iterations

    @property
    def goes_on(self) -> bool:
        """Whether the training here begins where it was left standing, if it was."""
        return self.resume or bool(self.stretch and self.stretch[0])


def plain(cfg: DictConfig | dict[str, Any]) -> dict[str, Any]:
    """Returns a config as dicts, lists and values, resolved, with no password in it; raises ConfigError where
    that cannot be done. One that is made of dicts, and has been resolved, is itself returned.
    """
    try:
        values = (
            cfg if isinstance(cfg, dict) else OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
        )
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key or 'config'}: {first_line(error)}") from error
    assert isinstance(values, dict)
    tracking = values.get("tracking")
    for key in ("uri", "database_uri"):
        if isinstance(tracking, dict) and isinstance(tracking.get(key), str):
            tracking[key] = hidden(tracking[key])
    return {str(key): value for key, value in values.items()}


@lru_cache(maxsize=32)
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def read(kind: type[T], values: Mapping[str, Any], prefix: str = "") -> T:
    """Returns the settings of a kind, a dataclass whose fields are annotated with their rules or are such
    dataclasses themselves, from a plain config; raises ConfigError when one is missing or not allowed.

    At the top a config may hold more than the settings: components, and keys of the user's own.
    """
    hints = _hints(kind)  # type: ignore[arg-type]  # a class has a hash
    if not prefix:
        values = {name: value for name, value in values.items() if name in hints}
    sections: dict[str, Any] = {}
    for name, value in values.items():
        if is_dataclass(hints.get(name)):
            if not isinstance(value, Mapping):
                inside = ", ".join(_hints(hints[name]))
                raise ConfigError(f"{name}={shown(value)}: must be a section with {inside}")
            sections[name] = read(hints[name], value, name)
    check_arguments(kind, {**values, **sections}, prefix)
    single = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return kind(**{**single, **sections})


def leaves(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Returns every leaf of a plain config as text by its dotted key; a list is one leaf."""
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found |= leaves(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = str(value)
    return found
