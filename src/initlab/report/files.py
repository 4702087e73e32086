"""The files of a report: one page, and the same for pull requests, for papers and for spreadsheets."""

import csv
import io
from collections.abc import Sequence

from initlab.report.answer import Answer
from initlab.report.latex import latex_of
from initlab.report.markdown import markdown_of
from initlab.report.page import page_of
from initlab.report.sweep import Sweep
from initlab.runs.outcome import Outcome, rows_of
from initlab.runs.stored import Read


def report_files(sweep: Sweep, answer: Answer, read: Read) -> dict[str, bytes]:
    """Returns the report's files by their names; raises TrackingError where a run's files cannot be read."""
    return {
        "report.html": page_of(sweep, answer, read).encode(),
        "report.md": markdown_of(answer, sweep.command).encode(),
        "report.tex": latex_of(answer).encode(),
        "runs.csv": csv_of(sweep.outcomes),
    }


def csv_of(outcomes: Sequence[Outcome]) -> bytes:
    """Returns a CSV table with a line for each job: its overrides and what came out."""
    rows, text = rows_of(outcomes), io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
