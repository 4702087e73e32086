"""Pictures one after another, as one moving picture."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image

FORMATS = ("gif", "webp")
APART = 12  # of 255: how different the colours of a GIF are at least


def animation(frames: Sequence[Image.Image], ms: Sequence[int], format: str) -> bytes:  # noqa: A002
    """Returns pictures that a Boundary has drawn as an endless "gif" or "webp", each shown for its ``ms``.

    Another format raises ValueError. A GIF has fewer tints than the pictures, which halves its size; a WebP
    has them all.

    >>> import numpy as np
    >>> from initlab.plots import Boundary, animation
    >>> boundary = Boundary(np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([[0.0, 1.0]]))
    >>> frames = [boundary.draw(np.full(100**2, p), f"P = {p}") for p in (0.1, 0.9)]
    >>> animation(frames, [100, 900], "gif")[:6]
    b'GIF89a'
    """
    if format not in FORMATS:
        raise ValueError(f"format {format!r} is not one of {', '.join(FORMATS)}")
    # every frame of the WebP is what differs from the one before (kmax=0): a still picture takes a fifth
    settings = {"quality": 80, "method": 3, "kmax": 0} if format == "webp" else {"disposal": 1}
    shown = list(frames) if format == "webp" else _in_few_colors(frames)
    buffer = BytesIO()
    first, *others = shown
    first.save(buffer, format, save_all=True, append_images=others, duration=list(ms), loop=0, **settings)
    return buffer.getvalue()


def _in_few_colors(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """Returns pictures in the nearest colours of a palette, without dots, which would flicker."""
    palette = _thinned(frames[0].info["palette"])
    return [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]


def _thinned(palette: Image.Image) -> Image.Image:
    """Returns a palette without colours that are near to others; white, dark and full colours stay."""
    colors = np.array(palette.getpalette()).reshape(-1, 3)
    kept = np.full((1, 3), 255)
    for color in colors[np.argsort(colors.min(axis=1), kind="stable")]:
        if (np.abs(kept - color).max(axis=1) >= APART).all():
            kept = np.concatenate([kept, color[np.newaxis]])
    thinned = Image.new("P", (1, 1))
    thinned.putpalette(kept.astype(np.uint8).tobytes())
    return thinned
