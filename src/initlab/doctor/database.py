"""Is the database whole, and are its tables those of the installed MLflow?"""

from functools import partial
from importlib.metadata import version

from initlab.doctor.fault import Fault
from initlab.doctor.patient import Patient
from initlab.numerals import counted
from initlab.tracking.integrity import (
    OF_RUNS,
    damage,
    orphans,
    remove_orphans,
    schema_of,
    tables_of_others,
)


def damaged(patient: Patient) -> list[Fault]:
    """Returns what SQLite finds broken."""
    found = damage(patient.uri)
    more = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
    remedy = "nothing: bring a backup back, or save its rows by sqlite3's .recover"
    return [Fault(f"{found[0]}{more}", remedy)] if found else []


def outdated(patient: Patient) -> list[Fault]:
    """Returns whether the tables are older or newer than the installed MLflow."""
    schema, installed = schema_of(patient.uri), f"MLflow {version('mlflow')}"
    if schema.found == schema.expected:
        return []
    if schema.known:
        remedy = "nothing: make a backup, then run mlflow db upgrade"
        return [Fault(f"tables of an older MLflow ({schema.found}) than {installed}", remedy)]
    remedy = "nothing: install the MLflow that made them"
    return [Fault(f"tables of a newer MLflow ({schema.found}) than {installed}", remedy)]


def strange_rows(patient: Patient) -> list[Fault]:
    """Returns which rows belong to nothing, and tables that are not MLflow's."""
    faults = []
    for table, rows in orphans(patient.uri).items():
        found = f"{counted(rows, 'row')} of {table} {'belongs' if rows == 1 else 'belong'} to nothing"
        if table in OF_RUNS:
            mend = partial(_remove, patient.uri, table, rows)
            faults.append(Fault(found, "removes what belongs to no run", mend=mend))
        else:
            faults.append(Fault(found, "nothing: MLflow has no use for them"))
    if others := tables_of_others(patient.uri):
        faults.append(
            Fault(f"tables that are not MLflow's: {', '.join(others)}", "leaves them alone", harmless=True)
        )
    return faults


def _remove(uri: str, table: str, rows: int) -> str:
    remove_orphans(uri, [table])
    return f"removed {counted(rows, 'row')}"
