"""The files of a report: one page, and the same for pull requests, for papers and for spreadsheets."""

import csv
import io
from collections.abc import Sequence

from initlab.report.answer import Answer
from initlab.report.markdown import markdown_of
from initlab.runs.outcome import Outcome, rows_of


def report_files(answer: Answer, outcomes: Sequence[Outcome], command: str) -> dict[str, bytes]:
    """Returns the report's files by their names."""
    return {
        "report.md": markdown_of(answer, command).encode(),
        "runs.csv": csv_of(outcomes),
    }


def csv_of(outcomes: Sequence[Outcome]) -> bytes:
    """Returns a CSV table with a line for each job: its overrides and what came out."""
    rows, text = rows_of(outcomes), io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
