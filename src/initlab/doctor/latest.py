"""Are the latest values, which MLflow's lists show, those of the last rows?"""

from collections.abc import Sequence
from functools import partial

from initlab.doctor.fault import Fault
from initlab.doctor.patient import Patient
from initlab.numerals import counted
from initlab.tracking.stored_series import mend_latest, writable, wrong_latest


def outdated_latest(patient: Patient) -> list[Fault]:
    """Returns how many latest values are not those of the last rows."""
    runs = {run.run_id: run for run in patient.runs}
    wrong = [(run_id, key) for run_id, key in wrong_latest(patient.uri) if run_id in runs]
    if not wrong:
        return []
    found = (
        f"{counted(len(wrong), 'latest value')} {'is' if len(wrong) == 1 else 'are'} not that of the last row"
    )
    of = [runs[run_id] for run_id in dict.fromkeys(run_id for run_id, _ in wrong)]
    if not writable(patient.uri):
        return [Fault(found, "nothing: the tables are not those that Initlab knows", of)]
    return [Fault(found, "takes it from the last row", of, partial(_mend, patient.uri, wrong))]


def _mend(uri: str, wrong: Sequence[tuple[str, str]]) -> str:
    mend_latest(uri, wrong)
    return f"brought {counted(len(wrong), 'latest value')} in line with the rows"
