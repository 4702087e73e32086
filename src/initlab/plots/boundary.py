"""Pictures of a run's decision boundary."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from PIL import Image

from initlab.activations import Array
from initlab.plots.crossing import crossing_line, crossing_of
from initlab.plots.heat import draw_color_bar, heat_of, logits_of
from initlab.plots.lettering import write_titles
from initlab.plots.plane import Window, class_marks
from initlab.plots.sheet import Box, Sheet, new_axes, new_figure, unit_frame


class Boundary:
    """Draws decision boundaries over training points X (2, m) with labels Y (1, m) of 0 and 1.

    ``points`` (2, k²) is where to evaluate a network: a square mesh, row by row from its top left.
    """

    def __init__(self, X: Array, Y: Array) -> None:
        window = Window.around(X)
        self.points = window.mesh()
        figure, self._box = new_figure(564, 532), Box(60, 70, 416, 416)
        axes = new_axes(figure, self._box)
        _label_plane(axes, window)
        draw_color_bar(figure, self._box)
        self._sheet = Sheet(figure)
        self._line = crossing_line(axes.transAxes, width=1.8)
        marks = class_marks(window.unit(X), Y, transform=axes.transAxes, ms=8, mew=0.8)
        self._artists = [self._line, *marks, unit_frame(axes.transAxes)]
        for artist in self._artists:
            axes.add_artist(artist)

    def draw(self, probabilities: Array | None, title: str, subtitle: str = "") -> Image.Image:
        """Returns an RGB picture of P(class 1) (k²,) at ``points``; without numbers, of the data alone."""
        logits = logits_of(probabilities)
        self._line.set_path(crossing_of(logits))
        heat = heat_of(logits, self._box.width)
        image = self._sheet.draw(self._artists, {self._box: heat})
        write_titles(image, title, subtitle, self._box)
        return image


def _label_plane(axes: Axes, window: Window) -> None:
    """Labels axes, 1 by 1 in their own units, with the coordinates of a window."""
    axes.set(xlabel="x₁", ylabel="x₂")
    for axis, start in ((axes.xaxis, window.x), (axes.yaxis, window.y)):
        values = np.asarray(MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(start, start + window.side))
        inside = values[(values >= start) & (values <= start + window.side)]
        axis.set_ticks((inside - start) / window.side, [f"{value:.6g}".replace("-", "−") for value in inside])
    axes.set(xlim=(0, 1), ylim=(0, 1))
