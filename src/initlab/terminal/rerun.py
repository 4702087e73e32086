"""``initlab rerun``: trains a tracked run again and says whether the same bits come out."""

import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from math import inf, isfinite
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from initlab.errors import ConfigError, InitlabError
from initlab.signals import Stopped, stop_on_signals
from initlab.terminal.application import end_with_the_reader
from initlab.terminal.keys import keys_given
from initlab.terminal.wording import own_command

if TYPE_CHECKING:
    from initlab.runs.rerun import Cause, Parting, Rerun

DEFAULTS = {"uri": "", "allow_targets": ""}

HELP = """Trains a tracked run again from its own config and says whether the same bits
come out, or where they part and why they may.

A run by its id:         {command} RUN_ID
With functions of yours: {command} RUN_ID allow_targets=[my_starts]

== Set (key=value) ==
uri            of the tracking store (MLFLOW_TRACKING_URI, else
               mlruns/mlflow.db of the current folder)
allow_targets  modules, beside Initlab's own, whose functions the run's config
               may name (none: what the run itself allowed does not count)

It compares all numbers of history.npz and weights.npz, tracks nothing and ends
with 0 where their bits are the same, else with 1.
"""


def main() -> None:
    """Runs the command line; exits with 1 where other bits come out, or with one line where none can."""
    words = sys.argv[1:]
    if any(word in ("--help", "-h") for word in words):
        end_with_the_reader()
        print(HELP.format(command=own_command("rerun")), end="")
        return
    stop_on_signals()
    try:
        same = _rerun(words)
    except InitlabError as error:
        sys.exit(str(error))
    except Stopped as stopped:
        print(f"Stopped by {stopped}. Nothing was compared.", file=sys.stderr)
        sys.exit(128 + stopped.signum)
    sys.exit(0 if same else 1)


def _rerun(words: Sequence[str]) -> bool:
    """Prints what comes of it, and returns whether that is the same bits."""
    from initlab.config.options import tracking_uri
    from initlab.runs.rerun import rerun
    from initlab.terminal.progress import ProgressLine
    from initlab.tracking.address import absolute_uri

    run_ids = [word for word in words if "=" not in word]
    if len(run_ids) != 1:
        there = f"there are {len(run_ids)}" if run_ids else "there is none"
        raise ConfigError(f"rerun: needs one run id, and {there}; MLflow shows it on the run's page")
    given = keys_given([word for word in words if "=" in word], DEFAULTS)
    uri = absolute_uri(given["uri"] or tracking_uri(), Path.cwd())
    with ProgressLine() as line:
        done = rerun(run_ids[0], uri, _names(given["allow_targets"]), line)
    print(*sentences(done), sep="\n")
    return not done.partings


def _names(typed: str) -> list[str]:
    return [name.strip() for name in typed.removeprefix("[").removesuffix("]").split(",") if name.strip()]


def sentences(done: "Rerun") -> Iterator[str]:
    """Yields what came of a run that was trained again, line by line."""
    files = f"{done.arrays} arrays of history.npz and weights.npz"
    if not done.partings:
        yield f"{done.name}: same bits, in all {files}."
        return
    first = done.partings[0]
    yield f"{done.name}: other bits, in {len(done.partings)} of {files}."
    yield f"They part {_moment(first, done.iterations)}, in {first.array}:"
    yield f"  {_numbers(first)}"
    if changed := [one for one in done.causes if one.then]:
        yield "What is not as it was:"
        yield from chain.from_iterable(map(_lines, changed))
    if unknown := ", ".join(one.name for one in done.causes if not one.then):
        yield from wrap(f"What the run does not tell of how it was: {unknown}.", 79)
    if not done.causes:
        yield "Data, code, versions and kernels are as they were. So its files were changed, or"
        yield "a function of your own does not return the same each time."


def _lines(cause: "Cause") -> list[str]:
    name, then, now = f"  {cause.name}:", f"{cause.then} then", f"{cause.now} now"
    line = f"{name} {then}, {now}"
    return [line] if len(line) <= 80 else [name, f"    {then}", f"    {now}"]


def _moment(first: "Parting", iterations: int) -> str:
    if first.iteration < 0:
        return "before training"
    return f"at iteration {first.iteration:,}" if first.iteration < iterations else "after training"


def _numbers(first: "Parting") -> str:
    then, now = first.then, first.now
    words = f"{'nothing' if then is None else then} then, {'nothing' if now is None else now} now"
    apart = abs(then - now) if then is not None and now is not None else inf
    return f"{words}, {apart:.3g} apart" if isfinite(apart) and apart else words
