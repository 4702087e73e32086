"""Pictures of a network's decision boundary, or of the values that it predicts."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from matplotlib.transforms import Affine2D
from PIL import Image

from initlab.plots.plane import Plane
from initlab.plots.raster import Canvas, contour_line, write_titles
from initlab.plots.style import GREY, MOST_POINTS, Box, new_axes, new_figure, unit_frame
from initlab.plots.tasks import TaskStyle, shown, style_for
from initlab.types import Array

_BOX = Box(60, 70, 416, 416)


class Boundary:
    """Draws what networks answer over training points X (n_x, m) with labels Y (n_y, m) of a task.

    Tasks are "binary" (Y of 0 and 1), "classes" (one-hot) and "regression"; ``classes`` names the classes.
    ``points`` (n_x, k²) is where to evaluate a network: a square mesh, row by row from its top left, in the
    plane of the inputs, or of their first two principal components if there are more than two.
    """

    def __init__(self, X: Array, Y: Array, task: str = "binary", classes: Sequence[str] = ()) -> None:
        self._style = style_for(task, Y, classes)
        plane = Plane(X)
        self.points = plane.mesh()
        figure, axes = _new_axes(self._style, plane)
        self._canvas = Canvas(figure, self._style.palette)
        place = axes.transAxes
        self._line = contour_line(place, width=1.8)
        markers = self._style.markers(plane.points, MOST_POINTS, transform=place, ms=8, mew=0.8)
        self._artists = [self._line, *markers, unit_frame(place)]
        for artist in self._artists:
            axes.add_artist(artist)

    def draw(self, answers: Array | None, title: str, subtitle: str = "") -> Image.Image:
        """Returns an RGB picture of a network's answers (n_y, k²) at ``points``; without them, of the data.

        Answers are P(class 1), which may be (k²,), the probabilities of all classes, or predicted values.
        """
        heat, lines = shown(self._style, answers, _BOX.width)
        self._line.set_path(lines)
        image = self._canvas.draw(self._artists, {_BOX: heat})
        write_titles(image, title, subtitle, _BOX)
        return image


def plot_boundary(
    X: Array,
    Y: Array,
    answers: Array | None,
    *,
    task: str = "binary",
    classes: Sequence[str] = (),
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Returns axes with a network's decision boundary, or the values that it predicts, over training points.

    ``X`` (n_x, m) and ``Y`` (n_y, m) are the training examples of a ``task``: "binary" (Y of 0 and 1),
    "classes" (one-hot) or "regression"; another raises ValueError. ``answers`` (n_y, k²) are what the network
    answers at ``Boundary(X, Y, task).points``; None, or any that is not finite, leaves the plane grey.
    ``classes`` names the classes, for ``ax.legend()`` too. Without ``ax`` the axes are those of a new figure.

    >>> import numpy as np
    >>> from initlab.plots import Boundary, plot_boundary
    >>> X, Y = np.array([[0.0, 1.0, 3.0], [0.0, 2.0, 1.0]]), np.array([[0.0, 1.0, 1.0]])
    >>> x1, x2 = Boundary(X, Y).points
    >>> ax = plot_boundary(X, Y, 1 / (1 + np.exp(1 - x1 * x2)), title="a hyperbola")
    >>> ax.get_xlabel(), ax.get_title(loc="left")
    ('x₁', 'a hyperbola')
    """
    style = style_for(task, Y, classes)
    plane = Plane(X)
    if ax is None:
        _, ax = _new_axes(style, plane)
    else:
        _label_plane(ax, plane)
    heat, lines = shown(style, answers, round(ax.bbox.width))
    pixels = heat.view("u1").reshape(*heat.shape, 4)
    ax.imshow(pixels, extent=(*ax.get_xlim(), *ax.get_ylim()), interpolation="nearest")
    place = Affine2D().scale(plane.side).translate(*plane.corner[:, 0]) + ax.transData
    size = min(9, 0.7 + ax.bbox.width * 72 / ax.figure.dpi / 40)
    markers = style.markers(plane.points, MOST_POINTS, transform=place, ms=size, mew=0.9)
    for artist in (contour_line(place, width=2, contours=lines), *markers):
        ax.add_artist(artist)
    ax.set_title(title, loc="left", weight="bold", parse_math=False)
    return ax


def _new_axes(style: TaskStyle, plane: Plane) -> tuple[Figure, Axes]:
    """Returns a figure with labelled axes for a plane, its note and a legend."""
    width = _BOX.left + _BOX.width + style.legend_width(size=12.5)
    figure = new_figure(width, 532 + (22 if plane.note else 0))
    axes = new_axes(figure, _BOX)
    _label_plane(axes, plane)
    figure.text(8 / width, 10 / figure.bbox.height, plane.note, size=11, color=GREY)
    style.draw_legend(figure, _BOX, size=12.5)
    return figure, axes


def _label_plane(axes: Axes, plane: Plane) -> None:
    """Scales and labels axes with the coordinates of a plane's window."""
    for axis, name in zip((axes.xaxis, axes.yaxis), plane.names, strict=True):
        axis.set_label_text(name)
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]) if name else NullLocator())
        axis.set_major_formatter("{x:.6g}")
    (left, right), (bottom, top) = np.hstack([plane.corner, plane.corner + plane.side])
    axes.set(xlim=(left, right), ylim=(bottom, top))
