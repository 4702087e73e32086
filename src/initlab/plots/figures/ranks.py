"""Average ranks over several settings, with what lies within chance: a critical-difference diagram."""

from collections.abc import Mapping
from math import ceil, floor
from typing import Any

from matplotlib.axes import Axes

from initlab.plots.figures.labels import title_axes, widest
from initlab.plots.style import GREY, INK, Box, new_axes, new_figure, text_size

_FIRST, _STEP = 1.2, 1.0  # heights, from the axis of ranks down, in lines of text
_ABOVE = 2.9  # lines above the axis
_LINE = 26  # pixels of such a line


def plot_ranks(
    ranks: Mapping[str, float], critical_difference: float, *, title: str = "", ax: Axes | None = None
) -> Axes:
    """Returns axes with average ranks by name on a line, the lowest and best to the right, and a bar over
    each largest group whose ranks differ by no more than the critical difference.

    Source: Demšar (2006), "Statistical comparisons of classifiers over multiple data sets", JMLR 7, figure 1.
    Without ``ax`` the axes are those of a new figure. Fewer than two ranks raise ValueError.

    >>> from initlab.plots import plot_ranks
    >>> ax = plot_ranks({"he": 1.2, "zeros": 3.8, "lsuv": 2.1, "random": 2.9}, critical_difference=1.0)
    >>> [text.get_text() for text in ax.texts[-4:]]
    ['he  1.20', 'lsuv  2.10', 'random  2.90', 'zeros  3.80']
    """
    if len(ranks) < 2:
        raise ValueError(f"ranks to compare are at least two; got {len(ranks)}")
    ordered = sorted(ranks.items(), key=lambda item: item[1])
    groups = alike(dict(ordered), critical_difference)
    bars, half = 0.45 * len(groups), ceil(len(ordered) / 2)
    depth = _FIRST + bars + _STEP * half
    if ax is None:
        room = 24 + widest((_named(*item) for item in ordered), "Sans-Bold", 13.5)
        size = round((depth + _ABOVE) * _LINE)
        ax = new_axes(new_figure(440 + 2 * room, 50 + size), Box(room, 40, 440, size))
    ax.set_axis_off()
    low, high = min(1, floor(ordered[0][1])), max(len(ordered), ceil(ordered[-1][1]))
    ax.set(xlim=(high, low), ylim=(depth, -_ABOVE))
    _draw_axis(ax, low, high, critical_difference)
    for place, (name, rank) in enumerate(ordered):
        right = place < half
        line = place if right else len(ordered) - 1 - place
        _draw_name(ax, _named(name, rank), rank, _FIRST + bars - 0.5 + _STEP * line, right)
    for number, (best, worst) in enumerate(groups):
        height = 0.45 * (number + 1)
        ax.plot([best - 0.04, worst + 0.04], [height] * 2, color=INK, lw=5, solid_capstyle="butt")
    title_axes(ax, title)
    return ax


def alike(ranks: Mapping[str, float], difference: float) -> list[tuple[float, float]]:
    """Returns the lowest and highest rank of each largest group within a difference, of two at least."""
    values = sorted(ranks.values())
    groups: list[tuple[int, int]] = []
    for first, best in enumerate(values):
        last = max(i for i, rank in enumerate(values) if rank <= best + difference)
        if last > first and not (groups and groups[-1][1] == last):
            groups.append((first, last))
    return [(values[first], values[last]) for first, last in groups]


def _named(name: str, rank: float) -> str:
    return f"{name}  {rank:.2f}"


def _draw_axis(axes: Axes, low: int, high: int, difference: float) -> None:
    """Draws the axis of ranks, its numbers above it, and above those how long the critical difference is."""
    axes.plot([low, high], [0, 0], color=INK, lw=1.4, clip_on=False)
    style: dict[str, Any] = {"color": GREY, "size": text_size(axes, 12.5), "parse_math": False}
    ticks = list(range(low, high + 1, ceil((high - low + 1) / 12)))
    for rank in ticks:
        axes.plot([rank, rank], [0, -0.25], color=INK, lw=1.4, clip_on=False)
        axes.annotate(f"{rank}", (rank, -0.35), ha="center", va="bottom", annotation_clip=False, **style)
    words = f"critical difference {difference:.2f}"
    if difference <= high - low:
        ends = [high, high - difference]
        axes.plot(ends, [-1.55] * 2, color=INK, lw=2, marker="|", ms=9, clip_on=False)
    else:
        words += ", longer than the axis"
    axes.annotate(
        words, (high, -1.8), ha="left", va="bottom", annotation_clip=False, **style | {"color": INK}
    )


def _draw_name(axes: Axes, name: str, rank: float, height: float, right: bool) -> None:
    """Draws the line from a rank down and out to its name, beside the axis."""
    side = axes.get_xlim()[1 if right else 0]
    axes.plot([rank, rank, side], [0, height, height], color=GREY, lw=1.2, clip_on=False)
    style: dict[str, Any] = {"size": text_size(axes, 13.5), "weight": "bold", "parse_math": False}
    place: dict[str, Any] = {
        "textcoords": "offset points",
        "va": "center",
        "ha": "left" if right else "right",
    }
    axes.annotate(name, (side, height), (8 if right else -8, 0), annotation_clip=False, **place, **style)
