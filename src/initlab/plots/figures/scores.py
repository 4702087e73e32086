"""What a sweep found, over what it swept: scores over a number, and over two keys at once."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.ticker import NullFormatter, NullLocator

from initlab.plots import style
from initlab.plots.figures.labels import name_heights, number_text
from initlab.types import Array

CELLS = ListedColormap(colormaps["YlGnBu"](np.linspace(0, 0.72, 256))).with_extremes(bad=style.UNKNOWN)
LETTER = 0.62  # the width of a letter, of its height


def plot_scores(
    x: Sequence[float],
    scores: Mapping[str, Array],
    *,
    xlabel: str = "",
    ylabel: str = "score",
    ax: Axes | None = None,
) -> Axes:
    """Returns axes with scores over a swept number x (n,), a line with a band for each name.

    ``scores`` holds by name the median and the edges of a band around it, (3, n); NaN where no run was. The
    axis of x is logarithmic where the values are spaced so. Without ``ax`` the axes are of a new figure.
    """
    if ax is None:
        names = max(map(len, scores)) * 15 * LETTER
        ax = style.new_axes(style.new_figure(round(600 + names), 400), style.Box(84, 24, 500, 316))
    found = np.concatenate([np.asarray(one).ravel() for one in scores.values()])
    low, high = np.nanmin(found[np.isfinite(found)]), np.nanmax(found[np.isfinite(found)])
    room = 0.06 * (high - low or 1)
    style.scale_values(ax, low - room, high + room, logarithmic=False, most_ticks=(6, 8))
    _scale_swept(ax, np.asarray(x, float))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ends = []
    for (median, lower, upper), color in zip(scores.values(), cycle(style.CURVE_COLORS), strict=False):
        bottom = np.clip(lower, low - room, None)
        ax.fill_between(x, bottom, upper, color=color, alpha=0.18, lw=0)
        ax.plot(x, median, color=color, lw=2, marker="o", ms=6, mec="white", mew=0.8)
        known = np.asarray(median)[np.isfinite(median)]
        ends.append(float(known[-1]) if len(known) else low)
    _name(ax, list(scores), ends)
    return ax


def plot_heat(
    values: Array,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    row_label: str = "",
    column_label: str = "",
    percent: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Returns axes with a cell for each of the values (rows, columns), which is written in it; grey for NaN.

    ``percent`` shows shares in percent. Without ``ax`` the axes are those of a new figure that fits.
    """
    values = np.asarray(values, float)
    if ax is None:
        left = round(34 + max(map(len, rows)) * 13 * LETTER)
        width, height = max(240, 66 * len(columns)), max(60, 38 * len(rows))
        figure = style.new_figure(left + width + 24, height + 100)
        ax = style.new_axes(figure, style.Box(left, 20, width, height))
    shown = np.ma.masked_invalid(values)
    ax.imshow(shown, cmap=CELLS, aspect="auto")
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlabel=column_label, ylabel=row_label)
    ax.tick_params(length=0)
    text: dict[str, Any] = {"ha": "center", "va": "center", "size": 12.5, "color": style.INK}
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            ax.text(
                column, row, f"{100 * value:.1f}" if percent else number_text(float(f"{value:.3g}")), **text
            )
    return ax


def _scale_swept(axes: Axes, x: Array) -> None:
    """Scales the axis of a swept number, with a tick at each value."""
    ordered = np.unique(x)
    steps = np.diff(ordered)
    spaced = len(ordered) > 2 and ordered[0] > 0 and steps.max() > 1.5 * steps.min()
    if spaced or (len(ordered) == 2 and ordered[0] > 0 and ordered[1] > 4 * ordered[0]):
        axes.set_xscale("log")
    axes.set_xticks(ordered, [number_text(value) for value in ordered])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _name(axes: Axes, names: Sequence[str], ends: Sequence[float]) -> None:
    """Writes the names of curves to the right of the axes, at the height of their ends, in their colours."""
    heights = name_heights(axes, ends, gap=0.065)
    heights -= max(0.0, heights.max() - 0.98)
    text: dict[str, Any] = {
        "va": "center",
        "weight": "bold",
        "parse_math": False,
        "transform": axes.transAxes,
    }
    text["size"] = style.text_size(axes, 15)
    for name, height, color in zip(names, heights, cycle(style.CURVE_COLORS), strict=False):
        axes.text(1.02, height, name, color=color, **text)
