"""Cost curves: the picture of one run, and axes with the curves of several."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import cycle
from math import ceil, floor, log, log10
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from initlab.plots import style
from initlab.plots.figures.bands import Band, band_of
from initlab.plots.figures.labels import name_heights
from initlab.plots.raster import Canvas, write, write_titles
from initlab.plots.tasks import Chance
from initlab.types import Array

NAME_HEIGHT = 0.1  # of an axis, at most
CHANCE = log(2)  # the cost of answering 0.5 to everything
_BOX = style.Box(76, 70, 416, 240)


class CostCurve:
    """Draws cost curves of runs that were to take ``iterations`` iterations.

    A dashed line with a label marks ``chance``, the cost of answers that ignore the inputs, if it is given.
    """

    def __init__(self, iterations: int, chance: float | None = CHANCE, label: str = "chance: ln 2") -> None:
        self._iterations = iterations
        self._chance = Chance(chance, label)
        # The runs of a sweep share few ranges of cost; the axes of each take two megabytes.
        self._axes = lru_cache(maxsize=32)(self._draw_axes)

    def draw(self, cost: Array, title: str, subtitle: str = "") -> Image.Image:
        """Returns an RGB picture of the cost (n,) after 0, 1, … iterations, up to the first not finite.

        The curve ends in a dot and its last value, or in a cross if the run stopped early.
        """
        cost = _finite_start(cost)
        chance = self._chance.cost
        ends_above_chance = chance is not None and bool(np.any(cost[-1:] > chance))
        canvas, line, end = self._axes(*_cost_range(cost, chance), ends_above_chance)
        line.set_data(*_thin(cost, _BOX.width))
        complete = len(cost) > self._iterations
        end.set(marker="o" if complete else "X", color=style.INK if complete else style.CLASS_COLORS[1])
        end.set_data([len(cost) - 1], cost[-1:])
        image = canvas.draw([line, end])
        write_titles(image, title, subtitle, _BOX)
        _write_value(image, end)
        return image

    def _draw_axes(self, low: float, high: float, ends_above_chance: bool) -> tuple[Canvas, Line2D, Line2D]:
        figure = style.new_figure(564, 362)
        axes = style.new_axes(figure, _BOX)
        _label_costs(axes, self._iterations, low, high)
        _mark_chance(axes, self._chance, below=ends_above_chance)  # where the curve is not
        canvas = Canvas(figure)
        (line,) = axes.plot([], [], color=style.INK, lw=1.6)
        (end,) = axes.plot([], [], ms=9, mec="white", mew=0.8, clip_on=False)
        return canvas, line, end


Curves = Array | Sequence[Array]
"""One cost (n,), or those of several runs, whose median and band are drawn."""


def plot_costs(costs: Mapping[str, Curves], *, chance: Chance | None = None, ax: Axes | None = None) -> Axes:
    """Returns axes with cost curves, each named beside its end, to the right of the axes, in its colour.

    ``costs`` holds by name the cost (n,) after 0, 1, … iterations, which is drawn up to the first that is not
    finite, or a list of the costs of several runs: then a line for their median and a band around it, the
    quartiles of five runs or more, the extremes of fewer. A run that stops before the others counts as
    infinite from there on. The axis of costs is logarithmic, or linear from 0 where all costs are within a
    decade. ``chance``, from ``chance_of(task, Y)``, is marked by a dashed line. Without ``ax`` the axes are
    those of a new figure. No costs at all raise ValueError.

    >>> import numpy as np
    >>> from initlab.plots import chance_of, plot_costs
    >>> costs = {"zeros": np.full(101, 0.693), "he": np.geomspace(2.0, 0.01, 101)}
    >>> ax = plot_costs(costs, chance=chance_of("binary", np.array([[0.0, 1.0]])))
    >>> ax.get_yscale(), [text.get_text() for text in ax.texts]
    ('log', ['chance: ln 2', 'zeros  0.693', 'he  0.01'])
    """
    if not costs:
        raise ValueError("there are no costs to plot")
    if ax is None:
        ax = style.new_axes(style.new_figure(720, 362), style.Box(76, 24, 500, 286))
    return draw_costs(ax, list(costs), list(costs.values()), chance)


def draw_costs(axes: Axes, names: Sequence[str], costs: Sequence[Curves], chance: Chance | None) -> Axes:
    """Returns the axes with a curve for each name, which may come twice."""
    bands = [band_of([cost] if isinstance(cost, np.ndarray) else cost) for cost in costs]
    medians = [_finite_start(band.median) for band in bands]
    ranges = [_finite_start(edge) for band in bands for edge in band]
    chance = chance or Chance(None, "")
    _label_costs(axes, max(1, *map(len, medians)), *_cost_range(np.concatenate(ranges), chance.cost))
    _mark_chance(axes, chance, below=False)
    ends = [cost[-1] if len(cost) else 1.0 for cost in medians]
    heights = name_heights(axes, ends, gap=0.07)
    heights += max(0.0, 0.02 - heights.min())  # not down among the axis's own labels
    text: dict[str, Any] = {"va": "center", "weight": "bold", "parse_math": False}
    text |= {"size": style.text_size(axes, 15), "transform": axes.transAxes}
    curves = zip(names, bands, medians, ends, heights, cycle(style.CURVE_COLORS), strict=False)
    for name, band, cost, end, height, color in curves:
        if band.low is not band.high:
            _draw_band(axes, band, len(cost), color)
        axes.plot(*_thin(cost, round(axes.bbox.width)), color=color, lw=2)
        axes.text(1.01, height, f"{name}  {end:.3g}", color=color, **text)
    return axes


def _draw_band(axes: Axes, band: Band, length: int, color: str) -> None:
    """Draws what lies between a band's edges, as far as its median is finite; its top may leave the axes."""
    low, high = (np.clip(edge[:length], 1e-12, 1e200) for edge in (band.low, band.high))
    width = max(1, ceil(length / round(axes.bbox.width)))
    starts = np.arange(0, length, width)
    if length:
        edges = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
        axes.fill_between(starts, *edges, color=color, alpha=0.18, lw=0)


def _finite_start(cost: Array) -> Array:
    """Returns the costs before the first that is not finite, within what axes can show."""
    return np.clip(cost[np.logical_and.accumulate(np.isfinite(cost))], 1e-12, 1e200)


def _thin(cost: Array, columns: int) -> tuple[NDArray[np.intp], Array]:
    """Returns iterations and costs of a curve that looks the same: the extremes in each column of pixels."""
    width = ceil(len(cost) / columns)
    if width <= 2:
        return np.arange(len(cost)), cost
    starts = np.arange(0, len(cost), width)
    ends = np.minimum(starts + width, len(cost)) - 1
    # From the maximum to the minimum, as costs usually fall.
    extremes = np.maximum.reduceat(cost, starts), np.minimum.reduceat(cost, starts)
    return np.stack([starts, ends], axis=1).ravel(), np.stack(extremes, axis=1).ravel()


def _write_value(image: Image.Image, end: Line2D) -> None:
    """Writes the last cost beside the end of its curve."""
    for point in np.asarray(end.get_xydata()):
        x, y = end.get_transform().transform(point)
        at, width = (x + 9, image.height - y), image.width - x - 12
        write(image, at, f"{point[1]:.3g}", "Sans-Bold", 13.5, anchor="lm", width=width)


def _cost_range(cost: Array, chance: float | None = None) -> tuple[float, float]:
    """Returns the ends of the axis in round numbers: a linear axis from 0 if the cost stays within a decade.

    From 0, a cost that hardly moves looks like one. An axis from above 0 is logarithmic. A cost of chance
    that is in view has room for its name above.
    """
    if not len(cost):
        return 0.0, 1.0
    low, high = float(cost.min()), float(cost.max())
    if high <= 10 * low:
        steps: tuple[float, ...] = (1, 1.5, 2, 3, 4, 6, 8, 10)
        low, high = 0.0, _round_up(1.05 * high, steps)
    else:
        steps = (1, 3, 10)
        low, high = 1 / _round_up(1.1 / low, steps), _round_up(1.1 * high, steps)
    if chance is not None and low < chance < high and _height(chance, low, high) > 1 - NAME_HEIGHT:
        high = _round_up(1.01 * high, steps)
    return low, high


def _height(value: float, low: float, high: float) -> float:
    """Returns how far up an axis a value lies, from 0 to 1."""
    return log10(value / low) / log10(high / low) if low > 0 else value / high


def _round_up(value: float, steps: Sequence[float]) -> float:
    """Returns the next of the steps, times a power of ten, that is at least as large."""
    scale = 10.0 ** floor(log10(value))
    return scale * next((step for step in steps if step * scale >= value), steps[-1])


def _label_costs(axes: Axes, iterations: int, low: float, high: float) -> None:
    """Scales axes for costs from low to high, logarithmic unless low is 0."""
    style.scale_values(axes, low, high, logarithmic=low > 0, most_ticks=(5, 8))
    axes.set(xlabel="iteration", ylabel="cost", xlim=(-iterations / 100, iterations))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter("{x:,.6g}")
    axes.yaxis.set_major_formatter(lambda cost, _: f"{cost:,.6g}")


def _mark_chance(axes: Axes, chance: Chance, below: bool) -> None:
    """Draws a dashed line at the cost of chance, if in view, named above, or below where there is room."""
    low, high = axes.get_ylim()
    if chance.cost is not None and low < chance.cost < high:
        below = below and _height(chance.cost, low, high) > NAME_HEIGHT
        axes.axhline(chance.cost, color=style.GREY, lw=1, ls=(0, (4, 3)))
        text: dict[str, Any] = {"va": "top" if below else "bottom", "ha": "right", "color": style.GREY}
        text |= {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
        place, offset = (1, chance.cost), (-4, -4 if below else 4)
        text |= {"size": style.text_size(axes, 12), "clip_on": True, "parse_math": False}
        axes.annotate(chance.label, place, offset, **text)
