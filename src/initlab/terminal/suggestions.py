"""Says in a few lines what is wrong with a mistyped override and what was probably meant."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from textwrap import wrap
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException, MissingConfigException
from hydra.types import RunMode

from initlab.errors import first_line
from initlab.sweeps.hydra_private import config_around, plain

# Hydra's words, whose advice to append would not help.
UNKNOWN_KEY = r"Could not override '(.+)'\.\nTo append to your config use \+(.*)"
UNUSED_GROUP = r"Could not override '([^@]+)'\. No match in the defaults list"

WIDTH = 79
MOST = 3  # suggestions in one line
CLOSE = 0.7  # from 0 to 1; less similar names are not suggested
CLOSE_TO_THE_BEST = 0.05
ABBREVIATED = 0.85  # how similar a name is to its initials, to its beginning and to one of its words
ANOTHER_FIRST_LETTER = 0.9  # how much a word counts that begins otherwise: 'none' is not 'ones'
ELSEWHERE = 0.9  # how much a key counts that has only its last part in common: learning_rate=0.1


def explanation(error: ConfigCompositionException, config_name: str, width: int = WIDTH) -> list[str]:
    """Returns lines of at most so many characters, none if it is not about an unknown key or option."""
    if isinstance(error, MissingConfigException) and error.options:
        options = _of_unknown_option(str(error.missing_cfg_file), error.options)
        lines = [first_line(error), *options]
    elif found := re.match(UNUSED_GROUP, str(error)):
        lines = _of_unused_group(found[1], _groups(config_name))
    elif error.__cause__ and (found := re.match(UNKNOWN_KEY, str(error))):
        known = [*_groups(config_name), *_keys(plain(config_around(error.__cause__) or {}))]
        why = [f"Could not override '{found[1]}'.", first_line(error.__cause__)]
        lines = why + _of_unknown_key(found[1], found[2], known)
    else:
        lines = []
    return [part for line in lines for part in wrap(line, width, break_long_words=False)]


def _of_unknown_option(file: str, options: Sequence[str]) -> list[str]:
    group, _, option = file.rpartition("/")
    return [
        f"Available options in '{group}': {', '.join(options)}",
        *did_you_mean(f"{group}={near}" for near in closest(option, options)),
    ]


def _of_unused_group(group: str, groups: Iterable[str]) -> list[str]:
    own = [known for known in groups if not known.startswith("hydra")]
    return [
        f"Could not override '{group}': this command has no such group.",
        f"Its groups: {', '.join(sorted(own))}",
        *did_you_mean(closest(group, own)),
    ]


def _of_unknown_key(key: str, override: str, known: Iterable[str]) -> list[str]:
    # Hydra's own settings are many; they are meant only where they are named.
    of_hydra = key.startswith("hydra")
    near = closest(key, [name for name in known if name.startswith("hydra") == of_hydra])
    return did_you_mean(near) or [f"To add a key of your own, write +{override}"]


def _groups(config_name: str) -> list[str]:
    """Returns the groups from which this config chooses, Hydra's among them."""
    loader = GlobalHydra.instance().config_loader()
    return list(loader.compute_defaults_list(config_name, [], RunMode.RUN).overrides.known_choices)


def _keys(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yields the paths of all values, without those that Hydra reads: ``_target_``, ``_partial_``."""
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _keys(value, f"{prefix}{key}.")
        elif not str(key).startswith("_"):
            yield f"{prefix}{key}"


def did_you_mean(names: Iterable[str]) -> list[str]:
    """Returns the one line 'Did you mean a, b or c?', no line if there are no names."""
    *first, last = [*names] or [""]
    return [f"Did you mean {' or '.join(filter(None, [', '.join(first), last]))}?"] if last else []


def closest(typed: str, known: Iterable[str]) -> list[str]:
    """Returns at most three of the known names, those that are most similar to what was typed."""
    scores = {name: _similarity(typed, name) for name in known}
    least = max(CLOSE, max(scores.values(), default=0) - CLOSE_TO_THE_BEST)
    near = [name for name, score in scores.items() if score >= least]
    return sorted(near, key=lambda name: -scores[name])[:MOST]


def _similarity(typed: str, name: str) -> float:
    """Returns how similar two paths are: as similar as their least similar parts or, if they are in
    different sections, as their last parts.
    """
    parts, meant = re.split("[./]", typed), re.split("[./]", name)
    elsewhere = ELSEWHERE * _alike(parts[-1], meant[-1])
    if len(parts) != len(meant):
        return elsewhere
    return max(elsewhere, min(map(_alike, parts, meant)))


def _alike(typed: str, name: str) -> float:
    """Returns how similar two words are: 1 if they are equal, 0.85 for 'lr' and 'learning_rate'."""
    typed, name = typed.casefold().replace("-", "_"), name.casefold()
    words = name.split("_")
    initials = "".join(word[:1] for word in words)
    short, long = sorted((typed, name), key=len)
    of_words = len(words) > 1 and typed == initials
    of_letters = len(short) > 2 and (long.startswith(short) or typed in words)
    ratio = SequenceMatcher(None, typed, name).ratio()
    return max(
        ABBREVIATED * (of_words or of_letters),
        ratio if typed[:1] == name[:1] else ANOTHER_FIRST_LETTER * ratio,
    )
