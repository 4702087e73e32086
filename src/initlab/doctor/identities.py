"""Did two runs of one sweep do the same job?"""

from collections.abc import Sequence
from functools import partial

from initlab.doctor.fault import Fault
from initlab.doctor.patient import Patient
from initlab.numerals import counted
from initlab.tracking.inspection import TrackedRun, take_out

SAME = ("sweep", "sweep_job", "identity")


def doubled(patient: Patient) -> list[Fault]:
    """Returns the runs that finished a job of their sweep after another run had finished it."""
    jobs: dict[tuple[str, ...], list[TrackedRun]] = {}
    for run in patient.runs:
        if run.status == "FINISHED" and all(tag in run.tags for tag in SAME):
            jobs.setdefault((run.experiment, *(run.tags[tag] for tag in SAME)), []).append(run)
    later = [run for runs in jobs.values() for run in sorted(runs, key=lambda run: run.ended or 0)[1:]]
    if not later:
        return []
    found = f"{counted(len(later), 'run')} did a job of a sweep that had been done"
    remedy = "keeps the first of each job and takes the others out of the sweep (tag superseded)"
    return [Fault(found, remedy, later, partial(_supersede, patient.uri, later))]


def _supersede(uri: str, runs: Sequence[TrackedRun]) -> str:
    take_out(uri, runs)
    return f"took {counted(len(runs), 'run')} out of the sweep"
