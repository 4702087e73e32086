"""The key=value words of a command that is not Hydra's."""

from collections.abc import Mapping, Sequence

from initlab.errors import ConfigError


def keys_given(words: Sequence[str], defaults: Mapping[str, str]) -> dict[str, str]:
    """Returns the settings by key; raises ConfigError for a word that is none."""
    given = dict(defaults)
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in defaults:
            raise ConfigError(_unknown(key, bool(equals), defaults))
        given[key] = value
    return given


def _unknown(key: str, has_value: bool, defaults: Mapping[str, str]) -> str:
    from initlab.terminal.suggestions import closest, did_you_mean

    if key in defaults and not has_value:
        return f"{key}: must be {key}=VALUE"
    near = did_you_mean(closest(key, defaults))
    return " ".join(
        [f"{key}: is not a key of this command.", *(near or [f"Its keys: {', '.join(defaults)}."])]
    )
