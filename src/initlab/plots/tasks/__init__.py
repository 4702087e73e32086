"""How the answers to each task look: two classes, many classes, or a regression's values, as colours or, over
a lone input, as a curve.

The styles are made from the training labels Y (n_y, m) and the names of the classes. They are alike:

- ``palette`` has the colours of the pictures.
- ``show(answers, side)`` returns the heat of finite answers (n_y, k²) in a square of side pixels, and the
  lines where the answer changes.
- ``markers(unit, most, **style)`` returns the markers of the training points, or of ``most`` of them, at
  (2, m) in fractions of the sides.
- ``legend_width(size)`` returns the pixels that a legend takes to the right of a box, with letters of a size.
- ``draw_legend(figure, beside, size)`` draws what the colours mean to the right of a box.
- ``line_on_top`` says whether the lines lie over the points.
"""

from collections.abc import Sequence
from math import log
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import to_rgb
from matplotlib.path import Path as Outline

from initlab.plots.plane import Plane, Quantity
from initlab.plots.raster import NOWHERE, Pixels, packed
from initlab.plots.style import UNKNOWN
from initlab.plots.tasks.curve import Curve
from initlab.plots.tasks.many_classes import ManyClasses
from initlab.plots.tasks.regression import Regression
from initlab.plots.tasks.two_classes import TwoClasses
from initlab.types import Array

TaskStyle = TwoClasses | ManyClasses | Regression | Curve
STYLES: dict[str, type[TwoClasses | ManyClasses | Regression]] = {
    "binary": TwoClasses,
    "classes": ManyClasses,
    "regression": Regression,
}


class Chance(NamedTuple):
    """The cost of answers that ignore the inputs, to measure others by, and what to call it."""

    cost: float | None
    label: str


def view_of(
    X: Array, Y: Array, task: str, classes: Sequence[str] = (), quantities: Sequence[Quantity] = ()
) -> tuple[TaskStyle, Plane]:
    """Returns the style of a task's answers over training points X (n_x, m) with labels Y (n_y, m), and the
    plane that they are shown on. A regression on one input is a curve.

    ``quantities`` are the inputs and then, where it is known, the target of a regression.
    """
    if task == "regression" and len(X) == 1:
        plane = Plane(X, quantities, target=Y[0])
        return Curve(plane), plane
    if task == "regression" and len(quantities) > len(X):
        return Regression(Y, target=quantities[-1]), Plane(X, quantities)
    return style_for(task, Y, classes), Plane(X, quantities)


def layers_of(style: TaskStyle, line: Artist, markers: Sequence[Artist]) -> list[Artist]:
    """Returns the lines and the markers in the order in which they are drawn."""
    return [*markers, line] if style.line_on_top else [line, *markers]


def style_for(task: str, Y: Array, classes: Sequence[str] = ()) -> TaskStyle:
    """Returns the style of a task's answers over training labels Y (n_y, m)."""
    if task not in STYLES:
        raise ValueError(f"task {task!r} is not one of {', '.join(STYLES)}")
    return STYLES[task](Y, classes)


def shown(style: TaskStyle, answers: Array | None, side: int) -> tuple[Pixels, Outline]:
    """Returns the heat and the lines of answers in a square: grey, without lines, if they are not known."""
    if answers is None or not np.isfinite(answers).all():
        return np.full((side, side), packed([to_rgb(UNKNOWN)])[0]), NOWHERE
    return style.show(answers, side)


def chance_of(task: str, Y: Array) -> Chance:
    """Returns the cost of the best answer that is the same for every example, and what to call it.

    For classes that is the entropy of their shares, (ln K, "chance: ln K") where K classes have as many
    examples each. For a standardised target it is (0.5, "the mean: 0.5"), half the mean square; for several
    so much for each.
    """
    if task == "regression":
        return Chance(0.5 * len(Y), f"the mean: {0.5 * len(Y):g}")
    shares = Y.mean(axis=1)
    if task == "binary":
        shares = np.array([1 - shares[0], shares[0]])
    cost = abs(float(np.sum(shares * np.log(np.where(shares > 0, shares, 1)))))
    written, equal = f"{cost:.3g}", f"{log(len(shares)):.3g}"
    label = f"chance: ln {len(shares)}" if written == equal else f"same answer for all: {written}"
    return Chance(cost, label)
