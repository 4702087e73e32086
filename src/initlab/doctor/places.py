"""Does the store name the places where its files are? Those of a moved or copied project are elsewhere."""

from functools import partial

from initlab.doctor.fault import Fault
from initlab.doctor.patient import Patient
from initlab.numerals import counted
from initlab.tracking.moved import Moved, bring_here, moved_in


def elsewhere(patient: Patient) -> list[Fault]:
    """Returns the runs whose files are beside the database while it names another place."""
    moved = moved_in(patient.uri)
    if not moved.runs and not moved.experiments:
        return []
    runs = [run for run in patient.runs if run.run_id in moved.runs]
    what = counted(len(moved.runs), "run") if moved.runs else counted(len(moved.experiments), "experiment")
    found = f"the files of {what} are beside the database, which names another place"
    return [
        Fault(
            found,
            "names the place beside it",
            runs,
            partial(_bring_here, patient.uri, moved),
        )
    ]


def _bring_here(uri: str, moved: Moved) -> str:
    bring_here(uri, moved)
    return f"named the places of {counted(len(moved.runs), 'run')}"
