"""Pictures of runs: decision boundaries, cost curves, and both side by side.

A sweep draws thousands of pictures, so what they share is drawn once, by matplotlib, and what differs is
laid over it: probabilities as pixels, lines by matplotlib's Agg renderer, titles by Pillow, whose text is
twenty times faster. A lone run takes the same path, so its picture is the same to the byte.

Figures have 72 dots an inch: every size here, of fonts and lines too, is in pixels.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from io import BytesIO
from math import ceil, floor, log, log10
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from contourpy import LineType, contour_generator
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from initlab.activations import Array

RESOLUTION = 100  # mesh points along each side of a boundary
MOST_POINTS = 1000  # more training points would hide the picture
MOST_SEEDS = 12  # columns of a contact sheet
CHANCE = log(2)  # the cost of answering 0.5 to everything
STEEPEST = 5.0  # logits are coloured up to here, where P = 0.993

# Okabe and Ito's palette (2008), which colour-blind people can tell apart: blue and orange mean the
# classes, the rest are for curves. Probabilities get light tints of both, so that points stand out.
CLASS_COLORS = ("#0072b2", "#d55e00")
CLASS_MARKERS = ("o", "^")
TINTS = LinearSegmentedColormap.from_list("P(class 1)", ["#96c7e8", "#ffffff", "#fcc887"], N=255)
CURVE_COLORS = ("#7a7a7a", "#cc79a7", "#009e73", "#222222", "#b3a100", "#56b4e9")
INK, GREY, FRAME, GRID, UNKNOWN = "#222222", "#666666", "#b4b4b4", "#ebebeb", "#ececec"

Packed = NDArray[np.uint32]  # pixels, each the four bytes of its RGBA


def png(image: Image.Image) -> bytes:
    """Returns a picture as PNG, in the nearest colours of one palette.

    That takes a fifth of the time and less than half the size of all colours.
    """
    buffer = BytesIO()
    indexed = image.quantize(palette=_palette(), dither=Image.Dither.NONE)
    indexed.save(buffer, "png", compress_level=1)
    return buffer.getvalue()


def webp(image: Image.Image, side: int = 256) -> bytes:
    """Returns a picture as WebP, shrunk to at most ``side`` pixels in width and height."""
    scale = min(1.0, side / max(image.size))
    size = round(scale * image.width), round(scale * image.height)
    buffer = BytesIO()
    image.resize(size, Image.Resampling.BOX).save(buffer, "webp", quality=75, method=0)
    return buffer.getvalue()


class Boundary:
    """Draws decision boundaries over training points X (2, m) with labels Y (1, m) of 0 and 1.

    ``points`` (2, k²) is where to evaluate a network: a square mesh, row by row from its top left.
    """

    def __init__(self, X: Array, Y: Array) -> None:
        window = _Window.around(X)
        self.points = window.mesh()
        figure, self._box = _figure(564, 532), _Box(60, 70, 416, 416)
        axes = _axes(figure, self._box)
        _label_plane(axes, window)
        _color_bar(figure, self._box)
        self._sheet = _Sheet(figure)
        self._line = _crossing_line(axes.transAxes, width=1.8)
        marks = _marks(window.unit(X), Y, transform=axes.transAxes, ms=8, mew=0.8)
        self._artists = [self._line, *marks, _frame(axes.transAxes)]
        for artist in self._artists:
            axes.add_artist(artist)

    def draw(self, probabilities: Array | None, title: str, subtitle: str = "") -> Image.Image:
        """Returns an RGB picture of P(class 1) (k²,) at ``points``; without numbers, of the data alone."""
        logits = _logits(probabilities)
        self._line.set_path(_crossing(logits))
        heat = _heat(logits, self._box.width)
        image = self._sheet.draw(self._artists, {self._box: heat})
        _write_titles(image, title, subtitle, self._box)
        return image


class CostCurve:
    """Draws cost curves of runs that were to take ``iterations`` iterations."""

    def __init__(self, iterations: int) -> None:
        self._iterations = iterations
        self._box = _Box(76, 70, 416, 240)
        # The runs of a sweep share few ranges of cost; the axes of each take two megabytes.
        self._axes = lru_cache(maxsize=32)(self._draw_axes)

    def draw(self, cost: Array, title: str, subtitle: str = "") -> Image.Image:
        """Returns an RGB picture of the cost (n,) at iterations 0, 1, … up to the first that is not finite.

        The curve ends in a dot and its last value, or in a cross if the run stopped early.
        """
        cost = _finite_start(cost)
        ends_above_chance = bool(np.any(cost[-1:] > CHANCE))
        sheet, line, end = self._axes(*_cost_range(cost), ends_above_chance)
        line.set_data(*_thin(cost, self._box.width))
        complete = len(cost) >= self._iterations
        end.set(marker="o" if complete else "X", color=INK if complete else CLASS_COLORS[1])
        end.set_data([len(cost) - 1], cost[-1:])
        image = sheet.draw([line, end])
        _write_titles(image, title, subtitle, self._box)
        _write_value(image, end)
        return image

    def _draw_axes(self, low: float, high: float, ends_above_chance: bool) -> tuple["_Sheet", Line2D, Line2D]:
        figure = _figure(564, 362)
        axes = _axes(figure, self._box)
        _label_costs(axes, self._iterations, low, high)
        _mark_chance(axes, below=ends_above_chance)  # where the curve is not
        sheet = _Sheet(figure)
        (line,) = axes.plot([], [], color=INK, lw=1.6)
        (end,) = axes.plot([], [], ms=9, mec="white", mew=0.8, clip_on=False)
        return sheet, line, end


class Entry(NamedTuple):
    """A run to compare: P(class 1) (k²,) at a Boundary's points, or None, its accuracy and its cost (n,)."""

    label: str
    probabilities: Array | None
    accuracy: float
    cost: Array


def comparison(X: Array, Y: Array, entries: Sequence[Entry]) -> Figure:
    """Returns a figure, 1500 pixels wide, of the entries' boundaries in a row above all their cost curves."""
    pitch = min(450, 1350 // len(entries))
    box = _Box(84, 86, pitch - 28, pitch - 28)
    figure = _figure(1500, box.top + box.height + 470)
    unit = _Window.around(X).unit(X)
    for number, entry in enumerate(entries):
        box = box._replace(left=84 + number * pitch)
        axes = _axes(figure, box)
        marks = _marks(unit, Y, transform=axes.transAxes, ms=min(9, pitch / 40), mew=0.9)
        _draw_panel(axes, entry, marks, _curve_color(number))
    _color_bar(figure, box, size=16)
    costs = _axes(figure, _Box(84, box.top + box.height + 50, 1210, 350), size=16)
    _draw_costs(costs, entries)
    return figure


def contact_sheet(X: Array, Y: Array, rows: Mapping[str, Mapping[int, Array | None]]) -> Image.Image:
    """Returns an RGB picture of small boundaries: a row for each name, a column for each of the first seeds.

    ``rows[name][seed]`` is P(class 1) (k²,) at a Boundary's points, or None if the run diverged; a run that
    is missing leaves its place empty.
    """
    seeds = sorted({seed for row in rows.values() for seed in row})
    columns = seeds[:MOST_SEEDS]
    left = 36 + ceil(max(_font("Sans-Bold", 15).getlength(name) for name in rows))
    grid = _Grid(left, top=62, side=96, gap=6)
    tiles = {
        grid.box(row, column): _logits(runs[seed])
        for row, runs in enumerate(rows.values())
        for column, seed in enumerate(columns)
        if seed in runs
    }
    image = _draw_tiles(_figure(*grid.size(len(rows), len(columns))), tiles, X, Y)
    count = len(seeds) if len(seeds) == len(columns) else f"{len(columns)} of {len(seeds):,}"
    _write_labels(image, grid, list(rows), columns, f"{count} seeds")
    return image


class _Box(NamedTuple):
    """A rectangle of pixels, measured from the picture's top left."""

    left: int
    top: int
    width: int
    height: int


class _Grid(NamedTuple):
    """Where the square tiles of a contact sheet lie."""

    left: int
    top: int
    side: int
    gap: int

    def box(self, row: int, column: int) -> _Box:
        pitch = self.side + self.gap
        return _Box(self.left + column * pitch, self.top + row * pitch, self.side, self.side)

    def size(self, rows: int, columns: int) -> tuple[int, int]:
        last = self.box(rows, columns)
        return last.left + self.gap, last.top + self.gap


class _Window(NamedTuple):
    """A square of the plane: the coordinates of its lower left corner and its side."""

    x: float
    y: float
    side: float

    @classmethod
    def around(cls, X: Array) -> "_Window":
        """Returns the smallest square round points X (2, m), with a margin."""
        low, high = X.min(axis=1), X.max(axis=1)
        side = 1.16 * (float(np.max(high - low)) or 1.0)
        x, y = (low + high - side) / 2
        return cls(float(x), float(y), side)

    def mesh(self) -> Array:
        """Returns the points (2, k²) of a mesh from edge to edge, row by row from the top left."""
        steps = np.linspace(0, self.side, RESOLUTION)
        return np.stack(np.meshgrid(self.x + steps, self.y + steps[::-1])).reshape(2, -1)

    def unit(self, X: Array) -> Array:
        """Returns points X (2, m) as fractions of the sides."""
        return (X - [[self.x], [self.y]]) / self.side


class _Sheet:
    """A figure drawn once, to be drawn upon again and again."""

    def __init__(self, figure: Figure) -> None:
        canvas: Any = FigureCanvasAgg(figure)  # its methods have no types
        canvas.draw()
        self._renderer = canvas.get_renderer()
        self._pixels: Packed = np.asarray(canvas.buffer_rgba()).view(np.uint32)[..., 0]
        self._blank = self._pixels.copy()

    def draw(self, artists: Iterable[Artist], heats: Mapping[_Box, Packed] | None = None) -> Image.Image:
        """Returns an RGB picture of the figure, with heats in their boxes and the artists over them."""
        self._pixels[:] = self._blank
        for (left, top, width, height), heat in (heats or {}).items():
            self._pixels[top : top + height, left : left + width] = heat
        for artist in artists:
            artist.draw(self._renderer)
        height, width = self._pixels.shape
        return Image.frombytes("RGB", (width, height), self._pixels, "raw", "RGBX")


# What a network answers: logits, their colours and the line where they cross 0.


def _logits(probabilities: Array | None) -> Array | None:
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


def _heat(logits: Array | None, side: int) -> Packed:
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


def _crossing(logits: Array | None) -> Outline:
    """Returns the lines where P(class 1) = 0.5, in fractions of the sides: empty if there are none."""
    if logits is None:
        return _NOWHERE
    steps = np.linspace(0, 1, RESOLUTION)
    contours = contour_generator(steps, steps[::-1], logits, line_type=LineType.ChunkCombinedCode)
    chunks: Any = contours.lines(0)  # of this line type: points and codes, in lists of one
    (points,), (codes,) = chunks
    return _NOWHERE if points is None else Outline(points, codes)


_NOWHERE = Outline(np.empty((0, 2)))


def _crossing_line(transform: Any, width: float) -> PathPatch:
    return PathPatch(_NOWHERE, fill=False, ec=INK, lw=width, transform=transform)


def _frame(transform: Any) -> Rectangle:
    """Returns the frame of a unit square, to be drawn again where a heat covered it."""
    return Rectangle((0, 0), 1, 1, fill=False, ec=FRAME, lw=1, transform=transform)


def _marks(unit: Array, Y: Array, most: int = MOST_POINTS, **style: Any) -> list[Line2D]:
    """Returns the markers of class 0 and of class 1 at points (2, m), or at ``most`` of them."""
    every = ceil(unit.shape[1] / most)
    points, labels = unit[:, ::every], Y[0, ::every] > 0.5
    looks = zip(CLASS_COLORS, CLASS_MARKERS, (~labels, labels), strict=True)
    return [
        Line2D(*points[:, members], ls="", marker=marker, mfc=color, mec="white", **style)
        for color, marker, members in looks
    ]


def _draw_tiles(figure: Figure, tiles: Mapping[_Box, Array | None], X: Array, Y: Array) -> Image.Image:
    """Returns an RGB picture of logits in their boxes, each with its crossings and the training points."""
    sheet, unit = _Sheet(figure), _Window.around(X).unit(X)
    artists: list[Artist] = []
    for box, logits in tiles.items():
        bottom = figure.bbox.height - box.top - box.height
        place = Affine2D().scale(box.width).translate(box.left, bottom)
        line = _crossing_line(place, width=1.3)
        line.set_path(_crossing(logits))
        marks = _marks(unit, Y, most=150, transform=place, ms=3.2, mew=0)
        artists += [*marks, line, _frame(place)]
    for artist in artists:
        artist.set_figure(figure)
    return sheet.draw(artists, {box: _heat(logits, box.width) for box, logits in tiles.items()})


# Costs: which part of the axis to show and which points of a long curve.


def _finite_start(cost: Array) -> Array:
    """Returns the costs before the first that is not finite, within what axes can show."""
    return np.clip(cost[np.logical_and.accumulate(np.isfinite(cost))], 1e-12, 1e200)


def _cost_range(cost: Array) -> tuple[float, float]:
    """Returns the ends of the axis in round numbers: a linear axis from 0 if the cost stays within a decade.

    From 0, a cost that hardly moves looks like one. An axis from above 0 is logarithmic.
    """
    if not len(cost):
        return 0.0, 1.0
    low, high = float(cost.min()), float(cost.max())
    if high <= 10 * low:
        return 0.0, _round_up(1.05 * high, (1, 1.5, 2, 3, 4, 6, 8, 10))
    return 1 / _round_up(1.1 / low, (1, 3, 10)), _round_up(1.1 * high, (1, 3, 10))


def _round_up(value: float, steps: Sequence[float]) -> float:
    """Returns the next of the steps, times a power of ten, that is at least as large."""
    scale = 10.0 ** floor(log10(value))
    return scale * next((step for step in steps if step * scale >= value), steps[-1])


def _thin(cost: Array, columns: int) -> tuple[NDArray[np.intp], Array]:
    """Returns iterations and costs of a curve that looks the same: the extremes in each column of pixels."""
    width = ceil(len(cost) / columns)
    if width <= 2:
        return np.arange(len(cost)), cost
    starts = np.arange(0, len(cost), width)
    ends = np.minimum(starts + width, len(cost)) - 1
    # From the maximum to the minimum, as costs usually fall.
    extremes = np.maximum.reduceat(cost, starts), np.minimum.reduceat(cost, starts)
    return np.stack([starts, ends], axis=1).ravel(), np.stack(extremes, axis=1).ravel()


# Figures and axes in one look.


def _figure(width: int, height: int) -> Figure:
    return Figure((width / 72, height / 72), dpi=72)


def _axes(figure: Figure, box: _Box, size: float = 12.5) -> Axes:
    """Returns new axes in a box of the figure, with thin grey lines."""
    width, height = figure.bbox.size
    bottom = height - box.top - box.height
    axes = figure.add_axes((box.left / width, bottom / height, box.width / width, box.height / height))
    axes.spines[:].set(color=FRAME, linewidth=1)
    axes.tick_params(which="both", color=FRAME, labelcolor=GREY, labelsize=size, width=1)
    axes.xaxis.label.set(color=GREY, size=size)
    axes.yaxis.label.set(color=GREY, size=size)
    return axes


def _label_plane(axes: Axes, window: _Window) -> None:
    """Labels axes, 1 by 1 in their own units, with the coordinates of a window."""
    axes.set(xlabel="x₁", ylabel="x₂")
    for axis, start in ((axes.xaxis, window.x), (axes.yaxis, window.y)):
        values = np.asarray(MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(start, start + window.side))
        inside = values[(values >= start) & (values <= start + window.side)]
        axis.set_ticks((inside - start) / window.side, [f"{value:.6g}".replace("-", "−") for value in inside])
    axes.set(xlim=(0, 1), ylim=(0, 1))


def _color_bar(figure: Figure, beside: _Box, size: float = 12.5) -> None:
    """Draws the colours of P(class 1) to the right of a box, and each class's marker at its end."""
    left = beside.left + beside.width + 16
    axes = _axes(figure, _Box(left, beside.top + 20, 12, beside.height - 40), size)
    axes.imshow(np.linspace(1, 0, 256)[:, None], cmap=TINTS, extent=(0, 1, 0, 1), aspect="auto")
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set(xticks=[], yticks=[0, 0.5, 1], ylabel="P(class 1)")
    axes.set_yticklabels(["0", "0.5", "1"])
    height = beside.height - 40
    for end, color, marker in zip((-11, height + 11), CLASS_COLORS, CLASS_MARKERS, strict=True):
        axes.plot(0.5, end / height, marker, c=color, ms=9, mec="white", clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 1))


def _label_costs(axes: Axes, iterations: int, low: float, high: float) -> None:
    """Scales axes for costs from low to high, logarithmic unless low is 0."""
    axes.set(xlabel="iteration", ylabel="cost", xlim=(-iterations / 100, iterations))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID, linewidth=1)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    if low > 0:
        axes.set_yscale("log")
        few = log10(high) - log10(low) < 2.5
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=8))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(low, high)
    plain = FuncFormatter(lambda value, _: f"{value:,.6g}")
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)


def _mark_chance(axes: Axes, below: bool) -> None:
    """Draws a dashed line at the cost of chance, if it is in view, with its name above or below."""
    low, high = axes.get_ylim()
    if low < CHANCE < high:
        axes.axhline(CHANCE, color=GREY, lw=1, ls=(0, (4, 3)))
        axes.annotate(
            "chance: ln 2",
            (1, CHANCE),
            xycoords=axes.get_yaxis_transform(),
            xytext=(-4, -4 if below else 4),
            textcoords="offset points",
            ha="right",
            va="top" if below else "bottom",
            size=12,
            color=GREY,
            clip_on=True,
        )


# The panels of a comparison.


def _draw_panel(axes: Axes, entry: Entry, marks: Sequence[Line2D], color: str) -> None:
    """Draws an entry's boundary and training points under its label and accuracy."""
    side = round(axes.bbox.width)
    logits = _logits(entry.probabilities)
    heat = _heat(logits, side).view(np.uint8).reshape(side, side, 4)
    axes.imshow(heat, extent=(0, 1, 0, 1), interpolation="nearest")
    line = _crossing_line(axes.transAxes, width=2)
    line.set_path(_crossing(logits))
    for artist in (line, *marks):
        axes.add_artist(artist)
    axes.set(xticks=[], yticks=[])
    accuracy = f"accuracy {100 * entry.accuracy:.1f} %"
    style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "parse_math": False}
    axes.annotate(entry.label, (0, 1), (0, 34), color=color, size=min(21, side / 8), weight="bold", **style)
    axes.annotate(accuracy, (0, 1), (0, 11), color=GREY, size=min(16, side / 8), **style)


def _draw_costs(axes: Axes, entries: Sequence[Entry]) -> None:
    """Draws all cost curves, each named beside its end in its colour."""
    costs = [_finite_start(entry.cost) for entry in entries]
    _label_costs(axes, max(map(len, costs)), *_cost_range(np.concatenate(costs)))
    _mark_chance(axes, below=False)
    for number, cost in enumerate(costs):
        axes.plot(*_thin(cost, round(axes.bbox.width)), color=_curve_color(number), lw=2)
    ends = [cost[-1] if len(cost) else 1.0 for cost in costs]
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = to_axes.transform([(0, end) for end in ends])[:, 1]
    names = _spread(heights, gap=0.07)
    names += max(0.0, 0.02 - names.min())  # not down among the axis's own labels
    for number, height in enumerate(names):
        axes.text(
            1.01,
            height,
            f"{entries[number].label}  {ends[number]:.3g}",
            color=_curve_color(number),
            transform=axes.transAxes,
            va="center",
            size=15,
            weight="bold",
            parse_math=False,
        )


def _curve_color(number: int) -> str:
    return CURVE_COLORS[number % len(CURVE_COLORS)]


def _spread(heights: Array, gap: float) -> Array:
    """Returns heights (n,) moved apart where needed, so that none is nearer to another than gap."""
    order = np.argsort(heights)
    steps = gap * np.arange(len(heights))
    slack = heights[order] - steps
    up, down = np.maximum.accumulate(slack), np.minimum.accumulate(slack[::-1])[::-1]
    spread = np.empty_like(heights)
    spread[order] = (up + down) / 2 + steps  # halfway between moving all up and moving all down
    return spread


# Text, written by Pillow.


@lru_cache(maxsize=16)
def _font(face: str, size: float) -> ImageFont.FreeTypeFont:
    """Returns a face of DejaVu, which comes with matplotlib."""
    path = Path(mpl.get_data_path(), "fonts", "ttf", f"DejaVu{face}.ttf")
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def _write(
    image: Image.Image,
    at: tuple[float, float],
    text: str,
    face: str,
    size: float,
    color: str = INK,
    anchor: str = "ls",
    width: float = float("inf"),
) -> None:
    """Writes text; a text wider than width is set smaller, by a quarter at most, then cut."""
    font = _font(face, size)
    if font.getlength(text) > width:
        font = _font(face, max(0.75 * size, size * width / font.getlength(text)))
        text = _cut(text, font, width)
    ImageDraw.Draw(image).text(at, text, color, font, anchor)


def _cut(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """Returns the text, or as much of its start as fits and an ellipsis."""
    if font.getlength(text) <= width:
        return text
    fitting = bisect_right(range(len(text)), width, key=lambda n: font.getlength(text[:n] + "…"))
    return text[: max(fitting - 1, 0)].rstrip() + "…"


def _write_titles(image: Image.Image, title: str, subtitle: str, box: _Box) -> None:
    """Writes a bold title and a grey subtitle above a box."""
    width = image.width - box.left - 8
    _write(image, (box.left, 31), title, "Sans-Bold", 19, width=width)
    _write(image, (box.left, 55), subtitle, "Sans", 14.5, GREY, width=width)


def _write_value(image: Image.Image, end: Line2D) -> None:
    """Writes the last cost beside the end of its curve."""
    for point in np.asarray(end.get_xydata()):
        x, y = end.get_transform().transform(point)
        at, width = (x + 9, image.height - y), image.width - x - 12
        _write(image, at, f"{point[1]:.3g}", "Sans-Bold", 13.5, anchor="lm", width=width)


def _write_labels(
    image: Image.Image, grid: _Grid, names: Sequence[str], seeds: Sequence[int], count: str
) -> None:
    """Writes a contact sheet's count of seeds, the names of its rows and the seeds of its columns."""
    _write(image, (12, 24), count, "Sans", 13, GREY)
    for row, name in enumerate(names):
        top = grid.box(row, 0).top
        _write(image, (12, top + grid.side / 2), name, "Sans-Bold", 15, anchor="lm")
    for column, seed in enumerate(seeds):
        middle = grid.box(0, column).left + grid.side / 2
        _write(image, (middle, grid.top - 10), f"seed {seed}", "Sans", 13, GREY, "ms", grid.side)


@lru_cache(maxsize=1)
def _palette() -> Image.Image:
    """Returns an image whose palette holds the tints and each ink's blends with white and with the tints."""
    inks = [to_rgb(color) for color in (*CLASS_COLORS, INK, GREY)]
    papers = [to_rgb(UNKNOWN), *TINTS([0.0, 0.5, 1.0])[:, :3]]
    blends = [
        np.outer(1 - share, paper) + np.outer(share, ink)
        for share in [np.linspace(0, 1, 9)]
        for ink in inks
        for paper in papers
    ]
    colors = np.rint(255 * np.concatenate([TINTS(np.linspace(0, 1, 101))[:, :3], *blends]))
    # Pillow looks colours up in steps of four, so white stays white only without near neighbours.
    colors = colors[(colors.min(axis=1) < 245) | (colors.min(axis=1) == 255)]
    image = Image.new("P", (1, 1))
    image.putpalette(colors.astype(np.uint8).tobytes())
    return image
