"""Which modules a user trusts by what was typed: the values of ``allow_targets`` among the overrides."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

KEY = "allow_targets"


def trusted_by(words: Sequence[str]) -> list[str]:
    """Returns the modules that overrides name by ``allow_targets=[my_starts]``; those of a word that Hydra
    cannot read do not count, and Hydra says so.
    """
    parse = OverridesParser.create().parse_override
    found: list[str] = []
    for word in words:
        if word.lstrip("+").startswith(KEY):
            with suppress(HydraException):
                found += _modules(parse(word))
    return found


def _modules(override: Override) -> Iterator[str]:
    if override.key_or_group.partition(".")[0] != KEY or override.is_delete():
        return
    for value in _values(override):
        yield from (str(name) for name in (value if isinstance(value, list) else [value]))


def _values(override: Override) -> list[Any]:
    """Returns the value, or all values of a sweep."""
    if not override.is_discrete_sweep():
        return [override.value()]
    parse = OverridesParser.create().parse_override
    return [parse(f"{KEY}={value}").value() for value in override.sweep_string_iterator()]
