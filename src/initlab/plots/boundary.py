"""Pictures of a run's decision boundary, or of the values that it predicts."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from PIL import Image

from initlab.plots.answers import look_of, shown
from initlab.plots.crossing import crossing_line
from initlab.plots.lettering import write_titles
from initlab.plots.marks import MOST_POINTS
from initlab.plots.palette import GREY
from initlab.plots.plane import Plane, Window
from initlab.plots.sheet import Box, Sheet, new_axes, new_figure, unit_frame
from initlab.types import Array


class Boundary:
    """Draws what networks answer over training points X (n_x, m) with labels Y (n_y, m) of a task.

    Tasks are "binary" (Y of 0 and 1), "classes" (one-hot) and "regression"; ``classes`` names the classes.
    ``points`` (n_x, k²) is where to evaluate a network: a square mesh, row by row from its top left, in the
    plane of the inputs, or of their first two principal components if there are more than two.
    """

    def __init__(self, X: Array, Y: Array, task: str = "binary", classes: Sequence[str] = ()) -> None:
        self._look, plane = look_of(task, Y, classes), Plane.of(X)
        coordinates = plane.coordinates(X)
        window = Window.around(coordinates)
        self.points = plane.inputs(window.mesh())
        self._box = Box(60, 70, 416, 416)
        width = self._box.left + self._box.width + self._look.legend_width(size=12.5)
        figure = new_figure(width, 532 + (22 if plane.note else 0))
        axes = new_axes(figure, self._box)
        _label_plane(axes, plane, window)
        figure.text(8 / width, 10 / figure.bbox.height, plane.note, size=11, color=GREY)
        self._look.draw_legend(figure, self._box, size=12.5)
        self._sheet = Sheet(figure)
        self._line = crossing_line(axes.transAxes, width=1.8)
        unit = window.unit(coordinates)
        marks = self._look.marks(unit, MOST_POINTS, transform=axes.transAxes, ms=8, mew=0.8)
        self._artists = [self._line, *marks, unit_frame(axes.transAxes)]
        for artist in self._artists:
            axes.add_artist(artist)

    def draw(self, answers: Array | None, title: str, subtitle: str = "") -> Image.Image:
        """Returns an RGB picture of a network's answers (n_y, k²) at ``points``; without them, of the data.

        Answers are P(class 1), which may be (k²,), the probabilities of all classes, or predicted values.
        """
        heat, lines = shown(self._look, answers, self._box.width)
        self._line.set_path(lines)
        image = self._sheet.draw(self._artists, {self._box: heat})
        image.info["palette"] = self._look.palette
        write_titles(image, title, subtitle, self._box)
        return image


def _label_plane(axes: Axes, plane: Plane, window: Window) -> None:
    """Labels axes, 1 by 1 in their own units, with the coordinates of a window."""
    starts = (window.x, window.y)
    for axis, start, name in zip((axes.xaxis, axes.yaxis), starts, plane.names, strict=True):
        axis.set_label_text(name)
        values = np.asarray(MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(start, start + window.side))
        inside = values[(values >= start) & (values <= start + window.side)] if name else np.empty(0)
        axis.set_ticks((inside - start) / window.side, [f"{value:.6g}".replace("-", "−") for value in inside])
    axes.set(xlim=(0, 1), ylim=(0, 1))
