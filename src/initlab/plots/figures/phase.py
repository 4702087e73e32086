"""Where networks can be trained: by the scale of their weights and their depth, beside mean-field theory."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from initlab.plots.figures.labels import title_figure
from initlab.plots.style import FRAME, GREY, HALO, INK, UNKNOWN, Box, new_axes, new_figure, text_size
from initlab.types import Array

TRAINED = ListedColormap(colormaps["YlGnBu"](np.linspace(0, 0.72, 256))).with_extremes(bad=UNKNOWN)


def phase_figure(
    sigmas: Array,
    depths: Sequence[int],
    measured: Array,
    critical: float | None = None,
    scales: tuple[Array, Array] | None = None,
    measured_label: str = "train accuracy",
    title: str = "",
    subtitle: str = "",
) -> Figure:
    """Returns a figure, 720 pixels wide, of what ``plot_phase`` draws, under a title and a subtitle."""
    figure, ax, cax = _new_axes(top=128)
    title_figure(figure, 84, title, subtitle)
    plot_phase(sigmas, depths, measured, critical, scales, measured_label, ax=ax, cax=cax)
    return figure


def plot_phase(
    sigmas: Array,
    depths: Sequence[int],
    measured: Array,
    critical: float | None = None,
    scales: tuple[Array, Array] | None = None,
    measured_label: str = "train accuracy",
    *,
    ax: Axes | None = None,
    cax: Axes | None = None,
) -> Axes:
    """Returns axes with what was measured (D, S), from 0 to 1 or NaN, at σ_w (S,) and depths (D,).

    ``critical`` is the σ_w that parts the ordered from the chaotic phase (Poole et al. 2016). ``scales``
    holds σ_w (F,) and 6 ξ (F,), six times the depth over which signals forget each other: networks were
    found trainable up to there (Schoenholz et al. 2017). The colour bar is drawn in ``cax``, or takes its
    place from ``ax``. Without ``ax`` the axes are those of a new figure.

    >>> import numpy as np
    >>> from initlab.plots import plot_phase
    >>> accuracy = np.array([[0.5, 1.0, 1.0], [0.1, 1.0, 0.4]])
    >>> ax = plot_phase(np.array([0.5, 1.0, 1.5]), [4, 16], accuracy, critical=1.1)
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['4', '16']
    """
    if ax is None:
        _, ax, cax = _new_axes(top=60)
    mesh = _draw_cells(ax, np.asarray(sigmas, dtype=np.float64), np.asarray(depths), np.asarray(measured))
    if scales is not None:
        _draw_scales(ax, *scales)
    if critical is not None:
        _draw_critical(ax, critical)
    bar = ax.figure.colorbar(mesh, cax=cax, ax=ax)
    bar.outline.set(edgecolor=FRAME, linewidth=1)
    bar.set_ticks([0, 0.5, 1], labels=["0", "0.5", "1"])
    bar.ax.set_ylabel(measured_label, parse_math=False)
    return ax


def _new_axes(top: int) -> tuple[Figure, Axes, Axes]:
    """Returns a figure, its axes below ``top`` pixels, and those of the colour bar beside them."""
    figure = new_figure(720, top + 466)
    return figure, new_axes(figure, Box(84, top, 520, 400)), new_axes(figure, Box(622, top, 13, 400))


def _draw_cells(axes: Axes, sigmas: Array, depths: NDArray[Any], measured: Array) -> QuadMesh:
    """Draws a cell for each σ_w and depth, the depths on a logarithmic axis, and returns them all."""
    across, up = np.argsort(sigmas), np.argsort(depths)
    x, y = _edges(sigmas[across]), _edges(np.log2(depths[up]))
    cells = measured[np.ix_(up, across)].astype(np.float64)
    axes.set(xlabel=r"$\sigma_w$, the scale of the weights", ylabel="depth")
    axes.set_yticks(np.log2(depths), [f"{depth:,}" for depth in depths])
    axes.xaxis.set_major_locator(MaxNLocator(7))
    mesh = axes.pcolormesh(x, y, cells, cmap=TRAINED, vmin=0, vmax=1)
    axes.set(xlim=x[[0, -1]], ylim=y[[0, -1]], autoscale_on=False)
    if np.isnan(cells).any():
        style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right"}
        axes.annotate("grey: no run", (1, 0), (0, -36), size=text_size(axes, 12.5), color=GREY, **style)
    return mesh


def _edges(centers: Array) -> Array:
    """Returns the edges (n + 1,) of cells halfway between ascending centers (n,)."""
    halves = np.diff(centers) / 2 if len(centers) > 1 else np.array([0.5])
    outer = centers[0] - halves[0], centers[-1] + halves[-1]
    return np.array([outer[0], *(centers[:-1] + centers[1:]) / 2, outer[1]])


def _draw_scales(axes: Axes, sigmas: Array, depths: Array) -> None:
    """Draws the depth 6 ξ, which has no bound at the critical point, and its name near its right end."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    with np.errstate(divide="ignore", invalid="ignore"):
        heights = np.minimum(np.log2(np.asarray(depths, dtype=np.float64)), high + 1)
    axes.plot(sigmas, heights, color=INK, lw=2, ls=(0, (4, 2.5)))
    inside = np.flatnonzero((heights > low) & (heights < high) & (sigmas > left) & (sigmas < right))
    if len(inside):
        place = inside[round(0.86 * (len(inside) - 1))]
        style: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "color": INK}
        style["size"] = text_size(axes, 13)
        text = axes.annotate("depth 6 ξ", (sigmas[place], heights[place]), (0, 11), **style)
        text.set_path_effects([HALO])


def _draw_critical(axes: Axes, critical: float) -> None:
    """Draws the critical line, if it is in view, between the names of the phases beside it."""
    left, right = axes.get_xlim()
    if not left < critical < right:
        return
    axes.axvline(critical, color=INK, lw=1.6)
    style: dict[str, Any] = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points"}
    style["size"] = text_size(axes, 13)
    name = rf"$\sigma_w$ = {critical:.3g}"
    axes.annotate(name, (critical, 1), (0, 29), ha="center", color=INK, **style)
    axes.annotate("← ordered", (critical, 1), (-8, 8), ha="right", color=GREY, **style)
    axes.annotate("chaotic →", (critical, 1), (8, 8), ha="left", color=GREY, **style)
