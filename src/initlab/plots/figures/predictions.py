"""What a regression predicts beside what is true."""

from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from initlab.plots.figures.labels import number_text, title_axes
from initlab.plots.style import CLASS_COLORS, GREY, GRID, INK, Box, new_axes, new_figure, text_size
from initlab.types import Array

_MOST = 5000  # points


def plot_predictions(
    true: Array, predicted: Array, *, target: str = "target", title: str = "", ax: Axes | None = None
) -> Axes:
    """Returns axes with predicted over true values (m,) of a target, the diagonal on which they are equal,
    and R² = 1 − Σ (predicted − true)² / Σ (true − mean)², 0 for values that do not vary.

    Predictions that are not finite are left out and counted. Without ``ax`` the axes are those of a new
    figure.

    >>> import numpy as np
    >>> from initlab.plots import plot_predictions
    >>> ax = plot_predictions(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    >>> [text.get_text() for text in ax.texts]
    ['R² = 0.500']
    """
    if ax is None:
        ax = new_axes(new_figure(520, 530), Box(84, 46, 412, 412))
    true, predicted = (np.asarray(values, dtype=np.float64) for values in (true, predicted))
    finite = np.isfinite(predicted)
    shown = np.concatenate([true, predicted[finite]])
    low, high = float(shown.min()), float(shown.max())
    margin = 0.05 * (high - low) or 0.5
    ends = low - margin, high + margin
    ax.grid(color=GRID, lw=1)
    ax.set_axisbelow(True)
    ax.plot(ends, ends, color=GREY, lw=1.2, ls=(0, (4, 3)))
    look: dict[str, Any] = {"ls": "", "marker": "o", "ms": 6.5, "mfc": f"{CLASS_COLORS[0]}b0", "mec": "white"}
    every = ceil(finite.sum() / _MOST) or 1
    ax.plot(true[finite][::every], predicted[finite][::every], mew=0.7, **look)
    ax.set(xlim=ends, ylim=ends)
    ax.set_box_aspect(1)
    for axis, word in ((ax.xaxis, "true"), (ax.yaxis, "predicted")):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(lambda value, _: number_text(value))
        axis.set_label_text(f"{word} {target}", parse_math=False)
    words = _r2(true, predicted) if finite.all() else f"{(~finite).sum():,} not finite"
    ax.text(0.04, 0.95, words, transform=ax.transAxes, color=INK, size=text_size(ax, 15), va="top")
    title_axes(ax, title)
    return ax


def _r2(true: Array, predicted: Array) -> str:
    total = float(np.sum((true - true.mean()) ** 2))
    with np.errstate(over="ignore"):
        r2 = 1 - float(np.sum((predicted - true) ** 2)) / total if total else 0.0
    shown = f"{r2:.3f}" if r2 > -1e4 else f"{r2:.3g}"
    return f"R² = {shown}".replace("-", "−").replace("inf", "∞")
