"""``initlab resume``: goes on with a sweep that was stopped, or of which jobs have failed."""

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from initlab.errors import InitlabError
from initlab.terminal.application import end_with_the_reader
from initlab.terminal.wording import own_command

HELP = """Goes on with a sweep: what has finished is kept, the rest is trained.

The last sweep:    {command}
One by its name:   {command} 2026-11-24_10-00-00-ab12cd34
What it would do:  {command} dry_run=true
With one process:  {command} hydra.launcher.n_jobs=1

It takes the sweep's own command from its folder in multirun/ or, where that is
gone, from its summary in MLflow; further key=value words are added to it.
"""
SWEEPS = Path("multirun")
PLACE = "hydra.sweep.dir="
HYDRAS = re.compile(r"-|[+~]*hydra[./=@]")  # options, and settings of Hydra itself


def main() -> None:
    """Runs the command line; exits with 1, and one line, where there is no such sweep."""
    words = sys.argv[1:]
    if any(word in ("--help", "-h") for word in words):
        end_with_the_reader()
        print(HELP.format(command=own_command("resume")), end="")
        return
    names = [word for word in words if "=" not in word]
    try:
        if len(names) > 1:
            raise InitlabError(f"{' '.join(names)}: must be the name of one sweep")
        folder, command = _sweep(names[0] if names else None)
    except InitlabError as error:
        sys.exit(str(error))
    print(f"{folder.name}: {shlex.join(command)}", flush=True)
    added = [word for word in words if "=" in word]
    sys.argv[1:] = ["-m", *command, *added, "resume=true", _place(folder)]
    from initlab.terminal.command import main as train

    train()


def _sweep(name: str | None) -> tuple[Path, Sequence[str]]:
    """Returns the folder of a sweep, of the last without a name, and the words of its command.

    Raises InitlabError where there is none.
    """
    from initlab.sweeps.resume import command_of, sweeps_below

    newest = next(sweeps_below(SWEEPS), None)
    if name is None:
        if newest is None:
            raise InitlabError(f"{SWEEPS}: there is no sweep to go on with in this folder")
        return newest, command_of(newest)
    folder = Path(name) if Path(name, "multirun.yaml").is_file() else SWEEPS / Path(name).name
    if (folder / "multirun.yaml").is_file():
        return folder, command_of(folder)
    return folder, _from_the_store(folder.name)


def _from_the_store(name: str) -> Sequence[str]:
    """Returns the words of the command that a sweep's summary run tells."""
    from initlab.config.options import tracking_uri
    from initlab.tracking.address import absolute_uri
    from initlab.tracking.reading import command_of_sweep

    uri = absolute_uri(tracking_uri(), Path.cwd())
    found = command_of_sweep(uri, name)
    if found is None:
        raise InitlabError(f"{name}: no such sweep in {SWEEPS}/, nor a summary of it in {uri}")
    words = shlex.split(found)[2:]  # after `initlab -m`
    if odd := [word for word in words if HYDRAS.match(word)]:  # a store may be somebody else's
        raise InitlabError(f"{name}: its command in {uri} has {odd[0]}, which is taken from no store")
    return words


def folder_meant(words: Sequence[str]) -> tuple[Path | None, list[str]]:
    """Returns the folder of the sweep that a command line with ``resume=true`` goes on with, None if there is
    none, and the words to add to it so that Hydra uses that folder.
    """
    from initlab.sweeps.resume import sweep_of

    given = [word.removeprefix(PLACE).strip("'") for word in words if word.startswith(PLACE)]
    own = [word for word in words if "=" in word and not word.startswith(("-", "hydra"))]
    folder = Path(given[-1]) if given else sweep_of(SWEEPS, own)
    if folder is None or not (folder / "multirun.yaml").is_file():
        return None, []
    return folder, [] if given else [_place(folder)]


def _place(folder: Path) -> str:
    escaped = str(folder).replace("\\", "\\\\").replace("'", r"\'")
    return f"{PLACE}'{escaped}'"
