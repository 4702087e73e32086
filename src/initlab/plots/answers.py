"""What a network answers, as a picture: a look for each task, alike in what it can do."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from PIL import Image

from initlab.plots.cost_axes import Chance
from initlab.plots.crossing import NOWHERE
from initlab.plots.heat import Shown, unknown_heat
from initlab.plots.many_classes import ManyClasses
from initlab.plots.sheet import Box
from initlab.plots.two_classes import TwoClasses
from initlab.plots.values import Values
from initlab.types import Array


class Look(Protocol):
    """How the answers to one task look, made from the training labels Y and the names of the classes."""

    palette: Image.Image  # has the colours of the pictures
    chance: Chance

    def __init__(self, Y: Array, classes: Sequence[str] = ()) -> None: ...

    def show(self, answers: Array, side: int) -> Shown:
        """Returns finite answers (n_y, k²) as drawn in a square of side pixels."""

    def marks(self, unit: Array, most: int, **style: Any) -> list[Artist]:
        """Returns the markers of the training points at (2, m), fractions of the sides, or of ``most``."""

    def legend_width(self, size: float) -> int:
        """Returns the pixels that a legend takes to the right of a box, with letters of a size."""

    def draw_legend(self, figure: Figure, beside: Box, size: float) -> None:
        """Draws what the colours mean to the right of a box."""

    def score(self, value: float) -> str:
        """Returns a run's score in words."""


LOOKS: Mapping[str, type[Look]] = {"binary": TwoClasses, "classes": ManyClasses, "regression": Values}


def look_of(task: str, Y: Array, classes: Sequence[str] = ()) -> Look:
    """Returns the look of a task's answers over training labels Y (n_y, m)."""
    if task not in LOOKS:
        raise ValueError(f"task {task!r} is not one of {', '.join(LOOKS)}")
    return LOOKS[task](Y, classes)


def chance_of(task: str, Y: Array) -> Chance:
    """Returns the cost of not looking at the inputs, and what to call it: (ln K, "chance: ln K") of K
    classes with as many examples each, else the entropy of their shares; (0.5, "the mean: 0.5") of a
    standardised target, where the cost is half the mean square.
    """
    return look_of(task, Y).chance


def shown(look: Look, answers: Array | None, side: int) -> Shown:
    """Returns answers as drawn in a square of side pixels: grey without lines if they are not known."""
    if answers is None or not np.isfinite(answers).all():
        return Shown(unknown_heat(side), NOWHERE)
    return look.show(answers, side)
