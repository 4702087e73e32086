"""From a composed config to checked settings and parts: what may stand in a config, and what it becomes.

A group's YAML names a function by ``_target_`` and holds its keyword-only arguments; that function's
signature is the schema (see ``checks``). Nothing is imported or called before its name has been allowed.
"""

import importlib
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from initlab.checks import Count, Rule, Seed, Size, is_number, one_of
from initlab.diagnostics import DIAGNOSTICS
from initlab.errors import ConfigError

GROUPS = ("dataset", "model", "init", "bias", "optimizer", "schedule")
# Where Initlab's own functions for each group are; a user's may be anywhere.
HOMES = {
    "dataset": "initlab.datasets",
    "model": "initlab.network",
    "init": "initlab.initializers",
    "bias": "initlab.biases",
    "optimizer": "initlab.optimizers",
    "schedule": "initlab.schedules",
}

OptionalCount = Annotated[
    int | None,
    Rule(
        "null or a whole number of at least 1",
        lambda v: v is None or (isinstance(v, int) and not isinstance(v, bool) and v >= 1),
    ),
]
OptionalPositive = Annotated[
    float | None,
    Rule("null or a finite number greater than 0", lambda v: v is None or (is_number(v) and v > 0)),
]
Measurements = Annotated[
    Sequence[str],
    Rule(
        f"a list of some of {', '.join(one.__name__ for one in DIAGNOSTICS)}",
        lambda v: isinstance(v, list) and set(map(str, v)) <= {one.__name__ for one in DIAGNOSTICS},
    ),
]
Text = Annotated[str, Rule("a non-empty text", lambda v: isinstance(v, str) and v != "")]
OptionalText = Annotated[
    str | None, Rule("null or an MLflow tracking URI", lambda v: v is None or isinstance(v, str))
]
Prefixes = Annotated[
    Sequence[str],
    Rule(
        "a list of module names such as [my_starts]",
        lambda v: isinstance(v, list) and all(isinstance(one, str) and one for one in v),
    ),
]


@dataclass(frozen=True, kw_only=True)
class Train:
    """How long, on how much at a time, with how large a gradient at most, in which precision and with how
    many BLAS threads a run trains.
    """

    iterations: Count
    batch_size: OptionalCount
    clip: OptionalPositive
    precision: Annotated[str, one_of("float64", "float32")]
    threads: Count


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """What is measured every how many iterations, and what at ``points`` log-spaced iterations only."""

    every: Count
    names: Measurements
    rare: Measurements
    points: Count


@dataclass(frozen=True, kw_only=True)
class Plots:
    """How many boundary pictures along the training are logged beside the final one."""

    frames: Size


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Where runs are tracked (null: nowhere), in which experiment, and every how many iterations the cost
    is.
    """

    uri: OptionalText
    experiment: Text
    every: Count


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything in a config that is not a part."""

    seed: Seed
    allow_targets: Prefixes
    train: Train
    diagnostics: Diagnostics
    plots: Plots
    tracking: Tracking


SECTIONS = {"train": Train, "diagnostics": Diagnostics, "plots": Plots, "tracking": Tracking}


def plain(cfg: DictConfig) -> dict[str, Any]:
    """Returns a config as dicts, lists and values, resolved; raises ConfigError where that cannot be done."""
    try:
        values = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key or 'config'}: {_first_line(error)}") from error
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def settings_of(values: Mapping[str, Any]) -> Settings:
    """Returns the settings in a plain config; raises ConfigError when one is missing or not allowed."""
    # Keys of the user's own at the top, for interpolations to refer to, are welcome.
    for name in (*SECTIONS, *GROUPS, "seed", "allow_targets"):
        if name not in values:
            raise ConfigError(f"{name}: is missing")
    sections: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        node = values[name]
        if not isinstance(node, dict):
            raise ConfigError(f"{name}={node}: must be a section with {', '.join(_rules(section))}")
        check_arguments(section, node, name)
        sections[name] = section(**{key: tuple(v) if isinstance(v, list) else v for key, v in node.items()})
    check_arguments(Settings, {k: values[k] for k in ("seed", "allow_targets")} | sections, "")
    return Settings(seed=values["seed"], allow_targets=values["allow_targets"], **sections)


def part(values: Mapping[str, Any], group: str, allowed: Sequence[str]) -> "partial[Any]":
    """Returns the function that a group's ``_target_`` names, with the group's checked hyper-parameters."""
    node = values[group]
    if not isinstance(node, dict) or not isinstance(node.get("_target_"), str):
        raise ConfigError(f"{group}: must name a function by _target_")
    arguments = {key: value for key, value in node.items() if key not in ("_target_", "_partial_")}
    function = _function(node["_target_"], group, allowed)
    check_arguments(function, arguments, group)
    return partial(function, **arguments)


def leaves(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Returns every leaf of a plain config as text by its dotted key; a list is one leaf."""
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found |= leaves(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = str(value)
    return found


def check_arguments(function: Callable[..., Any], arguments: Mapping[str, Any], prefix: str) -> None:
    """Raises ConfigError unless the arguments are just the keyword-only ones of function, each as its
    rule allows.
    """
    rules = _rules(function)
    _check_keys(prefix, arguments, rules, _needed(function))
    for name, value in arguments.items():
        rule = rules[name]
        if rule is not None and not rule.accepts(value):
            raise ConfigError(f"{_dotted(prefix, name)}={_shown(value)}: must be {rule.allowed}")


def _check_keys(
    prefix: str, given: Collection[str], allowed: Collection[str], needed: Collection[str]
) -> None:
    known = f"the settings here are {', '.join(sorted(allowed))}" if allowed else "there is none"
    for name in given:
        if name not in allowed:
            raise ConfigError(f"{_dotted(prefix, name)}: is not a setting; {known}")
    for name in needed:
        if name not in given:
            raise ConfigError(f"{_dotted(prefix, name)}: is missing")


def _needed(function: Callable[..., Any]) -> list[str]:
    """Returns the keyword-only arguments that have no default, sorted."""
    parameters = inspect.signature(function).parameters.values()
    return sorted(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty)


def _rules(function: Callable[..., Any]) -> dict[str, Rule | None]:
    hints = get_type_hints(function.__init__ if inspect.isclass(function) else function, include_extras=True)
    return {
        name: next((m for m in getattr(hints.get(name), "__metadata__", ()) if isinstance(m, Rule)), None)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def _function(target: str, group: str, allowed: Sequence[str]) -> Callable[..., Any]:
    """Returns the function at a dotted path whose module, and the module it was written in, is allowed."""
    shown = f"{group}._target_={target}"
    _refuse_unless_below(("initlab", *allowed), target, shown)
    function: Callable[..., Any] = _located(target, shown)
    if not callable(function):
        raise ConfigError(f"{shown}: must be a function; it is a {type(function).__name__}")
    # 'initlab.network.np.load' begins with an allowed name and still is somebody else's function.
    written_in = getattr(function, "__module__", None) or type(function).__module__
    _refuse_unless_below(("initlab", *allowed), f"{written_in}.", shown)
    if _is_below("initlab", f"{written_in}.") and not _is_below(HOMES[group], f"{written_in}."):
        raise ConfigError(f"{shown}: is no {group}; Initlab's own are in {HOMES[group]}")
    return function


def _located(target: str, shown: str) -> Any:
    """Returns what a dotted path names, an attribute or else a module at each dot."""
    first, *names = target.split(".")
    path = first
    try:
        found = importlib.import_module(first)
        for name in names:
            module, path = path, f"{path}.{name}"
            if not hasattr(found, name):
                importlib.import_module(path)
            found = getattr(found, name)
    except Exception as error:  # a user's module may fail in any way
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if path != first and missing and _is_below(missing, f"{path}."):
            raise ConfigError(f"{shown}: {module} has no {name}") from error
        raise ConfigError(f"{shown}: cannot be imported: {_first_line(error)}") from error
    return found


def _refuse_unless_below(allowed: Sequence[str], path: str, shown: str) -> None:
    if not any(_is_below(prefix, path) for prefix in allowed):
        raise ConfigError(
            f"{shown}: is outside of {', '.join(allowed)}; "
            f"if you trust it, add allow_targets=[{path.split('.')[0]}]"
        )


def _is_below(prefix: str, path: str) -> bool:
    return path.startswith(f"{prefix.rstrip('.')}.")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _dotted(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return value if isinstance(value, str) and value else repr(value)
