"""What all pictures share: colours, figures and axes, and the markers of training points.

Figures have 72 dots an inch, so every size, of fonts and lines too, is in pixels.
"""

from collections.abc import Iterable
from math import ceil, log10
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from initlab import palette
from initlab.types import Array

# Probabilities get light tints of the classes' colours, so that points stand out.
CLASS_COLORS = palette.CLASS_COLORS
CURVE_COLORS = palette.CURVE_COLORS
CLASS_MARKERS = ("o", "^")
TINTS = LinearSegmentedColormap.from_list("P(class 1)", ["#96c7e8", "#ffffff", "#fcc887"], N=255)
# From −1 to 1: what converged, in blues, and what diverged, in oranges, the deeper the slower.
CONVERGES = LinearSegmentedColormap.from_list(
    "converges", ["#04203c", "#0072b2", "#bfe3f7", "#fff1d6", "#e87a12", "#5a1e00"], N=512
)
INK, GREY, FRAME, GRID, UNKNOWN = palette.INK, palette.GREY, palette.FRAME, palette.GRID, palette.UNKNOWN

# Six of Okabe and Ito's colours and the four that are farthest from them and each other, in full and as
# tints, under simulated protanopia, deuteranopia and tritanopia (Machado, Oliveira & Fernandes 2009).
# Their number and that of the markers have no common divisor, so 70 classes look different.
MORE_COLORS = ("#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5500bb", "#990000", "#bbbb77", "#770055")
MANY_COLORS = CLASS_COLORS + MORE_COLORS
MANY_MARKERS = ("o", "^", "s", "D", "v", "P", "X")
SCALE = colormaps["viridis"]
HALO = withStroke(linewidth=3, foreground="#ffffffb0")  # round text that lies over curves
MOST_POINTS = 1000  # more training points would hide the picture


class Box(NamedTuple):
    """A rectangle of pixels, measured from the picture's top left."""

    left: int
    top: int
    width: int
    height: int


def new_figure(width: int, height: int) -> Figure:
    """Returns a figure of width and height in pixels."""
    return Figure((width / 72, height / 72), dpi=72)


def new_axes(figure: Figure, box: Box, size: float = 12.5) -> Axes:
    """Returns new axes in a box of the figure, with thin grey lines and labels of a size."""
    width, height = figure.bbox.size
    bottom = height - box.top - box.height
    axes = figure.add_axes((box.left / width, bottom / height, box.width / width, box.height / height))
    axes.spines[:].set(color=FRAME, linewidth=1)
    axes.tick_params(which="both", color=FRAME, labelcolor=GREY, labelsize=size, width=1)
    axes.xaxis.label.set(color=GREY, size=size)
    axes.yaxis.label.set(color=GREY, size=size)
    return axes


def text_size(axes: Axes, most: float) -> float:
    """Returns the size of text that suits axes, a little larger than their labels but at most so large."""
    return min(most, float(axes.xaxis.label.get_fontsize()) + 1)


def unit_frame(transform: Any) -> Rectangle:
    """Returns a frame like that of axes round the unit square, to be drawn again where a heat covered it."""
    return Rectangle((0, 0), 1, 1, fill=False, ec=FRAME, lw=1, transform=transform)


def color_bar(figure: Figure, beside: Box, size: float, colors: Colormap, steps: int, ends: Any) -> Axes:
    """Returns axes to the right of a box that show colours in steps, those of values between two ends."""
    box = Box(beside.left + beside.width + 16, beside.top + 20, 12, beside.height - 40)
    axes = new_axes(figure, box, size)
    axes.imshow(np.linspace(1, 0, steps)[:, None], cmap=colors, extent=(0, 1, *ends), aspect="auto")
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_xticks([])
    return axes


def scale_values(axes: Axes, low: float, high: float, logarithmic: bool, most_ticks: tuple[int, int]) -> None:
    """Scales the axis of values from low to high over a light grid.

    ``most_ticks`` are the numbers of ticks wanted on a linear axis and on a logarithmic one.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID, linewidth=1)
    axes.set_axisbelow(True)
    if logarithmic:
        axes.set_yscale("log")
        few = log10(high) - log10(low) < 2.5
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=most_ticks[1]))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(most_ticks[0]))
    axes.set_ylim(low, high)


def class_markers(
    unit: Array, labels: NDArray[Any], looks: Iterable[tuple[str, str, str]], most: int, **style: Any
) -> list[Artist]:
    """Returns the markers of points (2, m), or of ``most`` of them, by their labels (m,) of 0, 1, ….

    ``looks`` are each class's name, colour and marker.
    """
    every = ceil(unit.shape[1] / most)
    points, labels = unit[:, ::every], labels[::every]
    style |= {"ls": "", "mec": "white"}
    return [
        Line2D(*points[:, labels == number], marker=marker, mfc=color, label=name, **style)
        for number, (name, color, marker) in enumerate(looks)
    ]
