"""Says in one line what Hydra refuses, and of a mistyped key or option what was probably meant."""

import re
from collections.abc import Sequence

from hydra.errors import ConfigCompositionException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from initlab.errors import InitlabError, first_line, on_one_line
from initlab.sweeps.hydra_private import check_options, was_refused
from initlab.terminal.suggestions import WIDTH, explanation

# Lines of Hydra's and OmegaConf's errors that say where they were raised, or point somewhere else.
ASIDE = re.compile(r"See https://|Set the environment variable|full_key: |object_type=|reference_type=|\^$|$")
SEARCH_PATH = "Config search path:"  # a page of its own follows
LEXER = "LexerNoViableAltException: "


def refusal(error: BaseException, config_name: str, width: int = WIDTH) -> list[str]:
    """Returns what to say of an error that the user's words, files or folders have caused, in lines of at
    most so many characters where it lists what there is, otherwise in one; none of an error in the program.
    """
    if isinstance(error, ConfigCompositionException) and (lines := explanation(error, config_name, width)):
        return lines
    if isinstance(error, InitlabError | OSError) or was_refused(error):
        return [one_line(error)]
    return []


def one_line(error: BaseException) -> str:
    """Returns what an error says, beginning with the override, the key or the path that it is about."""
    cause = error.__cause__
    if isinstance(error, OverrideParseException):
        return on_one_line(f"{error.override}: cannot be read{_unreadable(error.override, error.message)}")
    if found := re.match(r"Error merging override (.*)", str(error)):
        return on_one_line(f"{found[1]}: {first_line(cause or error)}")
    if found := re.match(r"Ambiguous value for argument '(.*)'", str(error)):
        return on_one_line(f"{found[1]}: is several values: sweep over them by -m, or write a list: [1,2]")
    if isinstance(error, OmegaConfBaseException):
        return on_one_line(f"{error.full_key or 'config'}: {first_line(error)}")
    if isinstance(error, OSError) and error.filename is not None:
        return on_one_line(f"{error.filename}: cannot be used: {error.strerror}")
    lines = str(error).partition(SEARCH_PATH)[0].splitlines()
    return on_one_line(joined(lines) or type(error).__name__)


def joined(lines: Sequence[str]) -> str:
    """Returns lines as one, without those that only say where an error was raised."""
    said = ""
    for line in (line.strip() for line in lines):
        if not ASIDE.match(line):
            new_sentence = line[0].isupper() and said and said[-1] not in ".?:;,"
            said += f"{'.' if new_sentence else ''} {line}"
    return said.strip().rstrip(".")


def _unreadable(override: str, message: str) -> str:
    """Returns what Hydra's grammar has against an override, without the names of its symbols."""
    lines = [line for line in message.splitlines() if not line.startswith("Error parsing override")]
    if lines and lines[0].startswith(LEXER):
        place = next((line.find("^") for line in lines if line.strip() == "^"), len(LEXER))
        rest = override[place - len(LEXER) :]
        return f" from {rest!r} on: put what is no plain word in quotes, within the shell's"
    return f": {re.sub(' expecting .*', '', lines[0].strip())}" if lines else ""


def refuse_options(arguments: Sequence[str]) -> None:
    """Raises InitlabError for words of a command line that are neither options nor overrides."""
    try:
        check_options(arguments)
    except ValueError as error:
        _, unknown, words = str(error).partition("unrecognized arguments: ")
        if not unknown:
            said = str(error)
        elif words.startswith("-"):
            said = f"{words}: no such option"
        else:
            said = f"{words}: stands behind an option, others before it; write -m and its like first"
        raise InitlabError(f"{said}; --help lists what there is") from None
