"""What a network answers, as colours: logits, their tints and the bar that explains them."""

from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from initlab.activations import Array
from initlab.plots.palette import CLASS_COLORS, CLASS_MARKERS, TINTS, UNKNOWN
from initlab.plots.plane import RESOLUTION
from initlab.plots.sheet import Box, Packed, new_axes

STEEPEST = 5.0  # logits are coloured up to here, where P = 0.993


def logits_of(probabilities: Array | None) -> Array | None:
    """Returns log(p / (1 − p)) (k, k), or None if it is unknown somewhere.

    Logits are what a network is smooth (with ReLU, piecewise linear) in, so between the points of the
    mesh they are right where probabilities, steep at the boundary, would make stairs.
    """
    if probabilities is None or not np.isfinite(probabilities).all():
        return None
    p = probabilities.astype(np.float64).reshape(RESOLUTION, RESOLUTION)
    p = np.clip(p, 1e-16, 1 - 1.2e-16)
    logits: Array = np.log(p) - np.log1p(-p)
    return logits


def heat_of(logits: Array | None, side: int) -> Packed:
    """Returns the colours (side, side) of P(class 1)."""
    if logits is None:
        return np.full((side, side), _packed([to_rgb(UNKNOWN)])[0])
    levels = np.rint(127 + 127 * np.clip(logits / STEEPEST, -1, 1)).astype(np.uint8)
    # The mesh reaches from edge to edge, so the outermost samples' outer halves are cut off.
    inner = (0.5, 0.5, RESOLUTION - 0.5, RESOLUTION - 0.5)
    image = Image.fromarray(levels).resize((side, side), Image.Resampling.BILINEAR, box=inner)
    return _level_colors().take(np.asarray(image))


@lru_cache(maxsize=1)
def _level_colors() -> Packed:
    """Returns the colours (255,) of logits from −STEEPEST to STEEPEST."""
    p = 1 / (1 + np.exp(-np.linspace(-STEEPEST, STEEPEST, 255)))
    return _packed(TINTS(p)[:, :3])


def _packed(colors: Any) -> Packed:
    """Returns colours (n, 3), from 0 to 1, as packed opaque pixels (n,)."""
    rgb = np.rint(255 * np.asarray(colors)).astype(np.uint8)
    rgba = np.concatenate([rgb, np.full_like(rgb[:, :1], 255)], axis=1)
    return rgba.view(np.uint32)[:, 0]


def draw_color_bar(figure: Figure, beside: Box, size: float = 12.5) -> None:
    """Draws the colours of P(class 1) to the right of a box, and each class's marker at its end."""
    left = beside.left + beside.width + 16
    axes = new_axes(figure, Box(left, beside.top + 20, 12, beside.height - 40), size)
    axes.imshow(np.linspace(1, 0, 256)[:, None], cmap=TINTS, extent=(0, 1, 0, 1), aspect="auto")
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set(xticks=[], yticks=[0, 0.5, 1], ylabel="P(class 1)")
    axes.set_yticklabels(["0", "0.5", "1"])
    height = beside.height - 40
    for end, color, marker in zip((-11, height + 11), CLASS_COLORS, CLASS_MARKERS, strict=True):
        axes.plot(0.5, end / height, marker, c=color, ms=9, mec="white", clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 1))
