"""Text, written by Pillow, which takes a twentieth of matplotlib's time."""

from bisect import bisect_right
from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

from initlab.plots.palette import GREY, INK
from initlab.plots.sheet import Box


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
