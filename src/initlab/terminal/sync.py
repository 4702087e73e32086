"""``initlab sync``: delivers the runs that a store did not take while they were trained."""

import sys
from collections.abc import Sequence
from pathlib import Path

from initlab.errors import ConfigError, InitlabError
from initlab.passwords import masked
from initlab.signals import Stopped, stop_on_signals
from initlab.terminal.application import end_with_the_reader
from initlab.terminal.wording import own_command

HELP = """Delivers the runs that wait in mlruns/spool of the current folder.

All that waits:   {command}
For one store:    {command} uri=http://127.0.0.1:5000

A store that does not answer while runs are trained does not stop them: what it
could not take waits there, and any command on that store delivers it first.
Each run arrives exactly once, also after a delivery that was broken off.

== Set (key=value) ==
uri   of the tracking store (each that something waits for). The spool holds no
      passwords: a store that asks for one is named here or in
      MLFLOW_TRACKING_URI
"""


def main() -> None:
    """Runs the command line and exits with 1, and a line for each reason, where a run still waits."""
    words = sys.argv[1:]
    if any(word in ("--help", "-h") for word in words):
        end_with_the_reader()
        print(HELP.format(command=own_command("sync")), end="")
        return
    stop_on_signals()
    try:
        problems = _deliver(_uri(words), Path.cwd())
    except InitlabError as error:
        sys.exit(str(error))
    except Stopped as stopped:
        sys.exit(128 + stopped.signum)
    if problems:
        sys.exit("\n".join(problems))


def _uri(words: Sequence[str]) -> str | None:
    """Returns the address that was typed, None if there is none; raises ConfigError for another word."""
    uri = None
    for word in words:
        key, equals, uri = word.partition("=")
        if key != "uri":
            raise ConfigError(f"{key}: is not a key of this command. Its key: uri.")
        if not equals or not uri:
            raise ConfigError("uri: must be uri=VALUE")
    return uri


def _deliver(uri: str | None, folder: Path) -> list[str]:
    """Delivers to each store, tells how many runs, and returns why others still wait."""
    from initlab.tracking.delivery import counted, deliver_waiting, waiting_for
    from initlab.tracking.spool import shown

    problems: list[str] = []
    there = 0
    for store in _stores(uri, folder):
        if runs := len(waiting_for(store, folder)):
            done = deliver_waiting(store, folder)
            print(f"{done.runs} of {counted(runs)} delivered to {shown(store, folder)}.", flush=True)
            problems += done.problems
        there += runs
    if not there:
        print("Nothing waits in mlruns/spool" + (f" for {masked(uri)}." if uri else "."))
    return problems


def _stores(uri: str | None, folder: Path) -> list[str]:
    """Returns the store that was typed, or each that something waits for."""
    from initlab.config.options import tracking_uri
    from initlab.tracking.address import absolute_uri
    from initlab.tracking.spool import waiting

    if uri is not None:
        return [absolute_uri(uri, folder)]
    named = dict.fromkeys(one.store or tracking_uri() for one in waiting(folder))
    return list(dict.fromkeys(absolute_uri(store, folder) for store in named))
