"""``initlab replicate``: published results about how weights start, measured anew and judged."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from initlab.config.rules import one_of
from initlab.errors import ConfigError, InitlabError
from initlab.terminal.application import end_with_the_reader
from initlab.terminal.keys import keys_given
from initlab.terminal.wording import own_command

if TYPE_CHECKING:
    from initlab.shelf.paper import Paper

DEFAULTS = {"uri": "", "out": "reports/replications", "short": "false"}
ALL = "all"

HELP = """Measures published results anew and says whether they hold here.

The shelf:    {command}
One paper:    {command} lu2019
All of them:  {command} all
Some quickly: {command} lu2019 saxe2014 --short

== Set (key=value) ==
uri    of the tracking store (MLFLOW_TRACKING_URI, else mlruns/mlflow.db of
       the current folder); null tracks nothing
out    the folder for each paper's section and figure (reports/replications)
short  true, or --short: few seeds, small networks, in seconds (false)
"""


def main() -> None:
    """Runs the command line and exits with 1, and one line, where a paper cannot be measured."""
    words = ["short=true" if word == "--short" else word for word in sys.argv[1:]]
    if any(word in ("--help", "-h") for word in words):
        end_with_the_reader()
        print(HELP.format(command=own_command("replicate")), end="")
        return
    try:
        _replicate([word for word in words if "=" not in word], [word for word in words if "=" in word])
    except InitlabError as error:
        sys.exit(str(error))


def _replicate(asked: Sequence[str], keys: Sequence[str]) -> None:
    from initlab.shelf import paper

    given = keys_given(keys, DEFAULTS)
    if not one_of("true", "false").accepts(given["short"]):
        raise ConfigError(f"short={given['short']}: must be true or false")
    if not asked:
        _list()
        return
    for one in [paper.read(name) for name in (paper.names() if ALL in asked else asked)]:
        _one(one, given)


def _list() -> None:
    """Prints what is on the shelf."""
    from initlab.shelf import paper

    end_with_the_reader()
    for one in map(paper.read, paper.names()):
        print(fill(f"{one.name:<18}{one.cited}: {one.title}", 79, subsequent_indent=" " * 18))
    print(f"\n{own_command('replicate')} NAME measures one anew, `all` all of them.")


def _one(one: "Paper", given: Mapping[str, str]) -> None:
    """Measures a paper anew, prints what came of it, and leaves its section and its figure."""
    from initlab.shelf.replication import replicate
    from initlab.shelf.section import outcome, printed, shown

    done = replicate(one, _store(given["uri"]), given["short"] == "true")
    _say(f"{one.cited}: {done.judged}", "")
    for key, result in one.published.items():
        ours = done.ours[key]
        _say(f"{outcome(result, ours)}: {result.what}", "  ")
        _say(f"published {printed(result)} · here {shown(result, ours)}", "    ")
    files = {"png": done.figure, "md": done.section(f"{one.name}.png").encode()}
    for path in _written(Path(given["out"]), one.name, files):
        print(path, flush=True)


def _say(text: str, indent: str) -> None:
    """Prints a text in lines of 79 columns, those after the first a little further in."""
    print(fill(text, 79, initial_indent=indent, subsequent_indent=f"{indent}  "), flush=True)


def _store(typed: str) -> str | None:
    from initlab.config.options import tracking_uri
    from initlab.tracking.address import absolute_uri

    return None if typed == "null" else absolute_uri(typed or tracking_uri(), Path.cwd())


def _written(folder: Path, name: str, files: Mapping[str, bytes]) -> list[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ending, content in files.items():
            (folder / f"{name}.{ending}").write_bytes(content)
    except OSError as error:
        raise InitlabError(f"out={folder}: cannot be written: {error.strerror}") from error
    return [folder / f"{name}.{ending}" for ending in files]
