"""A row of axes side by side under one title, for figures of several quantities."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike

from initlab.plots.figures.labels import title_figure
from initlab.plots.style import GRID, INK, Box, new_axes, new_figure

LEFT, TOP, GAP, BOTTOM, RIGHT = 78, 108, 84, 62, 28


def panels(
    title: str, subtitle: str, names: Sequence[str], *, width: int = 330, height: int = 270
) -> tuple[Figure, list[Axes]]:
    """Returns a figure and its axes, one for each name, of a width and a height in pixels each, over a light
    grid.

    >>> from initlab.plots import panels
    >>> figure, (left, right) = panels("A title", "what was done", ["one", "another"])
    >>> left.get_title(loc="left"), right.get_title(loc="left")
    ('one', 'another')
    """
    pitch = width + GAP
    figure = new_figure(LEFT + len(names) * pitch - GAP + RIGHT, TOP + height + BOTTOM)
    title_figure(figure, LEFT, title, subtitle)
    axes = [new_axes(figure, Box(LEFT + n * pitch, TOP, width, height)) for n in range(len(names))]
    for one, name in zip(axes, names, strict=True):
        one.set_title(name, loc="left", size=13.5, weight="bold", color=INK, pad=9, parse_math=False)
        one.spines[["top", "right"]].set_visible(False)
        one.grid(color=GRID, linewidth=1)
        one.set_axisbelow(True)
    return figure, axes


def draw_line(
    axes: Axes,
    x: ArrayLike,
    y: ArrayLike,
    color: str,
    name: str = "",
    **look: Any,
) -> None:
    """Draws a curve, or with ``band=(low, high)`` one over its band; ``look`` is matplotlib's."""
    band = look.pop("band", None)
    if band is not None:
        axes.fill_between(x, *band, color=color, alpha=0.18, lw=0)
    axes.plot(
        x, y, color=color, label=name or None, **{"lw": 2, "mec": "white", "mew": 0.7, "ms": 6.5, **look}
    )


def draw_theory(axes: Axes, x: ArrayLike, y: ArrayLike, name: str = "theory") -> None:
    """Draws what theory or the paper says: a dashed line in ink."""
    axes.plot(x, y, color=INK, lw=1.6, ls=(0, (4, 2.5)), label=name or None, zorder=3)


def draw_key(axes: Axes, **where: Any) -> None:
    """Names the curves inside of the axes, without a frame."""
    axes.legend(**{"frameon": False, "fontsize": 11.5, "labelcolor": INK, "handlelength": 1.8, **where})


def mark_values(axis: Axis, values: Sequence[float]) -> None:
    """Marks the values that were swept on an axis, and no others."""
    axis.set_ticks(list(values), [f"{value:g}" for value in values])
    axis.set_minor_locator(NullLocator())
