"""Heats: what a network answers on a mesh, as the pixels of a square."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.path import Path as Outline
from numpy.typing import NDArray
from PIL import Image

from initlab.plots.palette import UNKNOWN
from initlab.plots.plane import RESOLUTION
from initlab.plots.sheet import Packed
from initlab.types import Array

STEEPEST = 5.0  # logits are coloured up to here, where P = 0.993
LEVELS = 255  # of a heat; an odd number has one in the middle


class Shown(NamedTuple):
    """What is drawn of a network in a square: its heat and the lines where its answer changes."""

    heat: Packed
    lines: Outline


def logits_of(probabilities: Array) -> Array:
    """Returns log(p / (1 − p)), in double precision and finite.

    Logits are what a network is smooth (with ReLU, piecewise linear) in, so between the points of the
    mesh they are right where probabilities, steep at the boundary, would make stairs.
    """
    p = np.clip(probabilities.astype(np.float64), 1e-16, 1 - 1.2e-16)
    logits: Array = np.log(p) - np.log1p(-p)
    return logits


def logit_levels(logits: Array, side: int) -> NDArray[np.uint8]:
    """Returns the levels (side, side) of logits (k, k), from −STEEPEST to STEEPEST."""
    middle = LEVELS // 2
    return enlarged(middle + middle * np.clip(logits / STEEPEST, -1, 1), side)


def level_probabilities() -> Array:
    """Returns the probability (LEVELS,) that each level of logits means."""
    p: Array = 1 / (1 + np.exp(-np.linspace(-STEEPEST, STEEPEST, LEVELS)))
    return p


def enlarged(levels: Array, side: int) -> NDArray[np.uint8]:
    """Returns levels (k, k), from 0 to LEVELS − 1, over a square of pixels (side, side)."""
    # The mesh reaches from edge to edge, so the outermost samples' outer halves are cut off.
    inner = (0.5, 0.5, RESOLUTION - 0.5, RESOLUTION - 0.5)
    image = Image.fromarray(np.rint(levels).astype(np.uint8))
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR, box=inner))


def packed(colors: Any) -> Packed:
    """Returns colours (n, 3), from 0 to 1, as packed opaque pixels (n,)."""
    rgb = np.rint(255 * np.asarray(colors)).astype(np.uint8)
    rgba = np.concatenate([rgb, np.full_like(rgb[:, :1], 255)], axis=1)
    return rgba.view(np.uint32)[:, 0]


def unknown_heat(side: int) -> Packed:
    """Returns the heat (side, side) of answers that are not known."""
    return np.full((side, side), packed([to_rgb(UNKNOWN)])[0])
