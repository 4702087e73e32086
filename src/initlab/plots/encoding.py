"""Pictures as bytes of PNG and WebP files."""

from io import BytesIO

from matplotlib.figure import Figure
from PIL import Image

from initlab.plots.two_classes import two_class_palette


def png(image: Image.Image) -> bytes:
    """Returns a picture as PNG, in the nearest colours of the palette that it names, or that of two classes.

    That takes a fifth of the time and less than half the size of all colours.
    """
    buffer = BytesIO()
    palette = image.info.get("palette") or two_class_palette()
    indexed = image.quantize(palette=palette, dither=Image.Dither.NONE)
    indexed.save(buffer, "png", compress_level=1)
    return buffer.getvalue()


def figure_png(figure: Figure) -> bytes:
    """Returns a figure as PNG, the same bytes wherever it is drawn by one version of matplotlib."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def webp(image: Image.Image, side: int = 256) -> bytes:
    """Returns a picture as WebP, shrunk to at most ``side`` pixels in width and height."""
    scale = min(1.0, side / max(image.size))
    size = round(scale * image.width), round(scale * image.height)
    buffer = BytesIO()
    image.resize(size, Image.Resampling.BOX).save(buffer, "webp", quality=75, method=0)
    return buffer.getvalue()
