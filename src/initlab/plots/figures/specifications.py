"""How a conclusion fares in every setting: a specification curve, above the settings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from initlab.plots.figures.labels import number_text, title_axes, widest
from initlab.plots.style import (
    CLASS_COLORS,
    CURVE_COLORS,
    FRAME,
    GREY,
    INK,
    Box,
    new_axes,
    new_figure,
    scale_values,
    text_size,
)
from initlab.types import Array

ABOVE, BELOW, AROUND = CURVE_COLORS[2], CLASS_COLORS[1], CURVE_COLORS[0]
_TOP, _CURVE, _ROW, _LETTERS = 76, 220, 22, 12.5  # pixels


def specifications_figure(
    effects: Array,
    intervals: Array,
    choices: Mapping[str, Sequence[str]],
    ylabel: str = "difference",
    title: str = "",
) -> Figure:
    """Returns a figure of what ``plot_specifications`` draws, above which value each setting has of each key.

    ``choices`` holds by key the values (n,) of the settings.
    """
    rows = [(key, value) for key, values in choices.items() for value in dict.fromkeys(_ordered(values))]
    left = 60 + widest((f"{key}={value}" for key, value in rows), "Sans", _LETTERS)
    width = max(460, min(1000, 14 * len(effects)))
    gaps = 10 * len(choices)
    figure = new_figure(left + width + 30, _TOP + _CURVE + _ROW * len(rows) + gaps + 30)
    ax = new_axes(figure, Box(max(left, 84), _TOP, width, _CURVE), _LETTERS)
    plot_specifications(effects, intervals, ylabel=ylabel, title=title, ax=ax)
    ax.set_xlabel("")
    order, top = np.argsort(effects, kind="stable"), _TOP + _CURVE + 12
    for key, values in choices.items():
        below = new_axes(figure, Box(max(left, 84), top, width, _ROW * len(set(values))), _LETTERS)
        _draw_choices(below, ax, key, [values[i] for i in order])
        top += _ROW * len(set(values)) + 10
    return figure


def plot_specifications(
    effects: Array, intervals: Array, *, ylabel: str = "difference", title: str = "", ax: Axes | None = None
) -> Axes:
    """Returns axes with effects (n,), one of each setting, in rising order over their intervals (n, 2):
    green where the interval lies above 0, orange where it lies below, else grey.

    What is infinite reaches the edge of the axes. Source: Simonsohn, Simmons & Nelson (2020), "Specification
    curve analysis", Nature Human Behaviour 4. Without ``ax`` the axes are those of a new figure.

    >>> import numpy as np
    >>> from initlab.plots import plot_specifications
    >>> ax = plot_specifications(np.array([0.3, -0.1]), np.array([[0.1, 0.4], [-0.3, 0.2]]))
    >>> [text.get_text() for text in ax.texts]
    ['above 0 in 1', 'around 0 in 1', 'of 2 settings']
    """
    if ax is None:
        ax = new_axes(new_figure(620, _TOP + 300), Box(84, _TOP, 512, 250), _LETTERS)
    order = np.argsort(effects, kind="stable")
    middle, (low, high) = np.asarray(effects)[order], np.asarray(intervals)[order].T
    bottom, top = _range(np.concatenate([middle, low, high]))
    scale_values(ax, bottom, top, logarithmic=False, most_ticks=(6, 6))
    ax.yaxis.set_major_formatter(lambda value, _: number_text(value))
    ax.axhline(0, color=INK, lw=1)
    x = np.arange(len(middle))
    colors = [
        ABOVE if edge > 0 else BELOW if end < 0 else AROUND for edge, end in zip(low, high, strict=True)
    ]
    ax.vlines(x, np.maximum(low, bottom), np.minimum(high, top), colors=colors, lw=3, alpha=0.45)
    ax.scatter(x, np.clip(middle, bottom, top), s=36, c=colors, ec="white", lw=0.8, zorder=3, clip_on=False)
    ax.xaxis.set_major_locator(NullLocator())
    ax.set_xlim(-0.7, len(x) - 0.3)
    ax.set_ylabel(ylabel, parse_math=False)
    ax.set_xlabel("settings, by the size of the difference")
    title_axes(ax, title, pad=34)
    _write_counts(ax, low, high)
    return ax


def _range(values: Array) -> tuple[float, float]:
    """Returns the ends of the axis: all that is finite and 0, with a margin."""
    finite = np.append(values[np.isfinite(values)], 0.0)
    margin = 0.08 * np.ptp(finite) or 0.01
    return float(finite.min() - margin), float(finite.max() + margin)


def _write_counts(axes: Axes, low: Array, high: Array) -> None:
    """Writes above the axes how many of the settings have which colour."""
    counts = [("above 0", int((low > 0).sum()), ABOVE), ("below 0", int((high < 0).sum()), BELOW)]
    counts.append(("around 0", len(low) - sum(count for _, count, _ in counts), AROUND))
    words = [(f"{name} in {count:,}", color) for name, count, color in counts if count]
    words.append((f"of {len(low):,} setting{'s' if len(low) > 1 else ''}", GREY))
    size, x = text_size(axes, 12.5), 0.0
    style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "size": size}
    for text, color in words:
        axes.annotate(text, (0, 1), (x, 8), color=color, **style)
        x += widest([text], "Sans", size) + 14


def _ordered(values: Sequence[str]) -> list[str]:
    """Returns values in rising order where all are numbers, else in theirs."""
    try:
        return sorted(values, key=float)
    except ValueError:
        return list(values)


def _draw_choices(axes: Axes, above: Axes, key: str, values: Sequence[str]) -> None:
    """Draws for each setting a mark in the row of its value."""
    rows = list(dict.fromkeys(_ordered(values)))
    axes.plot(range(len(values)), [rows.index(value) for value in values], "|", c=INK, ms=11, mew=3)
    axes.set(xlim=above.get_xlim(), ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(range(len(rows)), [f"{key}={value}" for value in rows], parse_math=False)
    axes.tick_params(length=0)
    axes.xaxis.set_major_locator(NullLocator())
    axes.spines[:].set_color(FRAME)
