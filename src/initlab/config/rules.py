"""Rules for settings, written once, as annotations in the signature of the function that takes them.

``def gd(..., *, learning_rate: Positive)`` reads as a type, and is also the rule by which a config is checked
before any work is done (``check_arguments``).
"""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, get_type_hints

from initlab.errors import ConfigError

LARGEST = 2**63 - 1  # what arrays and databases can count to


@dataclass(frozen=True)
class Rule:
    """A test of one value, and the words that complete 'must be ...' when the test fails."""

    allowed: str
    accepts: Callable[[Any], bool]


def optional(annotation: Any) -> Rule:
    """Returns the rule for what an annotation such as Count allows, or null."""
    rule: Rule = annotation.__metadata__[0]
    return Rule(f"null or {rule.allowed}", lambda value: value is None or rule.accepts(value))


def or_word(annotation: Any, word: str) -> Rule:
    """Returns the rule for what an annotation such as Count allows, or a word."""
    rule: Rule = annotation.__metadata__[0]
    return Rule(f"{rule.allowed}, or {word}", lambda value: value == word or rule.accepts(value))


def one_of(*choices: str) -> Rule:
    """Returns the rule for a value that must be one of these names."""
    return Rule(f"one of {', '.join(choices)}", lambda value: value in choices)


def list_of(words: str, accepts: Callable[[Any], bool]) -> Rule:
    """Returns the rule for a list of which every item is accepted."""
    return Rule(f"a list of {words}", lambda v: isinstance(v, list | tuple) and all(map(accepts, v)))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def is_number(value: Any) -> bool:
    """Returns whether a value is a finite number, true and false left out."""
    return (_is_whole(value) or isinstance(value, float)) and math.isfinite(value)


Count = Annotated[int, Rule("a whole number of at least 1", lambda v: _is_whole(v) and v >= 1)]
Size = Annotated[int, Rule("a whole number of at least 0", lambda v: _is_whole(v) and v >= 0)]
Classes = Annotated[int, Rule("a whole number of at least 2", lambda v: _is_whole(v) and v >= 2)]
Seed = Annotated[int, Rule("a whole number from 0 to 4294967295", lambda v: _is_whole(v) and 0 <= v < 2**32)]
Number = Annotated[float, Rule("a finite number", is_number)]
Positive = Annotated[float, Rule("a finite number greater than 0", lambda v: is_number(v) and v > 0)]
NonNegative = Annotated[float, Rule("a finite number of at least 0", lambda v: is_number(v) and v >= 0)]
Decay = Annotated[
    float, Rule("a number of at least 0 and less than 1", lambda v: is_number(v) and 0 <= v < 1)
]
Share = Annotated[
    float, Rule("a number greater than 0 and less than 1", lambda v: is_number(v) and 0 < v < 1)
]
ShareOrZero = Decay
Flag = Annotated[bool, Rule("true or false", lambda v: isinstance(v, bool))]
Text = Annotated[str, Rule("a non-empty text", _is_text)]
Name = Annotated[str, Rule("a non-empty text (a number in quotes)", _is_text)]
Widths = Annotated[
    Sequence[int], list_of("whole numbers of at least 1, such as [10, 5]", lambda n: _is_whole(n) and n >= 1)
]


def check_arguments(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    prefix: str,
    also: Callable[..., Any] | None = None,
) -> None:
    """Raises ConfigError unless the arguments are the keyword-only ones of a function, or of a second one
    (``also``), each as its rule allows.
    """
    rules, needed = rules_of(function), _needed(function)
    if also:
        rules, needed = {**rules_of(also), **rules}, needed | (_needed(also) - rules.keys())
    known = f"the settings here are {', '.join(sorted(rules))}" if rules else "there is none"
    section = f"{prefix}." if prefix else ""
    for name in arguments:
        if name not in rules:
            raise ConfigError(f"{section}{name}: is not a setting; {known}")
    for name in sorted(rules):
        if name in needed and name not in arguments:
            raise ConfigError(f"{section}{name}: is missing")
    for name, value in arguments.items():
        rule = rules[name]
        if rule is not None and not rule.accepts(value):
            too_large = isinstance(value, int) and abs(value) > LARGEST
            beyond = f", and of at most {LARGEST}" if too_large else ""
            raise ConfigError(f"{section}{name}={shown(value)}: must be {rule.allowed}{beyond}")


@lru_cache(maxsize=256)
def rules_of(function: Callable[..., Any]) -> Mapping[str, Rule | None]:
    """Returns the rule of each keyword-only argument, None for one that has none."""
    hints = get_type_hints(function.__init__ if inspect.isclass(function) else function, include_extras=True)
    return {
        name: next((m for m in getattr(hints.get(name), "__metadata__", ()) if isinstance(m, Rule)), None)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


@lru_cache(maxsize=256)
def _needed(function: Callable[..., Any]) -> frozenset[str]:
    """Returns the names of the arguments that have no default."""
    parameters = inspect.signature(function).parameters
    return frozenset(name for name, one in parameters.items() if one.default is inspect.Parameter.empty)


def shown(value: Any) -> str:
    """Returns a value as an error message shows it."""
    if value is None:
        return "null"
    return value if isinstance(value, str) and value else repr(value)
