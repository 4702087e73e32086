"""Pictures made of pixels: what matplotlib drew once, with heats, contours and text laid over it.

A heat is what a network answers on the mesh of a plane, as the colours of a square. Text is written by
Pillow, which takes a twentieth of matplotlib's time.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from contourpy import LineType, contour_generator
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from initlab.plots.plane import RESOLUTION
from initlab.plots.style import CLASS_COLORS, GREY, INK, TINTS, UNKNOWN, Box
from initlab.types import Array

Pixels = NDArray[np.uint32]  # each the four bytes of its RGBA

STEEPEST = 5.0  # logits are coloured up to here, where P = 0.993
LEVELS = 255  # of a heat; an odd number has one in the middle
LEVEL_PROBABILITIES = 1 / (1 + np.exp(-np.linspace(-STEEPEST, STEEPEST, LEVELS)))
NOWHERE = Outline(np.empty((0, 2)))


class Canvas:
    """A figure drawn once, to be drawn upon again and again; a palette has the colours of its pictures."""

    def __init__(self, figure: Figure, palette: Image.Image | None = None) -> None:
        agg: Any = FigureCanvasAgg(figure)  # its methods have no types
        agg.draw()
        self._renderer = agg.get_renderer()
        self._pixels: Pixels = np.asarray(agg.buffer_rgba()).view(np.uint32)[..., 0]
        self._blank = self._pixels.copy()
        self._palette = palette or STANDARD_PALETTE

    def draw(self, artists: Iterable[Artist], heats: Mapping[Box, Pixels] | None = None) -> Image.Image:
        """Returns an RGB picture of the figure, with heats in their boxes and the artists over them."""
        self._pixels[:] = self._blank
        for (left, top, width, height), heat in (heats or {}).items():
            self._pixels[top : top + height, left : left + width] = heat
        for artist in artists:
            artist.draw(self._renderer)
        height, width = self._pixels.shape
        image = Image.frombytes("RGB", (width, height), self._pixels, "raw", "RGBX")
        image.info["palette"] = self._palette
        return image


def logits_of(probabilities: Array) -> Array:
    """Returns log(p / (1 − p)), in double precision and finite, of probabilities (K, k²) as (K, k, k).

    Logits are what a network is smooth (with ReLU, piecewise linear) in, so between the points of the
    mesh they are right where probabilities, steep at the boundary, would make stairs.
    """
    p = np.clip(probabilities.astype(np.float64), 1e-16, 1 - 1.2e-16).reshape(-1, RESOLUTION, RESOLUTION)
    logits: Array = np.log(p) - np.log1p(-p)
    return logits


def logit_levels(logits: Array, side: int) -> NDArray[np.uint8]:
    """Returns the levels (side, side) of logits (k, k), from −STEEPEST to STEEPEST."""
    middle = LEVELS // 2
    return enlarged(middle + middle * np.clip(logits / STEEPEST, -1, 1), side)


def enlarged(levels: Array, side: int) -> NDArray[np.uint8]:
    """Returns levels (k, k), from 0 to LEVELS − 1, over a square of pixels (side, side)."""
    # The mesh reaches from edge to edge, so the outermost samples' outer halves are cut off.
    inner = (0.5, 0.5, RESOLUTION - 0.5, RESOLUTION - 0.5)
    image = Image.fromarray(np.rint(levels).astype(np.uint8))
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR, box=inner))


def packed(colors: Any) -> Pixels:
    """Returns colours (n, 3), from 0 to 1, as opaque pixels (n,)."""
    rgb = np.rint(255 * np.asarray(colors)).astype(np.uint8)
    rgba = np.concatenate([rgb, np.full_like(rgb[:, :1], 255)], axis=1)
    return rgba.view(np.uint32)[:, 0]


def contours_of(fields: Iterable[Array]) -> Outline:
    """Returns the lines where any field (k, k) crosses 0, in fractions of the sides, if any."""
    steps = np.linspace(0, 1, RESOLUTION)
    outlines = []
    for field in fields:
        contours = contour_generator(steps, steps[::-1], field, line_type=LineType.ChunkCombinedCode)
        chunks: Any = contours.lines(0)  # of this line type: points and codes, in lists of one
        (points,), (codes,) = chunks
        if points is not None:
            outlines.append(Outline(points, codes))
    return Outline.make_compound_path(*outlines)


def contour_line(transform: Any, width: float, contours: Outline = NOWHERE) -> PathPatch:
    """Returns the line along contours, whose transform leads from fractions of the sides to pixels."""
    return PathPatch(contours, fill=False, ec=INK, lw=width, transform=transform)


def write_titles(image: Image.Image, title: str, subtitle: str, box: Box) -> None:
    """Writes a bold title and a grey subtitle above a box."""
    width = image.width - box.left - 8
    write(image, (box.left, 31), title, "Sans-Bold", 19, width=width)
    write(image, (box.left, 55), subtitle, "Sans", 14.5, GREY, width=width)


def write(
    image: Image.Image,
    at: tuple[float, float],
    text: str,
    face: str,
    size: float,
    color: str = INK,
    anchor: str = "ls",
    width: float = float("inf"),
) -> None:
    """Writes text in a face of DejaVu, with Pillow's anchor ``at`` (x, y) from the top left.

    A text wider than width is set smaller, by a quarter at most, then cut.
    """
    font = dejavu(face, size)
    if font.getlength(text) > width:
        font = dejavu(face, max(0.75 * size, size * width / font.getlength(text)))
        text = cut(text, font, width)
    ImageDraw.Draw(image).text(at, text, color, font, anchor)


def cut(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """Returns the text, or as much of its start as fits and an ellipsis."""
    if font.getlength(text) <= width:
        return text
    fitting = bisect_right(range(len(text)), width, key=lambda n: font.getlength(text[:n] + "…"))
    return text[: max(fitting - 1, 0)].rstrip() + "…"


@lru_cache(maxsize=16)
def dejavu(face: str, size: float) -> ImageFont.FreeTypeFont:
    """Returns a face of DejaVu, which comes with matplotlib."""
    path = Path(mpl.get_data_path(), "fonts", "ttf", f"DejaVu{face}.ttf")
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def palette_of(*colors: Array) -> Image.Image:
    """Returns an image whose palette holds the colours (n, 3), 256 at most in all."""
    table = np.rint(255 * np.concatenate(colors))
    # Pillow looks colours up in steps of four, so white stays white only without near neighbours.
    table = table[(table.min(axis=1) < 245) | (table.min(axis=1) == 255)]
    image = Image.new("P", (1, 1))
    image.putpalette(table.astype(np.uint8).tobytes())
    return image


def blends(inks: Iterable[Any], papers: Iterable[Any], steps: int) -> Array:
    """Returns the colours (n, 3) between each ink and each paper, in so many steps, ends included."""
    shares = np.linspace(0, 1, steps)
    pairs = [(to_rgb(ink), to_rgb(paper)) for ink in inks for paper in papers]
    return np.concatenate([np.outer(1 - shares, paper) + np.outer(shares, ink) for ink, paper in pairs])


# The tints of two classes, and each ink's blends with white and with the tints.
STANDARD_PALETTE = palette_of(
    TINTS(np.linspace(0, 1, 101))[:, :3],
    blends((*CLASS_COLORS, INK, GREY), (UNKNOWN, *TINTS([0.0, 0.5, 1.0])[:, :3]), 9),
)


def png(image: Image.Image) -> bytes:
    """Returns a canvas's picture as PNG, in the nearest colours of the palette that it brings.

    That takes a fifth of the time and less than half the size of all colours.
    """
    buffer = BytesIO()
    indexed = image.quantize(palette=image.info["palette"], dither=Image.Dither.NONE)
    indexed.save(buffer, "png", compress_level=1)
    return buffer.getvalue()


def figure_png(drawn: Figure | Axes) -> bytes:
    """Returns a figure, or that of axes, as PNG, the same bytes wherever one matplotlib draws it."""
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    assert figure is not None
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def webp(image: Image.Image) -> bytes:
    """Returns a picture as WebP, in all its colours; a small one takes a millisecond."""
    buffer = BytesIO()
    image.save(buffer, "webp", quality=75, method=0)
    return buffer.getvalue()
