"""What a network answers beside the truth: counts of classes, and predicted values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from initlab.plots import style
from initlab.plots.figures.scores import CELLS, LETTER
from initlab.types import Array

MOST_CLASSES = 20  # whose counts are written in their cells


def plot_confusion(counts: NDArray[Any], classes: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Returns axes with how many examples of each class (rows) were taken for which class (columns).

    ``counts`` is (K, K). A cell's colour is its share of its row. Without ``ax`` the axes are those of a new
    figure.
    """
    counts = np.asarray(counts)
    if ax is None:
        cell = 96 if len(classes) <= 4 else 46
        left = round(56 + max(map(len, classes)) * 13 * LETTER)
        side = cell * len(classes)
        figure = style.new_figure(left + side + 24, side + 116)
        ax = style.new_axes(figure, style.Box(left, 20, side, side))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap=CELLS, vmin=0, vmax=1, aspect="auto")
    ticks = range(len(classes))
    ax.set_xticks(ticks, classes, rotation=0 if len(classes) <= 12 else 90, parse_math=False)
    ax.set_yticks(ticks, classes, parse_math=False)
    ax.set(xlabel="predicted", ylabel="true")
    ax.tick_params(length=0)
    text: dict[str, Any] = {"ha": "center", "va": "center", "color": style.INK}
    text["size"] = 15 if len(classes) <= 4 else 12
    if len(classes) <= MOST_CLASSES:
        for (row, column), count in np.ndenumerate(counts):
            share = f"\n{shares[row, column]:.0%}" if len(classes) <= 4 else ""
            ax.text(column, row, f"{count:,}{share}", **text)
    return ax


def plot_predictions(true: Array, predicted: Array, *, ax: Axes | None = None) -> Axes:
    """Returns axes with predicted over true values (m,), a point each, and the line where both are equal.

    Without ``ax`` the axes are those of a new figure.
    """
    if ax is None:
        ax = style.new_axes(style.new_figure(500, 480), style.Box(84, 24, 392, 392))
    ends = np.array([min(true.min(), predicted.min()), max(true.max(), predicted.max())])
    ends += np.array([-0.04, 0.04]) * (ends[1] - ends[0] or 1)
    ax.plot(ends, ends, color=style.GREY, lw=1, ls=(0, (4, 3)))
    ax.plot(true, predicted, ls="", marker="o", ms=5, mfc=style.CLASS_COLORS[0], mec="white", mew=0.6)
    ax.set(xlim=ends, ylim=ends, xlabel="true value", ylabel="predicted value")
    return ax
