"""Titles, names of curves and numbers in figures that matplotlib draws whole."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initlab.plots.style import GREY, INK
from initlab.types import Array

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def title_figure(figure: Figure, left: float, title: str, subtitle: str) -> None:
    """Writes a bold title and a grey subtitle at the top of a figure, from ``left`` pixels on."""
    width, height = figure.bbox.size
    style: dict[str, Any] = {"va": "baseline", "parse_math": False}
    figure.text(left / width, 1 - 34 / height, title, size=19, weight="bold", color=INK, **style)
    figure.text(left / width, 1 - 58 / height, subtitle, size=14.5, color=GREY, **style)


def name_heights(axes: Axes, ends: Sequence[float], gap: float) -> Array:
    """Returns how high on the axes, from 0 to 1, to name curves (n,) by the values at which they end.

    The names stand at the ends, moved apart where needed, so that none is nearer to another than gap.
    """
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = to_axes.transform([(0, end) for end in ends])[:, 1]
    order = np.argsort(heights)
    steps = gap * np.arange(len(heights))
    slack = heights[order] - steps
    up, down = np.maximum.accumulate(slack), np.minimum.accumulate(slack[::-1])[::-1]
    spread = np.empty_like(heights)
    spread[order] = (up + down) / 2 + steps  # halfway between moving all up and moving all down
    return spread


def number_text(value: float) -> str:
    """Returns a number for an axis: in digits, or as a power of ten where it has too many."""
    if value and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.3e}".split("e")
        power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
        factor = f"{float(mantissa):g}"
        return power if factor == "1" else f"{factor}·{power}".replace("-", "−")
    return f"{value:,.6g}".replace("-", "−")
