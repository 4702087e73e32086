"""``initlab report``: a report of one sweep, or of several together, from what MLflow holds."""

import sys
from collections.abc import Mapping
from functools import partial
from math import inf
from pathlib import Path

from initlab.config.rules import one_of
from initlab.errors import ConfigError, InitlabError
from initlab.terminal.application import end_with_the_reader
from initlab.terminal.keys import keys_given
from initlab.terminal.wording import own_command

DEFAULTS = {
    "sweep": "",
    "experiment": "initlab",
    "uri": "",
    "out": "",
    "by": "",
    "equal_within": "",
}

HELP = """Reports on a sweep, or on several together, from what MLflow holds.

The last sweep:   {command}
One by its name:  {command} sweep=2026-11-24_10-00-00-ab12cd34
Several as one:   {command} sweep=NAME,NAME out=both
By the cost:      {command} by=cost equal_within=0.05

== Set (key=value) ==
sweep         names, with commas between them (the experiment's last)
experiment    of the runs (initlab)
uri           of the tracking store (MLFLOW_TRACKING_URI, else mlruns/mlflow.db
              of the current folder)
out           the folder for the report's files (reports/NAME)
by            score or cost: what is compared (as the sweep had it)
equal_within  a smaller difference makes none in practice (as the sweep had it)

It writes report.html, a page that needs no network, report.md for pull
requests, report.tex for papers, and runs.csv.
"""


def main() -> None:
    """Runs the command line and exits with 1, and one line, where there is nothing to report."""
    words = sys.argv[1:]
    if any(word in ("--help", "-h") for word in words):
        end_with_the_reader()
        print(HELP.format(command=own_command("report")), end="")
        return
    try:
        _report(keys_given(words, DEFAULTS))
    except InitlabError as error:
        sys.exit(str(error))


def _report(given: Mapping[str, str]) -> None:
    """Writes the report and prints the verdict and the paths of its files."""
    from initlab.config.options import tracking_uri
    from initlab.report.answer import answer_of
    from initlab.report.files import report_files
    from initlab.report.tracked import tracked_sweep
    from initlab.report.words import verdict
    from initlab.runs.stored import RunFiles
    from initlab.terminal.tables import stdout
    from initlab.tracking.address import absolute_uri
    from initlab.tracking.beginning import begin_with

    uri = absolute_uri(given["uri"] or tracking_uri(), Path.cwd())
    names = [name for name in given["sweep"].split(",") if name]
    # What is wrong in the words typed is said before anything is read.
    by, equal_within = _by(given["by"]), _equal_within(given["equal_within"])
    begin_with(uri, Path.cwd())
    sweep, parameters = tracked_sweep(uri, given["experiment"], names)
    by = by or parameters.get("report.by", "score")
    if equal_within is None:
        equal_within = float(parameters.get("report.equal_within", 0.01))
    answer = answer_of(sweep.outcomes, by, equal_within)
    files = report_files(sweep, answer, partial(RunFiles, allow_targets=sweep.allow_targets))
    paths = _written(Path(given["out"] or f"reports/{sweep.name.replace(', ', '+')}"), files)
    console = stdout()
    for sentence in verdict(answer):
        console.print(sentence, markup=False, highlight=False)
    for path in paths:
        console.print(str(path), markup=False, highlight=False, soft_wrap=True)


def _by(typed: str) -> str:
    rule = one_of("score", "cost")
    if typed and not rule.accepts(typed):
        raise ConfigError(f"by={typed}: must be {rule.allowed}")
    return typed


def _equal_within(typed: str) -> float | None:
    if not typed:
        return None
    try:
        value = float(typed)
    except ValueError:
        value = -1.0
    if not 0 <= value < inf:
        raise ConfigError(f"equal_within={typed}: must be a finite number of at least 0")
    return value


def _written(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise InitlabError(f"out={folder}: cannot be written: {error.strerror}") from error
    return [folder / name for name in files]
