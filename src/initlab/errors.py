"""The errors whose message alone tells a user what to change."""

from collections.abc import Iterator
from contextlib import contextmanager


class InitlabError(Exception):
    """One readable line: the key or file, its value, and what would be right."""


class ConfigError(InitlabError):
    """A config that cannot be trained as it stands."""


class TrackingError(InitlabError):
    """A tracking store that cannot be opened or written."""


class StoreAwayError(TrackingError):
    """A tracking store that does not answer just now: what it shall hold can wait."""


class TakenError(InitlabError):
    """A job that another process trains."""


@contextmanager
def naming(group: str) -> Iterator[None]:
    """Turns what a part says against its settings into a ConfigError that begins with the group's name."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{group}: {error}") from error


def first_line(error: BaseException) -> str:
    """Returns the first line of what an error says, or its name if it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
