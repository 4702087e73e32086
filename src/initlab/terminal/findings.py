"""What the doctor says of a store: a table of the checks, the runs it means, and what takes the room."""

from collections.abc import Mapping, Sequence

from rich.console import Console

from initlab.doctor.examination import Result
from initlab.doctor.sizes import Sizes, shares
from initlab.numerals import counted, size
from initlab.terminal.tables import Column, print_table

MOST_NAMED = 5  # runs of a fault
MOST_SHARES = 4  # kinds of rows, and experiments

Line = tuple[str, str, str]


def print_findings(console: Console, results: Sequence[Result], fix: bool) -> None:
    """Prints a line for each check and for each fault: what was found, and what is or would be done."""
    lines = [line for result in results for line in _lines(result)]
    checks, found, done = (list(column) for column in zip(*lines, strict=True))
    blocks = [
        Column("found", found, words=True, broken=True),
        Column("done" if fix else "with fix=true", done, words=True, broken=True),
    ]
    print_table(console, [Column("check", checks, words=True)], [blocks])
    for fault in (fault for result in results for fault in result.faults or ()):
        if fault.runs:
            console.print(f"{fault.found}:")
            for run in fault.runs[:MOST_NAMED]:
                console.print(f"  {run}", soft_wrap=True)
            if len(fault.runs) > MOST_NAMED:
                console.print(f"  and {len(fault.runs) - MOST_NAMED:,} more")


def _lines(result: Result) -> list[Line]:
    if result.faults is None:
        return [(result.check, "not checked", "")]
    lines = [
        (result.check, fault.found, done or fault.remedy)
        for fault, done in zip(result.faults, result.done, strict=True)
    ]
    return lines or [(result.check, "well", "")]


def print_sizes(console: Console, sizes: Sizes, keep: int) -> None:
    """Prints what takes the room of a store, and what thinning it would give back."""
    database, files = sizes.database, sizes.files
    unused = f", {size(database.unused)} of it unused" if database.unused else ""
    console.print(
        f"\nThe database has {size(database.total)}{unused}; the runs' files have {size(files.total())}."
    )
    rows = _listed({name: f"{count:,}" for name, count in shares(sizes.rows, MOST_SHARES)})
    console.print(f"Rows of metrics ({size(database.of_metrics)}): {rows or 'none'}")
    console.print(f"Files: {_listed({kind: size(n) for kind, n in shares(files, MOST_SHARES)}) or 'none'}")
    largest = {
        f"{name} ({counted(sizes.runs[name], 'run')})" if name in sizes.runs else name: size(n)
        for name, n in shares(sizes.experiments, MOST_SHARES)
    }
    console.print(f"Experiments: {_listed(largest) or 'none'}")
    if sizes.rows_to_thin:
        saved = size(sizes.rows_to_thin * database.per_row)
        console.print(f"thin=log would remove about {sizes.rows_to_thin:,} rows, {saved}.")
    pictures, bytes_ = sizes.pictures_to_thin
    if pictures:
        console.print(f"thin=pictures keep={keep} would remove {pictures:,} pictures, {size(bytes_)}.")


def _listed(parts: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {words}" for name, words in parts.items())
