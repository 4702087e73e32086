"""A table of values as a heat map, each written in its cell."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize

from initlab.plots.figures.labels import number_text, title_axes, widest
from initlab.plots.figures.phase import TRAINED
from initlab.plots.style import FRAME, INK, Box, new_axes, new_figure, text_size
from initlab.types import Array

_LETTERS, _LEAST = 12.5, 420  # pixels to the right of the rows' names, for a title


def plot_heat(
    values: Array,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    text: Callable[[float], str] = number_text,
    ax: Axes | None = None,
) -> Axes:
    """Returns axes with values (rows, columns) as a heat map, the first row at the top, each in its cell.

    ``text`` writes a value. NaN is an empty grey cell; an infinity is written as such and coloured as the
    lowest or the highest finite value. Without ``ax`` the axes are those of a new figure.

    >>> import numpy as np
    >>> from initlab.plots import plot_heat
    >>> scores = np.array([[0.5, 0.9], [0.5, np.nan]])
    >>> ax = plot_heat(scores, ["zeros", "he"], ["0.01", "0.1"], xlabel="learning rate")
    >>> [cell.get_text() for cell in ax.texts]
    ['0.5', '0.9', '0.5']
    """
    values = np.asarray(values, dtype=np.float64)
    known = [(int(row), int(column)) for row, column in np.argwhere(~np.isnan(values))]
    cells = {at: _written(float(values[at]), text) for at in known}
    if ax is None:
        wide = max(56, 16 + widest([*cells.values(), *column_labels], "Sans", _LETTERS))
        ax = grid_axes(values.shape, (wide, 36), row_labels, below=50)
    finite = values[np.isfinite(values)]
    norm = Normalize(float(finite.min()), float(finite.max())) if len(finite) else Normalize(0, 1)
    draw_cells(ax, values, row_labels, column_labels, TRAINED, norm)
    for (row, column), cell in cells.items():
        write_cell(ax, row, column, cell, TRAINED(norm(values[row, column])))
    ax.set_xlabel(xlabel, parse_math=False)
    ax.set_ylabel(ylabel, parse_math=False)
    title_axes(ax, title)
    return ax


def grid_axes(shape: tuple[int, ...], cell: tuple[int, int], row_labels: Sequence[str], below: float) -> Axes:
    """Returns new axes for so many rows and columns of cells, with the room that the rows' names need and
    ``below`` pixels under them.
    """
    (rows, columns), (width, height) = shape, cell
    left = 52 + widest(row_labels, "Sans", _LETTERS)
    box = Box(left, 52, columns * width, rows * height)
    figure = new_figure(left + max(box.width + 24, _LEAST), box.top + box.height + round(below))
    return new_axes(figure, box, _LETTERS)


def draw_cells(
    axes: Axes,
    values: Array,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    colors: Colormap,
    norm: Normalize,
) -> None:
    """Draws the cells of a table, white lines between them, and names its rows and columns."""
    rows, columns = values.shape
    shown = np.clip(np.flipud(values), norm.vmin, norm.vmax)
    axes.pcolormesh(np.arange(columns + 1), np.arange(rows + 1), shown, cmap=colors, norm=norm, ec="white")
    axes.set(xlim=(0, columns), ylim=(0, rows))
    axes.set_xticks(np.arange(columns) + 0.5, column_labels, parse_math=False)
    axes.set_yticks(rows - 0.5 - np.arange(rows), row_labels, parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_color(FRAME)


def write_cell(axes: Axes, row: int, column: int, text: str, color: Any, **style: Any) -> None:
    """Writes a text in the middle of a cell, white where that reads better on its colour."""
    rows = round(axes.get_ylim()[1])
    dark = np.dot(color[:3], [0.2126, 0.7152, 0.0722]) < 0.5
    size = text_size(axes, 12.5)
    look: dict[str, Any] = {"size": size, "color": "white" if dark else INK, "parse_math": False}
    place = column + 0.5, rows - 0.5 - row
    axes.text(*place, text, ha="center", va="center", **look | style)


def _written(value: float, text: Callable[[float], str]) -> str:
    return text(value) if np.isfinite(value) else "∞" if value > 0 else "−∞"
