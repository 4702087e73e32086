"""What signals and gradients do from layer to layer: measured over seeds, beside what theory predicts."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from initlab.plots.figures.labels import name_heights, number_text, title_figure
from initlab.plots.style import CLASS_COLORS, GREY, INK, Box, new_axes, new_figure, scale_values, text_size
from initlab.types import Array

MEASURED, THEORY = CLASS_COLORS
_EXTREMES = 1e-100, 1e100  # of the axes: to place ticks matplotlib counts far beyond their ends


class Panel(NamedTuple):
    """A quantity at each of L layers: its median and quartiles over seeds, and what theory predicts. With a
    band (L,), where nine of ten networks of this width are, that is their median, else infinite width.

    NaN leaves gaps. Infinities, and zeros on a ``logarithmic`` axis, are arrowheads on the edge of the axes.
    """

    name: str
    measured_median: Array
    measured_low: Array
    measured_high: Array
    predicted: Array
    band_low: Array | None = None
    band_high: Array | None = None
    logarithmic: bool = False


def propagation_figure(
    layers: Sequence[int], panels: Sequence[Panel], title: str, subtitle: str = ""
) -> Figure:
    """Returns a figure, 760 pixels wide, of panels below each other that share the axis of layers (L,)."""
    box, pitch = Box(84, 132, 566, 190), 236
    figure = new_figure(760, box.top + len(panels) * pitch + 14)
    title_figure(figure, box.left, title, subtitle)
    draw_key(figure, box.left, panels)
    for panel in panels:
        axes = plot_propagation(layers, panel, ax=new_axes(figure, box))
        box = box._replace(top=box.top + pitch)
    for axes in figure.axes[:-1]:
        axes.tick_params(labelbottom=False)
        axes.set_xlabel("")
    return figure


def draw_key(figure: Figure, left: float, panels: Sequence[Panel]) -> None:
    """Writes what the curves and bands of panels are, in their colours, below the titles."""
    bands = [panel.band_low for panel in panels if panel.band_low is not None]
    width, height = figure.bbox.size
    texts = {"measured: median, quartiles over seeds": MEASURED}
    if any(np.any(~np.isnan(band)) for band in bands):
        texts["theory at this width: median, nine of ten networks"] = THEORY
    elif any(np.any(~np.isnan(panel.predicted)) for panel in panels):
        texts["theory: infinite width"] = THEORY
    for number, (text, color) in enumerate(texts.items()):
        x = (left + 282 * number) / width
        figure.text(x, 1 - 84 / height, text, color=color, size=12.5, va="baseline")


def plot_propagation(layers: Sequence[int], panel: Panel, *, ax: Axes | None = None) -> Axes:
    """Returns axes with one quantity over layers (L,): the curve that was measured and that of theory, each
    named beside its end, over their bands. Without ``ax`` the axes are those of a new figure.

    >>> import numpy as np
    >>> from initlab.plots import Panel, plot_propagation
    >>> median, theory = np.array([1.0, 0.4, 0.3]), np.array([1.0, 0.5, 0.25])
    >>> panel = Panel("mean square", median, 0.8 * median, 1.2 * median, theory, logarithmic=True)
    >>> ax = plot_propagation([1, 2, 3], panel)
    >>> ax.get_xlabel(), ax.get_yscale(), [text.get_text() for text in ax.texts]
    ('layer', 'log', ['measured', 'theory'])
    """
    if ax is None:
        ax = new_axes(new_figure(760, 284), Box(84, 40, 566, 190))
    title: dict[str, Any] = {"size": text_size(ax, 13.5), "weight": "bold", "color": INK, "pad": 8}
    ax.set_title(panel.name, loc="left", parse_math=False, **title)
    x = np.asarray(layers, dtype=np.float64)
    low, high = _scale(ax, x, panel)
    if panel.band_low is not None and panel.band_high is not None:
        band = np.clip([panel.band_low, panel.band_high], low, high)
        ax.fill_between(x, *band, fc=f"{THEORY}0d", ec=f"{THEORY}50", hatch="////", lw=0)
    quartiles = np.clip([panel.measured_low, panel.measured_high], low, high)
    ax.fill_between(x, *quartiles, color=MEASURED, alpha=0.22, lw=0)
    dots = {"marker": "o", "ms": 5.5, "mec": "white", "mew": 0.7}
    _draw_curve(ax, x, panel.measured_median, {"color": MEASURED, "ls": "-", **dots})
    _draw_curve(ax, x, panel.predicted, {"color": THEORY, "ls": (0, (4, 2.5))})
    _name_curves(ax, {"measured": panel.measured_median, "theory": panel.predicted})
    return ax


def _draw_curve(axes: Axes, layers: Array, values: Array, look: dict[str, Any]) -> None:
    """Draws a curve, and on the edge of the axes an arrowhead wherever it is beyond them."""
    low, high = axes.get_ylim()
    axes.plot(layers, np.where((values >= low) & (values <= high), values, np.nan), lw=1.9, **look)
    for edge, marker, beyond in ((low, "v", values < low), (high, "^", values > high)):
        if beyond.any():
            style = {"c": look["color"], "ms": 9, "mec": "white", "mew": 0.7, "clip_on": False}
            axes.plot(layers[beyond], np.full(beyond.sum(), edge), marker, **style)


def _log_range(positive: Array) -> tuple[float, float]:
    """Returns the ends of a logarithmic axis: a decade at least, or noise would look like a trend."""
    low, high = np.log10(np.clip([positive.min(), positive.max()], *_EXTREMES))
    half = max(0.56 * (high - low), 0.5)
    middle = (low + high) / 2
    return float(10 ** (middle - half)), float(10 ** (middle + half))


def _linear_range(finite: Array) -> tuple[float, float]:
    """Returns the ends of a linear axis, with a margin."""
    if not len(finite):
        return -0.08, 1.0
    low, high = np.clip([finite.min(), finite.max()], -_EXTREMES[1], _EXTREMES[1])
    margin = 0.08 * (high - low)
    if margin <= 1e-9 * max(abs(low), abs(high)):  # constant, up to rounding
        margin = 0.5 * abs(high)
    return (float(low - margin), float(high + margin)) if margin else (-0.08, 1.0)


def _scale(axes: Axes, layers: Array, panel: Panel) -> tuple[float, float]:
    """Scales axes for all that a panel shows, and returns the ends of the axis of values."""
    everything = np.concatenate([np.asarray(y, dtype=np.float64) for y in panel[1:7] if y is not None])
    finite = everything[np.isfinite(everything)]
    logarithmic = panel.logarithmic and bool(np.any(finite > 0))
    low, high = _log_range(finite[finite > 0]) if logarithmic else _linear_range(finite)
    scale_values(axes, low, high, logarithmic, most_ticks=(4, 6))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: number_text(value))
    margin = max(0.5, 0.02 * (layers[-1] - layers[0]))
    axes.set(xlabel="layer", xlim=(layers[0] - margin, layers[-1] + margin))
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, min_n_ticks=1))
    return low, high


def _name_curves(axes: Axes, curves: dict[str, Array]) -> None:
    """Writes each curve's name to the right of the axes, as near its last value as there is room."""
    known = {name: values[~np.isnan(values)] for name, values in curves.items()}
    ends = {name: np.clip(values[-1], *axes.get_ylim()) for name, values in known.items() if len(values)}
    style: dict[str, Any] = {"size": text_size(axes, 13), "transform": axes.transAxes}
    if not ends:
        axes.text(0.5, 0.5, "not defined", color=GREY, ha="center", **style)
        return
    heights = name_heights(axes, list(ends.values()), gap=0.11)
    for name, height in zip(ends, heights, strict=True):
        axes.text(1.015, height, name, color=MEASURED if name == "measured" else THEORY, va="center", **style)
