"""``initlab doctor``: what is wrong in a tracking store, mending it, and giving back room."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from initlab.config.rules import one_of
from initlab.errors import ConfigError, InitlabError
from initlab.signals import Stopped
from initlab.terminal.keys import keys_given

if TYPE_CHECKING:
    from rich.console import Console

    from initlab.doctor.examination import Result
    from initlab.doctor.patient import Patient

DEFAULTS = {"uri": "", "experiment": "", "fix": "false", "thin": "", "keep": "5"}

HELP = """Says what is wrong in a tracking store, and mends it.

What is wrong:   initlab doctor
Mend it:         initlab doctor fix=true
Smaller series:  initlab doctor thin=log
Fewer pictures:  initlab doctor thin=pictures keep=5

== Set (key=value) ==
uri         of the tracking store (MLFLOW_TRACKING_URI, else mlruns/mlflow.db
            of the current folder)
experiment  whose runs are examined (all)
fix         true: makes a backup and mends what can be mended (false)
thin        log: leaves of the series of finished runs every iteration up to 100
            and then about 1000, where history.npz has them all; pictures:
            removes the pictures of boundaries along the training
keep        of so many newest sweeps of an experiment the pictures stay (5)

It ends with 0 where all is well or mended, and with 1 where something is not.
"""


def main() -> None:
    """Runs the command line and exits with 1 where something is wrong and not mended."""
    words = sys.argv[1:]
    if any(word in ("--help", "-h") for word in words):
        from initlab.terminal.application import end_with_the_reader

        end_with_the_reader()
        print(HELP, end="")
        return
    try:
        well = _examine(_checked(keys_given(words, DEFAULTS)))
    except InitlabError as error:
        sys.exit(str(error))
    except Stopped as stopped:
        print(f"Stopped by {stopped}. No change was left half done.", file=sys.stderr)
        sys.exit(128 + stopped.signum)
    sys.exit(0 if well else 1)


def _checked(given: Mapping[str, str]) -> Mapping[str, str]:
    rules = {"fix": one_of("true", "false"), "thin": one_of("log", "pictures")}
    for key, rule in rules.items():
        if given[key] and not rule.accepts(given[key]):
            raise ConfigError(f"{key}={given[key]}: must be {rule.allowed}")
    if not given["keep"].isdecimal():
        raise ConfigError(f"keep={given['keep']}: must be a whole number of at least 0")
    return given


def _examine(given: Mapping[str, str]) -> bool:
    """Prints what is found and done, and returns whether all is well now."""
    from initlab.config.options import tracking_uri
    from initlab.doctor.patient import Patient
    from initlab.doctor.sizes import sizes_of
    from initlab.terminal.findings import print_findings, print_sizes
    from initlab.terminal.tables import stdout
    from initlab.tracking.address import absolute_uri
    from initlab.tracking.integrity import is_database

    console, fix, keep = stdout(), given["fix"] == "true", int(given["keep"])
    uri = absolute_uri(given["uri"] or tracking_uri(), Path.cwd())
    patient = Patient(uri, Path.cwd(), given["experiment"])
    back_up = cache(partial(_back_up, console, uri))
    results = _results(patient, back_up if fix else None)
    print_findings(console, results, fix)
    if any(result.fatal for result in results):
        return False
    patient = replace(patient) if fix else patient  # what was mended is read anew
    if given["thin"]:
        _thin(console, patient, given["thin"], keep, back_up)
    elif is_database(uri):
        print_sizes(console, sizes_of(patient, keep), keep)
    return all(result.well for result in results)


def _results(patient: "Patient", before_mending: Callable[[], None] | None) -> "list[Result]":
    """Returns what the checks say, and shows meanwhile in a terminal which of them is made."""
    from rich.console import Console

    from initlab.doctor.examination import examine

    with Console(stderr=True).status("") as status:

        def before() -> None:
            status.stop()  # or the line would run into what is said
            assert before_mending is not None
            before_mending()
            status.start()

        def tell(check: str) -> None:
            status.update(f"checking: {check}")

        return list(examine(patient, before if before_mending else None, tell))


def _back_up(console: "Console", uri: str) -> None:
    """Makes a backup where the store is a file, and says where it is or who makes one."""
    from initlab.tracking.backup import back_up
    from initlab.tracking.integrity import is_database, is_sqlite

    if is_sqlite(uri):
        console.print(f"A backup is in {back_up(uri)}.", soft_wrap=True)
    else:
        tool = "pg_dump" if is_database(uri) else "whoever runs the server"
        console.print(f"There is no backup by Initlab: {tool} makes one of this store.")


def _thin(console: "Console", patient: "Patient", rule: str, keep: int, back_up: Callable[[], None]) -> None:
    """Thins series or pictures and prints what that gave; raises InitlabError while runs are RUNNING."""
    from initlab.doctor.pictures import older, remove_frames
    from initlab.numerals import counted, size
    from initlab.tracking.inspection import alive_in
    from initlab.tracking.integrity import is_database

    if still := alive_in(patient.uri):
        are = "is" if still == 1 else "are"
        raise InitlabError(
            f"thin={rule}: {counted(still, 'run')} {are} being trained; wait until the store is at rest"
        )
    if rule == "pictures":
        pictures, bytes_ = remove_frames(older(patient.runs, keep))
        console.print(f"thin=pictures: removed {counted(pictures, 'picture')}, {size(bytes_)}.")
    elif is_database(patient.uri):
        _thin_series(console, patient, back_up)
    else:
        raise InitlabError(
            "thin=log: cannot be done through a server; give the address of its database as uri"
        )


def _thin_series(console: "Console", patient: "Patient", back_up: Callable[[], None]) -> None:
    from initlab.doctor.thinning import thin_series
    from initlab.numerals import counted, size
    from initlab.tracking.integrity import database_file, is_sqlite
    from initlab.tracking.sizes import compact

    rows, runs, left_alone = thin_series(patient, back_up)
    console.print(f"thin=log: removed {counted(rows, 'row')} of {counted(runs, 'run')}.")
    if left_alone:
        are = "is" if left_alone == 1 else "are"
        console.print(
            f"{counted(left_alone, 'run')} {are} left alone: history.npz does not agree or is not there."
        )
    if rows and is_sqlite(patient.uri):
        file = database_file(patient.uri)
        before = file.stat().st_size
        compact(patient.uri)
        console.print(f"The database has {size(file.stat().st_size)} now; it had {size(before)}.")
    elif rows:
        console.print("PostgreSQL uses their room again by itself; VACUUM FULL gives it back to the disk.")
