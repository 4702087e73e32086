"""The functions that a config names by ``_target_``.

A group's YAML names a function and holds its keyword-only arguments; that function's signature is the schema
(see ``rules``). Nothing is imported or called before its name has been allowed.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from initlab.config.options import target_of
from initlab.config.rules import check_arguments, rules_of, shown
from initlab.errors import ConfigError, first_line

# The groups of components, and where Initlab's own functions for each are; a user's may be anywhere.
HOMES = {
    "dataset": "initlab.datasets",
    "model": "initlab.networks",
    "init": "initlab.initializers",
    "bias": "initlab.initializers.biases",
    "optimizer": "initlab.optimizers",
    "schedule": "initlab.optimizers.schedules",
}
GROUPS = tuple(HOMES)
SHELF = "initlab.replications"  # a paper may bring data and starts of its own
# Functions that take further settings of a group, whatever function its _target_ names.
BESIDE = {"optimizer": "initlab.optimizers.layer_rates.rate_factors"}
MOVED = {
    "initlab.network": "initlab.networks",
    "initlab.biases": "initlab.initializers.biases",
    "initlab.schedules": "initlab.optimizers.schedules",
}


def load_component(values: Mapping[str, Any], group: str, allowed: Sequence[str]) -> "partial[Any]":
    """Returns the function that a group's ``_target_`` names, with the group's checked hyper-parameters.

    Those that the group may have beside (see BESIDE) are checked, too, and left out.
    """
    if group not in values:
        raise ConfigError(f"{group}: is missing")
    node = values[group]
    if not isinstance(node, dict) or not isinstance(node.get("_target_"), str):
        raise ConfigError(f"{group}: must name a function by _target_")
    arguments = {key: value for key, value in node.items() if key not in ("_target_", "_partial_")}
    function = _function(node["_target_"], group, allowed)
    also = _located(BESIDE[group], group) if group in BESIDE else None
    check_arguments(function, arguments, group, also)
    own = rules_of(function)
    return partial(function, **{key: value for key, value in arguments.items() if key in own})


def name_of_choice(group: str, option: str | None, target: str) -> str:
    """Returns what to call a component: the option that was chosen, or its function's own name where the
    option stands for another function.
    """
    function = target.rpartition(".")[2]
    if option is None:
        return function
    return option if target_of(group, option) in (None, target) else function


def _function(target: str, group: str, allowed: Sequence[str]) -> Callable[..., Any]:
    """Returns the function at a dotted path whose module, and the module it was written in, is allowed."""
    label = f"{group}._target_={shown(target)}"
    if not all(name.isidentifier() for name in target.split(".")):
        raise ConfigError(f"{label}: must be a path such as my_starts.spiral")
    module, _, name = target.rpartition(".")
    if module in MOVED:
        raise ConfigError(f"{label}: has moved; it is now {MOVED[module]}.{name}")
    _refuse_unless_below(("initlab", *allowed), target, label)
    function: Callable[..., Any] = _located(target, label)
    if not callable(function):
        raise ConfigError(f"{label}: must be a function; it is a {type(function).__name__}")
    # 'initlab.networks.np.load' begins with an allowed name and still is somebody else's function.
    written_in = getattr(function, "__module__", None) or type(function).__module__
    _refuse_unless_below(("initlab", *allowed), f"{written_in}.", label)
    homes = HOMES[group], SHELF
    if _is_below("initlab", f"{written_in}.") and not any(
        _is_below(home, f"{written_in}.") for home in homes
    ):
        raise ConfigError(f"{label}: is no {group}; Initlab's own are in {HOMES[group]}")
    return function


def _located(target: str, label: str) -> Any:
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
            raise ConfigError(f"{label}: {module} has no {name}") from error
        raise ConfigError(f"{label}: cannot be imported: {first_line(error)}") from error
    return found


def _refuse_unless_below(allowed: Sequence[str], path: str, label: str) -> None:
    if not any(_is_below(prefix, path) for prefix in allowed):
        raise ConfigError(
            f"{label}: is outside of {', '.join(allowed)}; "
            f"if you trust it, add allow_targets=[{path.split('.')[0]}]"
        )


def _is_below(prefix: str, path: str) -> bool:
    return path.startswith(f"{prefix.rstrip('.')}.")
