"""What pictures are drawn on: figures and axes in one look, and sheets to draw upon again and again.

Figures have 72 dots an inch: every size, of fonts and lines too, is in pixels.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image

from initlab.plots.palette import FRAME, GREY

Packed = NDArray[np.uint32]  # pixels, each the four bytes of its RGBA


class Box(NamedTuple):
    """A rectangle of pixels, measured from the picture's top left."""

    left: int
    top: int
    width: int
    height: int


class Sheet:
    """A figure drawn once, to be drawn upon again and again."""

    def __init__(self, figure: Figure) -> None:
        canvas: Any = FigureCanvasAgg(figure)  # its methods have no types
        canvas.draw()
        self._renderer = canvas.get_renderer()
        self._pixels: Packed = np.asarray(canvas.buffer_rgba()).view(np.uint32)[..., 0]
        self._blank = self._pixels.copy()

    def draw(self, artists: Iterable[Artist], heats: Mapping[Box, Packed] | None = None) -> Image.Image:
        """Returns an RGB picture of the figure, with heats in their boxes and the artists over them."""
        self._pixels[:] = self._blank
        for (left, top, width, height), heat in (heats or {}).items():
            self._pixels[top : top + height, left : left + width] = heat
        for artist in artists:
            artist.draw(self._renderer)
        height, width = self._pixels.shape
        return Image.frombytes("RGB", (width, height), self._pixels, "raw", "RGBX")


def new_figure(width: int, height: int) -> Figure:
    """Returns a figure of width and height in pixels."""
    return Figure((width / 72, height / 72), dpi=72)


def new_axes(figure: Figure, box: Box, size: float = 12.5) -> Axes:
    """Returns new axes in a box of the figure, with thin grey lines."""
    width, height = figure.bbox.size
    bottom = height - box.top - box.height
    axes = figure.add_axes((box.left / width, bottom / height, box.width / width, box.height / height))
    axes.spines[:].set(color=FRAME, linewidth=1)
    axes.tick_params(which="both", color=FRAME, labelcolor=GREY, labelsize=size, width=1)
    axes.xaxis.label.set(color=GREY, size=size)
    axes.yaxis.label.set(color=GREY, size=size)
    return axes


def unit_frame(transform: Any) -> Rectangle:
    """Returns a frame like that of axes round the unit square, to be drawn again where a heat covered it."""
    return Rectangle((0, 0), 1, 1, fill=False, ec=FRAME, lw=1, transform=transform)
