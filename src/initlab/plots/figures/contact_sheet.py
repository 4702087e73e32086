"""Many small boundaries in one picture: a row for each name, a column for each seed."""

from collections.abc import Mapping, Sequence
from math import ceil

from matplotlib.artist import Artist
from matplotlib.transforms import Affine2D
from PIL import Image

from initlab.plots.raster import Canvas, Pixels, contour_line, dejavu, write
from initlab.plots.style import GREY, Box, new_figure, unit_frame
from initlab.plots.tasks import shown, view_of
from initlab.types import Array

MOST_SEEDS = 12  # columns of a contact sheet
_TOP, _SIDE, _PITCH = 62, 96, 102  # of the square tiles, in pixels
_TITLE = 24  # pixels that a title takes


def contact_sheet(
    X: Array,
    Y: Array,
    rows: Mapping[str, Mapping[int, Array | None]],
    seeds_in_all: int = 0,
    task: str = "binary",
    title: str = "",
) -> Image.Image:
    """Returns an RGB picture of small boundaries: a row for each name, a column for each of the first seeds,
    under a title.

    ``rows[name][seed]`` is the answers (n_y, k²) at a Boundary's points, or None if the run diverged; a run
    that is missing leaves its place empty. ``seeds_in_all`` is how many there are where ``rows`` holds only
    some.
    """
    style, plane = view_of(X, Y, task)
    seeds = sorted({seed for row in rows.values() for seed in row})
    columns = seeds[:MOST_SEEDS]
    heading = _heading(len(columns), max(len(seeds), seeds_in_all), plane.note)
    left = 36 + ceil(max(dejavu("Sans-Bold", 15).getlength(name) for name in rows))
    top = _TOP + (_TITLE if title else 0)
    height, width = top + len(rows) * _PITCH + 6, left + len(columns) * _PITCH + 6
    if title or plane.note:  # which a sheet of few columns would cut
        above = dejavu("Sans", 13).getlength(heading), dejavu("Sans-Bold", 16).getlength(title)
        width = max(width, 24 + ceil(max(above)))
    figure = new_figure(width, height)
    heats: dict[Box, Pixels] = {}
    artists: list[Artist] = []
    for row, runs in enumerate(rows.values()):
        for column, seed in enumerate(columns):
            if seed in runs:
                box = Box(left + column * _PITCH, top + row * _PITCH, _SIDE, _SIDE)
                heats[box], lines = shown(style, runs[seed], _SIDE)
                place = Affine2D().scale(_SIDE).translate(box.left, height - box.top - _SIDE)
                markers = style.markers(plane.points, most=150, transform=place, ms=3.2, mew=0)
                artists += [*markers, contour_line(place, 1.3, lines), unit_frame(place)]
    for artist in artists:
        artist.set_figure(figure)
    image = Canvas(figure, style.palette).draw(artists, heats)
    write(image, (12, 26), title, "Sans-Bold", 16)
    write(image, (12, top - 38), heading, "Sans", 13, GREY)
    _write_names(image, left, top, list(rows), columns)
    return image


def _heading(drawn: int, in_all: int, note: str) -> str:
    count = in_all if in_all == drawn else f"{drawn} of {in_all:,}"
    seeds = f"{count} {'seed' if in_all == 1 else 'seeds'}"
    return f"{seeds} · {note}" if note else seeds


def _write_names(image: Image.Image, left: int, top: int, names: Sequence[str], seeds: Sequence[int]) -> None:
    """Writes the names of the rows and the seeds above the columns of the tiles, which begin there."""
    for row, name in enumerate(names):
        write(image, (12, top + row * _PITCH + _SIDE / 2), name, "Sans-Bold", 15, anchor="lm")
    for column, seed in enumerate(seeds):
        middle = left + column * _PITCH + _SIDE / 2
        write(image, (middle, top - 10), f"seed {seed}", "Sans", 13, GREY, "ms", _SIDE)
