"""What a job group finds where it is trained by a process that this command did not start on this machine.

It needs the launching machine's modules, the folder that the command was started in, and the same numerical
code. Where the two share no file system, its jobs' folders are made in a folder of their own, and what they
came to is written by the launching process.
"""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from initlab.errors import InitlabError
from initlab.runs.code import numerical_code
from initlab.runs.outcome import failed
from initlab.sweeps.executors.protocol import Report
from initlab.sweeps.group import JobEnding, JobGroup, Said
from initlab.sweeps.launched import FILE

SPOOL = Path("mlruns") / "spool"


@dataclass(frozen=True)
class Surroundings:
    """Where a command was started, the folder of its sweep, the folder of the runs' files if they are to be
    in one, where modules are looked for, and a digest of the numerical code.
    """

    folder: Path
    sweep: Path
    files: Path | None
    modules: tuple[str, ...]
    code: str

    def run(self, group: JobGroup, report: Report) -> None:
        """Trains a job group here, and reports what it reports; jobs that cannot be trained here fail."""
        try:
            with self._entered(report) as (folder, tell):
                replace(group, folder=folder).run(tell)
        except InitlabError as error:
            for job in group.jobs:
                report(JobEnding(job.number, failed(job.overrides, error), left=False))

    @contextmanager
    def _entered(self, report: Report) -> Iterator[tuple[Path | None, Report]]:
        """Makes the surroundings within the block; gives the folder to use instead of the command's, None if
        that one is here, and where to report.
        """
        sys.path += [place for place in self.modules if place not in sys.path]
        here = socket.gethostname()
        if numerical_code() != self.code:
            raise InitlabError(f"{here}: has another version of Initlab than the launching machine")
        if (self.sweep / FILE).is_file():
            with _inside(self.folder):
                yield None, report
            return
        if self.files is not None:
            raise InitlabError(
                f"{self.files}: the runs' files are to be there, and {here} does not share that folder; "
                "share it, or track to a server that stores files itself"
            )
        with _scratch(report) as folder, _inside(folder):
            yield folder, lambda what: report(_unseen(what))


def surroundings_of(folder: Path, sweep: Path, files: Path | None) -> Surroundings:
    """Returns the surroundings that this process gives to job groups of a sweep."""
    return Surroundings(folder, sweep, files, tuple(map(os.path.abspath, sys.path)), numerical_code())


def _unseen(what: Any) -> Any:
    return replace(what, left=False) if isinstance(what, JobEnding) else what


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _scratch(report: Report) -> Iterator[Path]:
    """Gives a folder of this machine. What waits in it for a store that is away stays, and that is said."""
    folder = Path(tempfile.mkdtemp(prefix="initlab-"))
    try:
        yield folder
    finally:
        if (folder / SPOOL).is_dir() and any((folder / SPOOL).iterdir()):
            report(
                Said(f"{socket.gethostname()}: runs wait in {folder}; `initlab sync` there delivers them.")
            )
        else:
            shutil.rmtree(folder, ignore_errors=True)
