"""Many small boundaries in one picture: a row for each name, a column for each seed."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D
from PIL import Image

from initlab.plots.answers import Look, look_of, shown
from initlab.plots.crossing import crossing_line
from initlab.plots.heat import Shown
from initlab.plots.lettering import dejavu, write
from initlab.plots.palette import GREY
from initlab.plots.plane import Plane, Window
from initlab.plots.sheet import Box, Sheet, new_figure, unit_frame
from initlab.types import Array

MOST_SEEDS = 12  # columns of a contact sheet


def contact_sheet(
    X: Array,
    Y: Array,
    rows: Mapping[str, Mapping[int, Array | None]],
    seeds_in_all: int = 0,
    task: str = "binary",
) -> Image.Image:
    """Returns an RGB picture of small boundaries: a row for each name, a column for each of the first seeds.

    ``rows[name][seed]`` is the answers (n_y, k²) at a Boundary's points, or None if the run diverged; a run
    that is missing leaves its place empty. ``seeds_in_all`` is how many there are where ``rows`` holds only
    some.
    """
    seeds = sorted({seed for row in rows.values() for seed in row})
    columns = seeds[:MOST_SEEDS]
    left = 36 + ceil(max(dejavu("Sans-Bold", 15).getlength(name) for name in rows))
    grid = _Grid(left, top=62, side=96, gap=6)
    look, plane = look_of(task, Y), Plane.of(X)
    tiles = {
        grid.box(row, column): shown(look, runs[seed], grid.side)
        for row, runs in enumerate(rows.values())
        for column, seed in enumerate(columns)
        if seed in runs
    }
    coordinates = plane.coordinates(X)
    unit = Window.around(coordinates).unit(coordinates)
    heading = _heading(len(columns), max(len(seeds), seeds_in_all), plane.note)
    width, height = grid.size(len(rows), len(columns))
    if plane.note:  # which a sheet of few columns would cut
        width = max(width, 24 + ceil(dejavu("Sans", 13).getlength(heading)))
    image = _draw_tiles(new_figure(width, height), tiles, look, unit)
    image.info["palette"] = look.palette
    _write_labels(image, grid, list(rows), columns, heading)
    return image


class _Grid(NamedTuple):
    """Where the square tiles of a contact sheet lie."""

    left: int
    top: int
    side: int
    gap: int

    def box(self, row: int, column: int) -> Box:
        pitch = self.side + self.gap
        return Box(self.left + column * pitch, self.top + row * pitch, self.side, self.side)

    def size(self, rows: int, columns: int) -> tuple[int, int]:
        last = self.box(rows, columns)
        return last.left + self.gap, last.top + self.gap


def _heading(drawn: int, in_all: int, note: str) -> str:
    count = in_all if in_all == drawn else f"{drawn} of {in_all:,}"
    seeds = f"{count} {'seed' if in_all == 1 else 'seeds'}"
    return f"{seeds} · {note}" if note else seeds


def _draw_tiles(figure: Figure, tiles: Mapping[Box, Shown], look: Look, unit: Array) -> Image.Image:
    """Returns an RGB picture of heats in their boxes, each with its lines and the training points."""
    sheet = Sheet(figure)
    artists: list[Artist] = []
    for box, tile in tiles.items():
        bottom = figure.bbox.height - box.top - box.height
        place = Affine2D().scale(box.width).translate(box.left, bottom)
        line = crossing_line(place, width=1.3)
        line.set_path(tile.lines)
        marks = look.marks(unit, most=150, transform=place, ms=3.2, mew=0)
        artists += [*marks, line, unit_frame(place)]
    for artist in artists:
        artist.set_figure(figure)
    return sheet.draw(artists, {box: tile.heat for box, tile in tiles.items()})


def _write_labels(
    image: Image.Image, grid: _Grid, names: Sequence[str], seeds: Sequence[int], heading: str
) -> None:
    """Writes a contact sheet's heading, the names of its rows and the seeds of its columns."""
    write(image, (12, 24), heading, "Sans", 13, GREY)
    for row, name in enumerate(names):
        top = grid.box(row, 0).top
        write(image, (12, top + grid.side / 2), name, "Sans-Bold", 15, anchor="lm")
    for column, seed in enumerate(seeds):
        middle = grid.box(0, column).left + grid.side / 2
        write(image, (middle, grid.top - 10), f"seed {seed}", "Sans", 13, GREY, "ms", grid.side)
