"""Tables that fit the terminal: nothing is cut, and what is too wide for one table stands in the next."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 100_000  # a pipe has none; so wide that nothing is broken
GAP = 2
NARROWEST_WORDS = 22  # in letters


@dataclass(frozen=True)
class Column:
    """What stands at the top and in each row. Words stand at the left and may be ``broken`` into lines."""

    header: str
    cells: Sequence[str]
    words: bool = False
    broken: bool = False

    @property
    def width(self) -> int:
        """The letters it needs at least, with its header broken into pieces."""
        cells = min(self.longest, NARROWEST_WORDS) if self.broken else self.longest
        return max(cells, *(cell_len(piece.rstrip()) for piece in _pieces(self.header)))

    @property
    def longest(self) -> int:
        """The letters of its longest cell."""
        return max(map(cell_len, self.cells))

    def width_with(self, room: int) -> int:
        """The letters it takes where there is room for more."""
        return max(self.width, min(self.longest, self.width + room)) if self.broken else self.width

    def folded(self) -> list[str]:
        """Returns its header in as few lines as its width allows."""
        lines = [""]
        for piece in _pieces(self.header):
            if cell_len((lines[-1] + piece).rstrip()) > self.width:
                lines.append("")
            lines[-1] += piece
        return lines


def _pieces(header: str) -> list[str]:
    """Returns the parts between which a header may be broken: words, and the names between a key's dots."""
    return re.split(r"(?<=[ .])", header)


def stdout() -> Console:
    """Returns the console of stdout, which shows every text as it is."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)


def print_table(console: Console, labels: Sequence[Column], blocks: Sequence[Sequence[Column]]) -> None:
    """Prints blocks of columns, each row beside its labels.

    Blocks that do not fit beside the others stand in a table below, and labels that would leave no room for a
    block are listed at the end, by the number of their row.
    """
    listed: list[str] = []
    if _width(labels) + GAP + max(map(_width, blocks)) > console.width:
        listed = _listed(labels)
        labels = [Column("row", [str(row) for row in range(1, len(listed) + 1)])]
    for table, columns in enumerate(_fitting(labels, blocks, console.width)):
        if table:
            console.print()
        # Wider than the terminal only where no single block fits: the terminal then breaks the lines.
        console.print(_table(columns, console), width=max(console.width, _width(columns)), crop=False)
    for line in listed:
        console.print(line, soft_wrap=True)


def _width(columns: Sequence[Column]) -> int:
    return sum(column.width + GAP for column in columns) - GAP


def _listed(labels: Sequence[Column]) -> list[str]:
    rows = zip(*([f"{label.header}={cell}" for cell in label.cells] for label in labels), strict=True)
    return [f"row {number}: {' '.join(row)}" for number, row in enumerate(rows, start=1)]


def _fitting(labels: Sequence[Column], blocks: Sequence[Sequence[Column]], width: int) -> list[list[Column]]:
    """Returns the columns of each table: the labels and as many blocks as fit, at least one."""
    tables = [[*labels, *blocks[0]]]
    for block in blocks[1:]:
        if _width([*tables[-1], *block]) > width:
            tables.append([*labels])
        tables[-1] += block
    return tables


def _widths(columns: Sequence[Column], room: int) -> list[int]:
    """Returns the letters of each column. Those that may be broken share the room that the others leave."""
    sharing = sum(column.broken for column in columns)
    widths = []
    for column in columns:
        widths.append(column.width_with(room // max(1, sharing)))
        room -= widths[-1] - column.width
        sharing -= column.broken
    return widths


def _table(columns: Sequence[Column], console: Console) -> Table:
    plain, needed = not console.is_terminal, _width(columns)
    table = Table(
        box=None if plain else box.SIMPLE_HEAD,  # its own lines between columns are blanks, one of the gap
        padding=(0, GAP if plain else GAP - 1, 0, 0),
        show_edge=False,
        pad_edge=False,
    )
    headers = [[column.header] if plain else column.folded() for column in columns]
    widths = _widths(columns, max(0, console.width - needed))
    for column, header, width in zip(columns, headers, widths, strict=True):
        table.add_column(
            "\n".join([""] * (max(map(len, headers)) - len(header)) + header),
            justify="left" if column.words else "right",
            no_wrap=not column.broken,
            width=None if plain else width,
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*row)
    return table
