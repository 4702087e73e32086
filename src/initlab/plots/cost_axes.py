"""Axes for costs: the range that they show, their scale, and the cost of chance."""

from collections.abc import Sequence
from math import floor, log, log10
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from initlab.plots.palette import GREY, GRID
from initlab.types import Array

NAME_HEIGHT = 0.1  # of an axis, at most
CHANCE = log(2)  # the cost of answering 0.5 to everything


class Chance(NamedTuple):
    """The cost of answers that ignore the inputs, to measure others by, and what to call it."""

    cost: float | None
    label: str


def chance_of_classes(shares: Array) -> Chance:
    """Returns the cost of the best answer that is the same for every example: the entropy of the classes'
    shares (K,) of the examples, ln K where they are equal.
    """
    cost = abs(float(np.sum(shares * np.log(np.where(shares > 0, shares, 1)))))
    written, equal = f"{cost:.3g}", f"{log(len(shares)):.3g}"
    label = f"chance: ln {len(shares)}" if written == equal else f"same answer for all: {written}"
    return Chance(cost, label)


def cost_range(cost: Array, chance: float | None = None) -> tuple[float, float]:
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


def label_costs(axes: Axes, iterations: int, low: float, high: float) -> None:
    """Scales axes for costs from low to high, logarithmic unless low is 0."""
    axes.set(xlabel="iteration", ylabel="cost", xlim=(-iterations / 100, iterations))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID, linewidth=1)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    if low > 0:
        axes.set_yscale("log")
        few = log10(high) - log10(low) < 2.5
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=8))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(low, high)
    plain = FuncFormatter(lambda value, _: f"{value:,.6g}")
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)


def mark_chance(axes: Axes, chance: Chance, below: bool) -> None:
    """Draws a dashed line at the cost of chance, if it is in view, with its name above, or below if there
    is room.
    """
    low, high = axes.get_ylim()
    if chance.cost is not None and low < chance.cost < high:
        below = below and _height(chance.cost, low, high) > NAME_HEIGHT
        axes.axhline(chance.cost, color=GREY, lw=1, ls=(0, (4, 3)))
        axes.annotate(
            chance.label,
            (1, chance.cost),
            xycoords=axes.get_yaxis_transform(),
            xytext=(-4, -4 if below else 4),
            textcoords="offset points",
            ha="right",
            va="top" if below else "bottom",
            size=12,
            color=GREY,
            clip_on=True,
            parse_math=False,
        )
