"""Is a run RUNNING that nobody trains?"""

from collections.abc import Sequence
from functools import partial

from initlab.doctor.fault import Fault
from initlab.doctor.patient import Patient
from initlab.numerals import counted
from initlab.tracking.inspection import TRAINING, end_stale_in, stale_in
from initlab.tracking.stale import Stale


def stale(patient: Patient) -> list[Fault]:
    """Returns the runs that are RUNNING though their process is gone, and those that name no process."""
    faults = []
    runs = {run.run_id: run for run in patient.runs}
    gone = [one for one in stale_in(patient.uri) if one.run_id in runs]
    if gone:
        of = [runs[one.run_id] for one in gone]
        found = f"{counted(len(gone), 'run')} RUNNING without a process"
        faults.append(Fault(found, "ends them FAILED", of, partial(_end, patient.uri, gone)))
    unknown = [
        run for run in patient.runs
        if run.status == "RUNNING" and TRAINING in run.parameters and "process" not in run.tags
    ]  # fmt: skip
    if unknown:
        found = f"{counted(len(unknown), 'run')} RUNNING by nobody knows whom"
        faults.append(Fault(found, "leaves them: their process may live", unknown, harmless=True))
    return faults


def _end(uri: str, gone: Sequence[Stale]) -> str:
    end_stale_in(uri, gone)
    return f"ended {counted(len(gone), 'run')} FAILED"
