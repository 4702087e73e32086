"""Titles, names of curves and numbers in figures that matplotlib draws whole."""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initlab.plots.raster import cut, dejavu
from initlab.plots.style import GREY, INK, text_size
from initlab.types import Array

_BOTTOM, _TOP = 0.02, 0.98  # between which curves are named
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def title_figure(figure: Figure, left: float, title: str, subtitle: str) -> None:
    """Writes a bold title and a grey subtitle at the top of a figure, from ``left`` pixels on."""
    width, height = figure.bbox.size
    style: dict[str, Any] = {"va": "baseline", "parse_math": False}
    figure.text(left / width, 1 - 34 / height, title, size=19, weight="bold", color=INK, **style)
    figure.text(left / width, 1 - 58 / height, subtitle, size=14.5, color=GREY, **style)


def fitted(text: str, face: str, sizes: tuple[float, float], width: float) -> tuple[str, float]:
    """Returns text for a width, in two lines if it has a space and one would be small, and its size.

    It is set in a face of DejaVu, at most at the first of the sizes; what is too long at the second is cut.
    """
    most, least = sizes
    lines = [text]
    if _size_for(lines, face, most, width) < 0.7 * most:
        lines = min(_splits(text), key=lambda halves: max(map(len, halves)))
    size = _size_for(lines, face, most, width)
    if size < least:
        lines, size = [cut(line, dejavu(face, least), width) for line in lines], least
    return "\n".join(lines), size


def _splits(text: str) -> list[list[str]]:
    """Returns the text whole, and in two lines at each of its spaces."""
    words = text.split(" ")
    pairs = [[" ".join(words[:n]), " ".join(words[n:])] for n in range(1, len(words))]
    return [[text], *pairs]


def _size_for(lines: Sequence[str], face: str, most: float, width: float) -> float:
    """Returns the size, ``most`` at most, at which the lines fit into a width."""
    longest = max(dejavu(face, 100).getlength(line) / 100 for line in lines)
    return min(most, 0.98 * width / max(longest, 1e-9))


def title_axes(axes: Axes, title: str, pad: float = 10) -> None:
    """Writes a bold title ``pad`` pixels above axes, from their left at most to the end of the figure."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    most = text_size(axes, 16)
    text, size = fitted(title, "Sans-Bold", (most, 0.6 * most), figure.bbox.width - axes.bbox.x0 - 16)
    axes.set_title(text, loc="left", weight="bold", size=size, color=INK, pad=pad, parse_math=False)


def widest(texts: Iterable[str], face: str, size: float) -> int:
    """Returns the pixels that the widest of the texts takes in a face of DejaVu; 0 of none."""
    return ceil(max((dejavu(face, size).getlength(text) for text in texts), default=0))


def name_heights(axes: Axes, ends: Sequence[float], gap: float) -> Array:
    """Returns how high on the axes, from 0 to 1, to name curves (n,) by the values at which they end.

    The names stand at the ends, moved apart where needed, so that none is nearer to another than gap, and as
    many as have room not beyond the axes, among labels and titles.
    """
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = to_axes.transform([(0, end) for end in ends])[:, 1]
    order = np.argsort(heights)
    steps = gap * np.arange(len(heights))
    slack = heights[order] - steps
    up, down = np.maximum.accumulate(slack), np.minimum.accumulate(slack[::-1])[::-1]
    apart = (up + down) / 2 + steps  # halfway between moving all up and moving all down
    apart = np.maximum(np.minimum(apart, _TOP - steps[::-1]), _BOTTOM + steps)
    spread = np.empty_like(heights)
    spread[order] = apart
    return spread


def number_text(value: float, most: float = 1e6) -> str:
    """Returns a number for an axis: in digits, or with a power of ten from ``most`` on and below 0.0001."""
    if value and not 1e-4 <= abs(value) < most:
        mantissa, exponent = f"{value:.3e}".split("e")
        power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
        factor = f"{float(mantissa):g}"
        return power if factor == "1" else f"{factor}·{power}".replace("-", "−")
    return f"{value:,.6g}".replace("-", "−")
