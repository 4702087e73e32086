"""The errors whose message alone tells a user what to change."""

from collections.abc import Iterator
from contextlib import contextmanager


class InitlabError(Exception):
    """One readable line: the key or file, its value, and what would be right."""

    def __str__(self) -> str:
        return on_one_line(super().__str__())


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
    """Returns the first line of what an error says, without what a grammar would have taken instead, or its
    name if it says nothing.
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0].partition(" expecting {")[0]


def on_one_line(text: str) -> str:
    """Returns a text with what would break its line, or a terminal, as escapes; ends of lines as spaces."""
    return "".join(c if c.isprintable() else " " if c in "\r\n" else repr(c)[1:-1] for c in text)
