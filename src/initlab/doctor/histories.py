"""Do the store's series agree, row by row, with the exact histories in ``history.npz``?"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from initlab.doctor.expected import Curve, Steps, expected_of, history_of
from initlab.doctor.fault import Fault
from initlab.doctor.patient import Patient
from initlab.errors import TrackingError
from initlab.numerals import counted
from initlab.signals import check
from initlab.tracking.inspection import TrackedRun
from initlab.tracking.stored_series import Rows, rows_of_runs, writable, write_anew
from initlab.tracking.writer import Series

WORDS = {
    "missing": "missing",
    "doubled": "twice",
    "other": "of another value",
    "extra": "of no iteration",
}


def disagreeing(patient: Patient) -> list[Fault]:
    """Returns in how many runs, and how, the store's series are others than ``history.npz`` has."""
    differences: Counter[str] = Counter()
    runs = []
    for run, expected, rows in compared(patient):
        here = sum((difference(curve, rows.get(key)) for key, curve in expected.items()), Counter[str]())
        if here:
            differences += here
            runs.append(run)
    if not runs:
        return []
    words = ", ".join(f"{differences[kind]:,} {said}" for kind, said in WORDS.items() if differences[kind])
    found = f"rows of {counted(len(runs), 'run')} are not those of history.npz: {words}"
    if not writable(patient.uri):
        return [Fault(found, "nothing: the tables are not those that Initlab knows", runs)]
    remedy = "writes the series anew from history.npz"
    return [Fault(found, remedy, runs, partial(_write_anew, patient, runs))]


def compared(
    patient: Patient, runs: Sequence[TrackedRun] | None = None
) -> Iterator[tuple[TrackedRun, dict[str, Curve], dict[str, Rows]]]:
    """Yields the finished training runs, or some of them, whose history can be read, with the curves that the
    store should hold and the rows that it holds.
    """
    runs = patient.trained if runs is None else runs
    for run, rows in zip(runs, rows_of_runs(patient.uri, [run.run_id for run in runs]), strict=True):
        check()
        try:
            expected = expected_of(run, history_of(patient, run))
        except TrackingError:  # which the check of the files has said
            continue
        yield run, expected, rows


def difference(curve: Curve, rows: Rows | None) -> Counter[str]:
    """Returns how many rows are missing, doubled, of another value, or extra; no entry for what is not."""
    if rows is None:
        return Counter(missing=len(curve.steps))
    at = np.minimum(np.searchsorted(curve.steps, rows.steps), len(curve.steps) - 1)
    known = curve.steps[at] == rows.steps
    different = len(np.unique(rows.steps))
    counts = Counter(
        missing=len(curve.steps) - len(np.unique(rows.steps[known])),
        doubled=len(rows.steps) - different,
        other=int((known & (curve.values[at] != rows.values)).sum()),
        extra=int((~known).sum()),
    )
    return +counts


def _write_anew(patient: Patient, runs: Sequence[TrackedRun]) -> str:
    for run, expected, rows in compared(patient, runs):
        wrong = {key: curve for key, curve in expected.items() if difference(curve, rows.get(key))}
        series = [
            Series(run.run_id, key, curve.values, curve.steps, _times(run, curve.steps, expected, rows))
            for key, curve in wrong.items()
        ]
        write_anew(patient.uri, run.run_id, series)
    return f"wrote the series of {counted(len(runs), 'run')} anew"


def _times(run: TrackedRun, steps: Steps, expected: Mapping[str, Curve], rows: Mapping[str, Rows]) -> Steps:
    """Returns when the iterations were: as the rows that are left say, and evenly between those."""
    known = {
        int(step): int(time)
        for key, one in rows.items()
        if key in expected
        for step, time in zip(one.steps, one.timestamps, strict=True)
    }
    if not known:
        return np.linspace(run.started, run.ended or run.started, len(steps)).astype(np.int64)
    at = sorted(known)
    times: Steps = np.interp(steps, at, [known[step] for step in at]).astype(np.int64)
    return times
