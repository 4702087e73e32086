"""Pictures of a network's decision boundary, or of the values that it predicts."""

from collections.abc import Sequence
from functools import cached_property
from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from matplotlib.transforms import Affine2D
from PIL import Image

from initlab.plots.plane import Plane, Quantity
from initlab.plots.raster import Canvas, contour_line, cut, dejavu, write, write_titles
from initlab.plots.style import GREY, MOST_POINTS, Box, new_axes, new_figure, unit_frame
from initlab.plots.tasks import TaskStyle, layers_of, shown, view_of
from initlab.types import Array

_TOP, _SIDE, _LEAST_LEFT = 70, 416, 60  # of the box that the plane is in, in pixels
_TILE = Box(2, 30, 184, 184)  # of a tile: MLflow's cards show so much of a picture without scrolling
_LETTERS, _NOTE = 12.5, 11
_NUMBER = "{x:,.6g}"


class Boundary:
    """Draws what networks answer over training points X (n_x, m) with labels Y (n_y, m) of a task.

    Tasks are "binary" (Y of 0 and 1), "classes" (one-hot) and "regression"; ``classes`` names the classes,
    and ``quantities`` the inputs and then a regression's target, with their units.
    ``points`` (n_x, k²) is where to evaluate a network: a square mesh, row by row from its top left, in the
    plane of the inputs, or of their first two principal components if there are more than two. A regression
    on one input is drawn as a curve over it.
    """

    def __init__(
        self,
        X: Array,
        Y: Array,
        task: str = "binary",
        classes: Sequence[str] = (),
        quantities: Sequence[Quantity] = (),
    ) -> None:
        self._style, self._plane = view_of(X, Y, task, classes, quantities)
        self.points = self._plane.mesh()
        self._box = _box_of(self._plane)
        _, axes = _new_axes(self._style, self._plane)
        self._whole = _Layers(axes, self._box, self._style, self._plane, ms=8, mew=0.8, line=1.8)

    def draw(self, answers: Array | None, title: str, subtitle: str = "") -> Image.Image:
        """Returns an RGB picture of a network's answers (n_y, k²) at ``points``; without them, of the data.

        Answers are P(class 1), which may be (k²,), the probabilities of all classes, or predicted values.
        """
        image = self._whole.draw(answers)
        write_titles(image, title, subtitle, self._box)
        return image

    def draw_tile(self, answers: Array | None, title: str, subtitle: str = "") -> Image.Image:
        """Returns a small picture of the same, without axes and legend, for a grid of many."""
        image = self._tile.draw(answers)
        left, top, width, _ = _TILE
        write(image, (left, top - 17), title, "Sans-Bold", 13, width=width)
        write(image, (left, top - 4), subtitle, "Sans", 11, GREY, width=width)
        return image

    @cached_property
    def _tile(self) -> "_Layers":
        figure = new_figure(_TILE.left * 2 + _TILE.width, _TILE.top + _TILE.height + 2)
        axes = new_axes(figure, _TILE)
        axes.set(xticks=[], yticks=[])
        return _Layers(axes, _TILE, self._style, self._plane, ms=4.5, mew=0.6, line=1.3)


class _Layers:
    """Axes in a box of a figure and what lies over them: colours, lines, points and a frame."""

    def __init__(
        self, axes: Axes, box: Box, style: TaskStyle, plane: Plane, ms: float, mew: float, line: float
    ) -> None:
        figure = axes.get_figure(root=True)
        assert figure is not None
        self._style, self._box = style, box
        self._canvas = Canvas(figure, style.palette)
        place = axes.transAxes
        self._line = contour_line(place, width=line)
        markers = style.markers(plane.points, MOST_POINTS, transform=place, ms=ms, mew=mew)
        self._artists = [*layers_of(style, self._line, markers), unit_frame(place)]
        for artist in self._artists:
            axes.add_artist(artist)

    def draw(self, answers: Array | None) -> Image.Image:
        heat, lines = shown(self._style, answers, self._box.width)
        self._line.set_path(lines)
        return self._canvas.draw(self._artists, {self._box: heat})


def plot_boundary(
    X: Array,
    Y: Array,
    answers: Array | None,
    *,
    task: str = "binary",
    classes: Sequence[str] = (),
    quantities: Sequence[Quantity] = (),
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Returns axes with a network's decision boundary, or the values that it predicts, over training points.

    ``X`` (n_x, m) and ``Y`` (n_y, m) are the training examples of a ``task``: "binary" (Y of 0 and 1),
    "classes" (one-hot) or "regression"; another raises ValueError. ``answers`` (n_y, k²) are what the network
    answers at ``Boundary(X, Y, task).points``; None, or any that is not finite, leaves the plane grey.
    ``classes`` names the classes, for ``ax.legend()`` too, and ``quantities`` the inputs and then a
    regression's target, in whose units the axes are. A regression on one input is a curve over it. Without
    ``ax`` the axes are those of a new figure.

    >>> import numpy as np
    >>> from initlab.plots import Boundary, plot_boundary
    >>> X, Y = np.array([[0.0, 1.0, 3.0], [0.0, 2.0, 1.0]]), np.array([[0.0, 1.0, 1.0]])
    >>> x1, x2 = Boundary(X, Y).points
    >>> ax = plot_boundary(X, Y, 1 / (1 + np.exp(1 - x1 * x2)), title="a hyperbola")
    >>> ax.get_xlabel(), ax.get_title(loc="left")
    ('x₁', 'a hyperbola')
    """
    style, plane = view_of(X, Y, task, classes, quantities)
    if ax is None:
        _, ax = _new_axes(style, plane)
    else:
        _label_plane(ax, plane)
    heat, lines = shown(style, answers, round(ax.bbox.width))
    pixels = heat.view("u1").reshape(*heat.shape, 4)
    limits = plane.limits
    ax.imshow(pixels, extent=(*ax.get_xlim(), *ax.get_ylim()), interpolation="nearest", aspect="auto")
    ax.set_box_aspect(1)
    place = Affine2D().scale(*np.ptp(limits, axis=1)).translate(*limits[:, 0]) + ax.transData
    size = min(9, 0.7 + ax.bbox.width * 72 / ax.figure.dpi / 40)
    markers = style.markers(plane.points, MOST_POINTS, transform=place, ms=size, mew=0.9)
    line = contour_line(place, width=2, contours=lines)
    for order, artist in enumerate(layers_of(style, line, markers), start=2):
        artist.set_zorder(order)
        ax.add_artist(artist)
    ax.set_title(title, loc="left", weight="bold", parse_math=False)
    return ax


def _new_axes(style: TaskStyle, plane: Plane) -> tuple[Figure, Axes]:
    """Returns a figure with labelled axes for a plane, its note and a legend."""
    box = _box_of(plane)
    width = box.left + box.width + style.legend_width(_LETTERS)
    figure = new_figure(width, 532 + (22 if plane.note else 0))
    axes = new_axes(figure, box, _LETTERS)
    _label_plane(axes, plane)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_label_text(cut(axis.get_label_text(), dejavu("Sans", _LETTERS), _SIDE))
    note = cut(plane.note, dejavu("Sans", _NOTE), width - 16)
    figure.text(8 / width, 10 / figure.bbox.height, note, size=_NOTE, color=GREY, parse_math=False)
    style.draw_legend(figure, box, _LETTERS)
    return figure, axes


def _box_of(plane: Plane) -> Box:
    """Returns the plane's place in a figure, with room to its left for the numbers on its axis."""
    bottom, top = plane.limits[1]
    ticks = _ticks().tick_values(bottom, top) if plane.names[1] else ()
    numbers = [tick for tick in ticks if bottom <= tick <= top]
    font = dejavu("Sans", _LETTERS)
    longest = max((font.getlength(_NUMBER.format(x=number)) for number in numbers), default=0)
    return Box(max(_LEAST_LEFT, ceil(28 + longest)), _TOP, _SIDE, _SIDE)


def _ticks() -> MaxNLocator:
    return MaxNLocator(6, steps=[1, 2, 5, 10])


def _label_plane(axes: Axes, plane: Plane) -> None:
    """Scales and labels axes with the coordinates of a plane's window."""
    for axis, name in zip((axes.xaxis, axes.yaxis), plane.names, strict=True):
        axis.set_label_text(name, parse_math=False)
        axis.set_major_locator(_ticks() if name else NullLocator())
        axis.set_major_formatter(_NUMBER)
    (left, right), (bottom, top) = plane.limits
    axes.set(xlim=(left, right), ylim=(bottom, top))
