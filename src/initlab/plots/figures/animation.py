"""A boundary as it forms: pictures, one after another, as one moving picture."""

from collections.abc import Sequence
from io import BytesIO

from PIL import Image

FORMATS = ("gif", "webp")
FRAME, LAST = 120, 3000  # milliseconds that a picture, and the last one, stay


def animation(images: Sequence[Image.Image], kind: str) -> bytes:
    """Returns pictures of one size as a "gif" or a "webp" that begins again at its end.

    The last picture stays longer than the others. Another kind, or no picture, raises ValueError.

    A canvas's pictures bring the palette of their colours, which a GIF takes.
    """
    if kind not in FORMATS:
        raise ValueError(f"kind {kind!r} is not one of {', '.join(FORMATS)}")
    if not images:
        raise ValueError("there are no pictures to animate")
    shown = [_indexed(image) for image in images] if kind == "gif" else list(images)
    duration = [FRAME] * (len(shown) - 1) + [LAST]
    how = {"disposal": 1, "optimize": True} if kind == "gif" else {"quality": 70, "method": 4}
    buffer = BytesIO()
    shown[0].save(buffer, kind, save_all=True, append_images=shown[1:], duration=duration, loop=0, **how)
    return buffer.getvalue()


def _indexed(image: Image.Image) -> Image.Image:
    return image.quantize(palette=image.info["palette"], dither=Image.Dither.NONE)
