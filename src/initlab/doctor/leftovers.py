"""What lies beside the store: records that wait for delivery, and checkpoints that nothing takes up."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from initlab.doctor.fault import Fault
from initlab.doctor.patient import Patient
from initlab.numerals import counted
from initlab.runs.checkpoints import FOLDER
from initlab.tracking.spool import waiting


def undelivered(patient: Patient) -> list[Fault]:
    """Returns how many runs have records in the spool."""
    runs = len(waiting(patient.folder))
    found = f"records of {counted(runs, 'run')} wait in mlruns/spool"
    return [Fault(found, "nothing: run initlab sync")] if runs else []


def checkpoints(patient: Patient) -> list[Fault]:
    """Returns the checkpoints of jobs that are done, and those that a resumed sweep takes up."""
    done, going = (_identities(patient, status) for status in ("FINISHED", "RUNNING"))
    files = sorted((patient.folder / FOLDER).glob("*.npz"))
    old = [path for path in files if path.stem in done - going]
    faults = []
    if old:
        found = f"{counted(len(old), 'checkpoint')} of jobs that are done"
        faults.append(Fault(found, "removes them", mend=partial(_remove, old), harmless=True))
    if left := len(files) - len(old):
        found = f"{counted(left, 'checkpoint')} of jobs that are not done"
        faults.append(Fault(found, "leaves them to resume=true", harmless=True))
    return faults


def _identities(patient: Patient, status: str) -> set[str]:
    return {run.tags["identity"] for run in patient.runs if run.status == status and "identity" in run.tags}


def _remove(paths: Sequence[Path]) -> str:
    for path in paths:
        path.unlink(missing_ok=True)
    return f"removed {counted(len(paths), 'checkpoint')}"
