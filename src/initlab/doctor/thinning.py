"""Thinning a store's series, of which ``history.npz`` keeps every value."""

from collections.abc import Callable, Iterator

from initlab.doctor.expected import Curve, Steps, thinned
from initlab.doctor.histories import compared, difference
from initlab.doctor.patient import Patient
from initlab.tracking.stored_series import THINNED, Rows, thin


def thin_series(patient: Patient, before: Callable[[], None]) -> tuple[int, int, int]:
    """Thins the series of the finished training runs as ``tracking.every=log`` would have logged them, and
    returns how many rows were removed of how many runs, and how many runs were left alone. ``before`` is
    called before rows are removed.

    Those are left alone whose rows are not, one by one, those of their ``history.npz``.
    """
    rows_removed = runs_thinned = left_alone = 0
    runs = [run for run in patient.trained if THINNED not in run.tags]
    seen = 0
    for run, expected, rows in compared(patient, runs):
        seen += 1
        if any(difference(curve, rows.get(key)) for key, curve in expected.items()):
            left_alone += 1
        elif kept := dict(_kept(expected, rows)):
            before()
            rows_removed += thin(patient.uri, run.run_id, kept, "log")
            runs_thinned += 1
    return rows_removed, runs_thinned, left_alone + len(runs) - seen


def _kept(expected: dict[str, Curve], rows: dict[str, Rows]) -> Iterator[tuple[str, Steps]]:
    """Yields the metrics of which less than all is kept, and the steps that are."""
    for key, curve in expected.items():
        left = thinned(curve).steps
        if len(left) < len(rows[key].steps):
            yield key, left
