"""Passwords in addresses: they stay in the environment, and all else sees the address with ``***`` instead.

What is typed or configured ends up in logs, files, parameters and messages. So a password is taken out of an
address where it comes in, and put back where the store is opened. Processes inherit the environment.
"""

import os
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from urllib.parse import unquote

from initlab.errors import TrackingError

MASK = "***"
GIVEN = "MLFLOW_TRACKING_URI"
KEPT = "INITLAB_ADDRESS_"

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*:"
_OF_SERVER = re.compile(r"(https?://[^:/@?#]*:)([^/?#]*)(@)", re.IGNORECASE)
_OF_DATABASE = re.compile(rf"({_SCHEME}//[^:/@?#]*:)(.*)(@)", re.DOTALL)
_OF_QUERY = re.compile(
    r"([?&;](?:[^=&;]*(?:password|passwd|pwd|secret|token)[^=&;]*|odbc_connect)=)([^&;]*)", re.IGNORECASE
)
_IN_TEXT = re.compile(rf"{_SCHEME}//[^\s'\"<>]+")
_IN_WORD = re.compile(
    rf"(?P<open>['\"])(?P<quoted>{_SCHEME}//(?:\\.|(?!(?P=open))[^\\])*)(?P=open)"
    rf"|(?P<bare>{_SCHEME}//(?:\\.|[^\\\s,\]}}])*)"
)


def masked(uri: str) -> str:
    """Returns an address with ``***`` for the passwords in it, and its scheme in lower case."""
    scheme, colon, rest = uri.partition(":")
    uri = f"{scheme.lower()}{colon}{rest}" if re.fullmatch(_SCHEME, scheme + colon) else uri
    for start, end in reversed(_places(uri)):
        uri = uri[:start] + MASK + uri[end:]
    return uri


def has_password(uri: str) -> bool:
    """Returns whether there is a password in an address, unmasked and not by an interpolation."""
    return bool(_places(uri))


def hidden(uri: str) -> str:
    """Returns an address masked, and keeps it whole in the environment for ``revealed``."""
    shown = masked(uri)
    if has_password(uri):
        os.environ[_variable(shown)] = uri
    return shown


def revealed(uri: str) -> str:
    """Returns a masked address whole; raises TrackingError where its password is not known."""
    if MASK not in uri:
        return uri
    for whole in (os.environ.get(_variable(uri), ""), os.environ.get(GIVEN, "")):
        if whole and masked(whole) == uri:
            return uri.partition(":")[0] + ":" + whole.partition(":")[2]
    raise TrackingError(f"tracking.uri={uri}: its password is not known; set {GIVEN} to the whole address")


def hidden_in_words(words: Sequence[str]) -> list[str]:
    """Returns the words of a command line with the addresses in them hidden."""
    return [_IN_WORD.sub(_hidden_match, word) for word in words]


def without_passwords(text: str) -> str:
    """Returns a text with no password in it: of an address, or of one that is known, as it stands."""
    text = _IN_TEXT.sub(lambda found: masked(found[0]), text)
    for secret in sorted(_known(), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _places(uri: str) -> list[tuple[int, int]]:
    """Returns where passwords begin and end."""
    if (server := _OF_SERVER.match(uri)) or uri.lower().startswith("http"):
        found = [server] if server else []
    else:  # as SQLAlchemy reads it: a slash or a question mark may stand in a password
        head = uri.partition("?")[0]
        found = [match for match in [_OF_DATABASE.match(head if "@" in head else uri)] if match]
    places = [match.span(2) for match in [*found, *_OF_QUERY.finditer(uri)]]
    return [(start, end) for start, end in places if _is_password(uri[start:end])]


def _is_password(text: str) -> bool:
    return text not in ("", MASK) and not re.fullmatch(r"\$\{.*\}", text)


def _hidden_match(found: "re.Match[str]") -> str:
    text, quote = found["quoted"] or found["bare"], found["open"] or ""
    uri = re.sub(rf"\\([\\{quote}])" if quote else r"\\(.)", r"\1", text)
    return f"{quote}{hidden(uri)}{quote}" if has_password(uri) else found[0]


def _known() -> Iterator[str]:
    for name, uri in os.environ.items():
        if name == GIVEN or name.startswith(KEPT):
            for start, end in _places(uri):
                yield from {one for one in (uri[start:end], unquote(uri[start:end])) if len(one) > 2}


def _variable(shown: str) -> str:
    return KEPT + sha256(shown.encode()).hexdigest()[:16]
