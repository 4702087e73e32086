"""A score over a number that was swept: a line for each entrant, with a band."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from initlab.plots.figures.labels import name_heights, number_text, title_axes, widest
from initlab.plots.style import CURVE_COLORS, Box, new_axes, new_figure, scale_values, text_size
from initlab.types import Array

Line = tuple[Array, Array, Array]
"""The median (n,) and the ends of the band around it."""


def plot_scores(
    x: Sequence[float],
    scores: Mapping[str, Line],
    *,
    xlabel: str = "",
    ylabel: str = "score",
    title: str = "",
    least: float = -np.inf,
    ax: Axes | None = None,
) -> Axes:
    """Returns axes with scores over the values x (n,), in any order: a line for each name, with a band.

    ``scores`` holds by name the median (n,) and the lower and the upper end (n,) of the band. NaN leaves
    gaps. What is below ``least``, or −∞ because runs diverged, is an arrowhead at the lower edge. The axis of
    x is logarithmic where its values are spaced more evenly so. Without ``ax`` the axes are those of a new
    figure. No scores at all raise ValueError.

    >>> from initlab.plots import plot_scores
    >>> he, zeros = [0.9, 0.8, 0.7], [0.5, 0.5, 0.5]
    >>> ax = plot_scores([1, 10, 100], {"he": (he, he, he), "zeros": (zeros, zeros, zeros)}, xlabel="depth")
    >>> ax.get_xscale(), [text.get_text() for text in ax.texts]
    ('log', ['he', 'zeros'])
    """
    if not scores:
        raise ValueError("there are no scores to plot")
    order = np.argsort(x)
    values = np.asarray(x, dtype=np.float64)[order]
    lines = {
        name: tuple(np.asarray(one, dtype=np.float64)[order] for one in line) for name, line in scores.items()
    }
    if ax is None:
        room = 28 + widest(scores, "Sans-Bold", 13.5)
        ax = new_axes(new_figure(576 + room, 400), Box(76, 46, 500, 300))
    _scale(ax, values, np.concatenate([one for line in lines.values() for one in line]), least)
    ax.set_xlabel(xlabel, parse_math=False)
    ax.set_ylabel(ylabel, parse_math=False)
    title_axes(ax, title)
    heaped = np.zeros(len(values))
    for (median, low, high), color in zip(lines.values(), cycle(CURVE_COLORS), strict=False):
        _draw(ax, values, median, low, high, color)
        heaped += _draw_below(ax, values, median, heaped, color)
    _name(ax, {name: line[0] for name, line in lines.items()})
    return ax


def spaced_by_factors(values: Array) -> bool:
    """Returns whether rising values are spaced more evenly on a logarithmic axis than on a linear one."""
    if len(values) < 2 or values[0] <= 0:
        return False
    if len(values) == 2:
        return bool(values[1] >= 10 * values[0])
    steps, factors = np.diff(values), np.diff(np.log(values))
    return bool(factors.std() / factors.mean() < steps.std() / steps.mean())


def _scale(axes: Axes, x: Array, scores: Array, least: float) -> None:
    """Scales both axes for what is shown, and marks the values of x as far as their numbers have room."""
    finite = scores[np.isfinite(scores)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    low, high = max(low, least), max(high, least)
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 0.05
    scale_values(axes, low - margin, high + margin, logarithmic=False, most_ticks=(6, 6))
    axes.yaxis.set_major_formatter(lambda value, _: number_text(value))
    if spaced_by_factors(x):
        axes.set_xscale("log")
        ends = x[0] * (x[0] / x[-1]) ** 0.04, x[-1] * (x[-1] / x[0]) ** 0.04
    else:
        ends = x[0] - 0.04 * (np.ptp(x) or 1), x[-1] + 0.04 * (np.ptp(x) or 1)
    axes.set_xlim(*ends)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(FixedLocator(_with_room(axes, x)))
    axes.xaxis.set_major_formatter(lambda value, _: number_text(value))


def _with_room(axes: Axes, x: Array) -> list[float]:
    """Returns the values whose numbers do not touch that of the one before."""
    size = float(axes.xaxis.label.get_fontsize())
    places = axes.transData.transform([(value, 0) for value in x])[:, 0]
    shown: list[float] = []
    end = -np.inf
    for value, place in zip(x.tolist(), places, strict=True):
        half = widest([number_text(value)], "Sans", size) / 2
        if place - half > end + 6:
            shown.append(value)
            end = place + half
    return shown


def _draw(axes: Axes, x: Array, median: Array, low: Array, high: Array, color: str) -> None:
    """Draws one line over its band, as far as they are above the lower edge of the axes."""
    bottom = axes.get_ylim()[0]
    high = np.where(high < bottom, np.nan, high)
    axes.fill_between(x, np.maximum(low, bottom), high, color=color, alpha=0.16, lw=0)
    look: dict[str, Any] = {"color": color, "mec": "white", "mew": 0.8}
    axes.plot(x, np.where(median >= bottom, median, np.nan), marker="o", ms=6.5, lw=2, **look)


def _draw_below(axes: Axes, x: Array, median: Array, heaped: Array, color: str) -> Array:
    """Draws arrowheads where a line is below the axes, over so many others, and returns where (n,)."""
    bottom, top = axes.get_ylim()
    below = median < bottom
    if below.any():
        heights = bottom + 0.035 * (top - bottom) * heaped[below]
        axes.plot(x[below], heights, ls="", marker="v", ms=9, c=color, mec="white", mew=0.8, clip_on=False)
    return below.astype(np.float64)


def _name(axes: Axes, medians: Mapping[str, Array]) -> None:
    """Writes each line's name to the right of the axes, as near its last value as there is room."""
    bottom = axes.get_ylim()[0]
    known = [median[~np.isnan(median)] for median in medians.values()]
    ends = [max(float(values[-1]), bottom) if len(values) else bottom for values in known]
    heights = name_heights(axes, ends, gap=0.07)
    style: dict[str, Any] = {"va": "center", "weight": "bold", "parse_math": False}
    style |= {"size": text_size(axes, 15), "transform": axes.transAxes}
    for name, height, color in zip(medians, heights, cycle(CURVE_COLORS), strict=False):
        axes.text(1.015, height, name, color=color, **style)
