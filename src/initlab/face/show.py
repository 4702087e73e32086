"""How the objects of the public face show themselves, in a console and in a notebook."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from initlab.errors import InitlabError
from initlab.numerals import number, percent
from initlab.runs.outcome import Outcome, varied
from initlab.runs.summary import Summary
from initlab.terminal.results import Run, columns_of, note_on, print_results
from initlab.terminal.tables import PIPE_WIDTH, Column

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # noqa: TID251  for type checkers alone
    from PIL.Image import Image


@dataclass(frozen=True)
class Picture:
    """A picture, which a notebook shows; ``png`` holds its bytes."""

    png: bytes = field(repr=False)

    def save(self, path: str | Path) -> None:
        """Writes the picture to a file."""
        Path(path).write_bytes(self.png)

    def _repr_png_(self) -> bytes:
        return self.png


@dataclass(frozen=True, eq=False)
class Animation:
    """A moving picture, which a notebook shows: its frames, and for how many milliseconds each stands."""

    frames: Sequence["Image"] = field(repr=False)
    ms: Sequence[int] = field(repr=False)

    def save(self, path: str | Path) -> None:
        """Writes it to a file, as GIF or WebP by the file's ending; another raises InitlabError."""
        ending = format_of(path)  # before the work
        Path(path).write_bytes(self.encoded(ending))

    def encoded(self, format: str) -> bytes:  # noqa: A002
        """Returns it as ``gif`` or ``webp``."""
        from initlab.plots import animation

        return animation(self.frames, self.ms, format)

    def _repr_html_(self) -> str:
        data = b64encode(self.encoded("webp")).decode()
        return f'<img src="data:image/webp;base64,{data}" style="max-width: 100%">'


def format_of(path: str | Path) -> str:
    """Returns the format of a moving picture by a file's ending; raises InitlabError for another."""
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in ("gif", "webp"):
        raise InitlabError(f"{path}: a moving picture must end in .gif or .webp")
    return ending


class Words(str):
    """Sentences, shown as they are in a console and as a paragraph in a notebook."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return paragraphs([self])


class Table(str):
    """A table as text, shown as it is in a console and as a table in a notebook."""

    columns: Sequence[Column] = ()
    note = ""

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        if not self.columns:
            return ""
        head = "".join(_cell("th", column, column.header) for column in self.columns)
        rows = zip(*(column.cells for column in self.columns), strict=True)
        body = ["".join(map(partial(_cell, "td"), self.columns, row)) for row in rows]
        lines = "".join(f"<tr>{line}</tr>" for line in body)
        style = "table-layout: auto"  # JupyterLab would make all columns alike
        return (
            f'<table style="{style}"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
            + paragraphs([self.note])
        )


def table_of(outcomes: Sequence[Outcome]) -> Table:
    """Returns the table that a command closes with: of each run or, over several seeds, of each set."""
    finished = [outcome for outcome in outcomes if outcome.summary]
    runs = [Run(outcome.settings, outcome.summary) for outcome in finished if outcome.summary]
    if not runs:
        return Table()
    text = StringIO()
    console = Console(
        file=text,
        width=PIPE_WIDTH,
        highlight=False,
        markup=False,
        force_jupyter=False,  # in a notebook rich would show the table itself, whatever the file
        force_terminal=False,  # and would take the file for a terminal
    )
    keys = varied(finished)
    print_results(console, runs, keys)
    table = Table("\n".join(line.rstrip() for line in text.getvalue().splitlines()))
    labels, blocks = columns_of(runs, keys)
    table.columns, table.note = [*labels, *chain(*blocks)], note_on(runs, keys)
    return table


def _cell(kind: str, column: Column, text: str) -> str:
    style = f"min-width: 0; padding: 0.4em 0.8em; text-align: {'left' if column.words else 'right'}"
    if kind == "td" and not column.broken:
        style += "; white-space: nowrap"
    return f'<{kind} style="{style}">{escape(text)}</{kind}>'


def words_of(summary: Summary) -> str:
    """Returns what came out of a run in a few words."""
    if summary.final_cost is None:
        return f"diverged at iteration {summary.diverged_at:,}"
    rules = summary.rules
    parts = {"train": summary.score_train, "validation": summary.score_validation, "test": summary.score_test}
    scores = [
        f"{part} {rules.score_label} {percent(score) if rules.classifies else number(score)}"
        for part, score in parts.items()
        if score is not None
    ]
    return ", ".join([f"final cost {number(summary.final_cost)}", *scores])


def paragraphs(lines: Sequence[str]) -> str:
    """Returns lines of text as HTML, without those that are empty."""
    return "".join(f"<p>{escape(line)}</p>" for line in lines if line)


def side_by_side(pictures: Sequence[Picture]) -> str:
    """Returns pictures as HTML, beside each other where there is room."""
    shown = (b64encode(picture.png).decode() for picture in pictures)
    style = "display: inline; max-width: 100%"
    return "".join(f'<img src="data:image/png;base64,{data}" style="{style}">' for data in shown)


def plotted(plot: Callable[..., "Axes"], *arguments: Any, ax: "Axes | None", **settings: Any) -> "Axes":
    """Returns the axes that ``plot`` returns; new ones show their figure where a notebook shows them."""
    axes = plot(*arguments, ax=ax, **settings)
    if ax is None:
        axes._repr_png_ = lambda: picture_of(axes).png  # type: ignore[attr-defined]  # asked for by IPython
    return axes


def picture_of(axes: "Axes") -> Picture:
    """Returns the figure that axes are in."""
    from initlab.plots import figure_png

    return Picture(figure_png(axes))
