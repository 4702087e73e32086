"""Cost curves: the picture of one run, and axes with the curves of several, or the bands of many."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from itertools import cycle
from math import ceil, floor, log, log10
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from initlab.numerals import spread_words
from initlab.plots import style
from initlab.plots.figures.bands import Band, band_of
from initlab.plots.figures.labels import name_heights, number_text
from initlab.plots.raster import Canvas, dejavu, write, write_titles
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
        self._blank = cache(self._new_axes)

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
        axes = self._blank(low > 0)
        for mark in (*axes.lines, *axes.texts):
            mark.remove()
        _label_costs(axes, self._iterations, low, high)
        _mark_chance(axes, self._chance, below=ends_above_chance)  # where the curve is not
        figure = axes.get_figure(root=True)
        assert figure is not None
        canvas = Canvas(figure)
        place = axes.transData.frozen()  # the next range will move the axes
        line = Line2D([], [], color=style.INK, lw=1.6, transform=place)
        line.set_clip_box(axes.bbox)
        end = Line2D([], [], ls="", ms=9, mec="white", mew=0.8, transform=place)
        return canvas, line, end

    def _new_axes(self, logarithmic: bool) -> Axes:
        """Returns axes, logarithmic for good or never, to be drawn for every range: to make their ticks takes
        most of the time.
        """
        return style.new_axes(style.new_figure(564, 362), _BOX)


def plot_costs(
    costs: Mapping[str, Array | Sequence[Array]], *, chance: Chance | None = None, ax: Axes | None = None
) -> Axes:
    """Returns axes with cost curves, each named beside its end, to the right of the axes, in its colour.

    ``costs`` holds by name the cost (n,) after 0, 1, … iterations of one run, or of several, as (S, n) or a
    list of (n,): those are drawn as their median over a band, from five runs on between the quartiles, else
    between the extremes. Costs that are not finite, and those that a shorter run lacks, are infinite: it
    diverged. The axis of costs is logarithmic, or linear from 0 where all costs are within a decade.
    ``chance``, from ``chance_of(task, Y)``, is marked by a dashed line. Without ``ax`` the axes are those of
    a new figure. No costs at all raise ValueError.

    >>> import numpy as np
    >>> from initlab.plots import chance_of, plot_costs
    >>> falling = np.geomspace(2.0, 0.01, 101)
    >>> costs = {"zeros": np.full(101, 0.693), "he": [falling, 2 * falling, 3 * falling]}
    >>> ax = plot_costs(costs, chance=chance_of("binary", np.array([[0.0, 1.0]])))
    >>> ax.get_yscale(), [text.get_text() for text in ax.texts[:3]]
    ('log', ['chance: ln 2', 'zeros  0.693', 'he  0.02'])
    """
    if not costs:
        raise ValueError("there are no costs to plot")
    bands = [band_of(one) for one in costs.values()]
    if ax is None:
        room = room_for_names(list(costs), bands, 13.5)
        ax = style.new_axes(style.new_figure(576 + room, 372), style.Box(76, 34, 500, 286))
    return draw_costs(ax, list(costs), bands, chance)


def room_for_names(names: Sequence[str], bands: Sequence[Band], size: float) -> int:
    """Returns the pixels to the right of axes that the names of the curves take."""
    font = dejavu("Sans-Bold", size)
    return ceil(20 + max(font.getlength(text) for text in _names(names, bands)))


def _names(names: Sequence[str], bands: Sequence[Band]) -> list[str]:
    """Returns the names with the last costs, or that they diverged."""
    ends = ("diverged" if band.diverged else f"{band.median[-1]:.3g}" for band in bands)
    return [f"{name}  {end}" for name, end in zip(names, ends, strict=True)]


def draw_costs(axes: Axes, names: Sequence[str], bands: Sequence[Band], chance: Chance | None) -> Axes:
    """Returns the axes with a curve and a band for each name, which may come twice."""
    chance = chance or Chance(None, "")
    shown = np.concatenate([values for band in bands for values in band[1:]])
    shown = shown[np.isfinite(shown) & (shown <= _ceiling(bands))]
    ends = [band.finite[-1] if len(band.finite) else 1.0 for band in bands]
    iterations = max(1, *(int(np.isfinite(band.low).sum()) for band in bands))
    _label_costs(axes, iterations, *_cost_range(shown, chance.cost))
    axes.yaxis.set_major_formatter(lambda cost, _: number_text(cost, most=1e4))
    _mark_chance(axes, chance, below=False)
    for label in axes.texts:
        label.set(path_effects=[style.HALO], zorder=4)
    heights = name_heights(axes, ends, gap=0.07)
    text: dict[str, Any] = {"va": "center", "weight": "bold", "parse_math": False}
    text |= {"size": style.text_size(axes, 15), "transform": axes.transAxes}
    colors = cycle(style.CURVE_COLORS)
    for name, band, height, color in zip(_names(names, bands), bands, heights, colors, strict=False):
        _draw_band(axes, band, color)
        axes.text(1.01, height, name, color=color, **text)
    note: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "color": style.GREY}
    note |= {"size": style.text_size(axes, 12), "parse_math": False}
    if words := spread_words((band.runs for band in bands), "runs"):
        axes.annotate(words, (1, 1), (0, 6), xycoords="axes fraction", **note)
    return axes


def _ceiling(bands: Sequence[Band]) -> float:
    """Returns the highest cost that is worth showing: where runs diverge, 100 times what the others have or
    what any begins at, as on an axis up to 10²⁰⁰ all that trained would be one line.
    """
    if all(np.isfinite(band.high).all() for band in bands):
        return np.inf
    trained = [band.median.max() for band in bands if len(band.median) and not band.diverged]
    first = [band.median[0] for band in bands if np.isfinite(band.median[:1]).any()]
    return 100 * max([*trained, *first], default=np.inf)


def _draw_band(axes: Axes, band: Band, color: str) -> None:
    """Draws a band up to the top of the axes where it has no end, and its median, with a cross where that
    stops.
    """
    columns = round(axes.bbox.width)
    end = int(np.isfinite(band.low).sum())  # where even the best have diverged, there is no band
    if band.runs > 1 and end:
        high = np.minimum(band.high[:end], axes.get_ylim()[1])
        starts = np.arange(0, end, ceil(end / columns))
        low, high = np.minimum.reduceat(band.low[:end], starts), np.maximum.reduceat(high, starts)
        starts[-1:] = end - 1
        axes.fill_between(starts, low, high, color=color, alpha=0.18, lw=0)
    line = band.finite
    axes.plot(*_thin(line, columns), color=color, lw=2)
    if band.diverged:
        last = np.minimum(line[-1:], axes.get_ylim()[1])
        look: dict[str, Any] = {"c": color, "ms": 9, "mec": "white", "mew": 0.8, "clip_on": False}
        axes.plot([len(line) - 1][: len(line)], last, "X", **look)


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
