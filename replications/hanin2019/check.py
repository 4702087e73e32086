"""Into how many linear pieces does a ReLU network cut its inputs?"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from initlab.initializers import he
from initlab.initializers.biases import normal
from initlab.initializers.starting import initial_parameters
from initlab.networks.network import Network
from initlab.plots import draw_key, draw_line, draw_theory, mark_values, panels
from initlab.plots.style import CURVE_COLORS, SCALE
from initlab.shelf.estimate import Estimate, mean
from initlab.shelf.replication import Sweeping
from initlab.types import Array

FAR = 1e4  # half the side of the square that stands for the plane
CORNERS = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
DEPTHS = (1, 2, 3, 4)


class Piece(NamedTuple):
    """A convex piece of the inputs: its corners (k, d), and the affine map (n, d + 1) from them to the
    activations of the layer that was reached.
    """

    corners: Array
    affine: Array


def measure(
    sweep: Sweeping,
    *,
    lines: int,
    units: Sequence[int],
    networks: int,
    shapes: Sequence[Sequence[int]],
    picture: Sequence[Sequence[int]],
) -> tuple[dict[str, Estimate], Any]:
    """Returns the counts over networks, and the pieces of one network of each shape of the picture."""
    pieces = {
        depth: np.array(
            [[pieces_of_line([n // depth] * depth, seed) for n in units] for seed in range(lines)]
        )
        for depth in DEPTHS
    }
    powers = np.polyfit(np.log(units), np.log(pieces[2].T), 1)[0]
    regions = [np.array([len(regions_of_plane(shape, seed)) for seed in range(networks)]) for shape in shapes]
    shares = [found / (sum(shape) ** 2 / 2) for found, shape in zip(regions, shapes, strict=True)]
    ours = {
        "line": mean(powers),
        "line_depth": mean(pieces[4][:, -1] / pieces[1][:, -1].mean()),
        "plane_shallow": mean(shares[0]),
        "plane_deep": mean(shares[2]),
    }
    shown = [
        (shape, regions_of_plane(shape, 3, half=2.0), len(regions_of_plane(shape, 3))) for shape in picture
    ]
    return ours, (units, pieces, shown)


def blocks_of(hidden: Sequence[int], seed: int, inputs: int) -> list[Array]:
    """Returns [W | b] of the hidden layers of a network at its start."""
    network = Network((inputs, *hidden, 1), "relu", "linear")
    biased = lambda rng, fan_in, own: normal(rng, fan_in, own, std=1.0)  # noqa: E731
    flat = initial_parameters(he, network, seed, bias=biased)
    return [block[0] for block in network.blocks(flat[np.newaxis])[:-1]]


def pieces_of_line(hidden: Sequence[int], seed: int) -> int:
    """Returns into how many linear pieces a network of two inputs cuts a random line."""
    rng = np.random.RandomState([seed, 1])
    angle, through = rng.uniform(0, np.pi), rng.standard_normal(2)
    along = np.array([[np.cos(angle), through[0]], [np.sin(angle), through[1]]])  # x = along @ [t, 1]
    return len(cut([Piece(np.array([[-FAR], [FAR]]), along)], blocks_of(hidden, seed, 2)))


def regions_of_plane(hidden: Sequence[int], seed: int, half: float = FAR) -> list[Piece]:
    """Returns the regions of a square about 0 that a network of two inputs cuts it into."""
    return cut([Piece(half * CORNERS, np.eye(2, 3))], blocks_of(hidden, seed, 2))


def cut(pieces: list[Piece], blocks: Sequence[Array]) -> list[Piece]:
    """Returns what the units of one layer after another make of pieces."""
    for block in blocks:
        below = [Piece(piece.corners, pre_activations(block, piece.affine)) for piece in pieces]
        pieces = [rectified(part) for piece in below for part in parts_of(piece)]
    return pieces


def pre_activations(block: Array, affine: Array) -> Array:
    """Returns the affine map of [W | b] after another."""
    composed: Array = block[:, :-1] @ affine
    composed[:, -1] += block[:, -1]
    return composed


def parts_of(piece: Piece) -> list[Piece]:
    """Returns a piece cut wherever one of its map's rows is 0."""
    values = piece.corners @ piece.affine[:, :-1].T + piece.affine[:, -1]
    crossing = np.flatnonzero((values > 0).any(axis=0) & (values < 0).any(axis=0))
    parts = [piece.corners]
    for unit in crossing:
        parts = [half for part in parts for half in halves(part, piece.affine[unit])]
    return [Piece(part, piece.affine) for part in parts]


def halves(corners: Array, row: Array) -> list[Array]:
    """Returns the corners of a convex piece, cut in two where the affine function changes its sign in it."""
    values = corners @ row[:-1] + row[-1]
    if (values >= 0).all() or (values <= 0).all():
        return [corners]
    if corners.shape[1] == 1:
        return _ends(corners, values)
    around = np.roll(corners, -1, axis=0), np.roll(values, -1)
    sides: tuple[list[Array], list[Array]] = ([], [])
    for here, value, after, value_after in zip(corners, values, *around, strict=True):
        for side, sign in zip(sides, (1, -1), strict=True):
            if sign * value >= 0:
                side.append(here)
        if value * value_after < 0:
            edge = here + (after - here) * (value / (value - value_after))
            sides[0].append(edge)
            sides[1].append(edge)
    return [np.array(side) for side in sides]


def _ends(corners: Array, values: Array) -> list[Array]:
    """Returns an interval cut in two."""
    low, high = corners
    middle = low + (high - low) * (values[0] / (values[0] - values[1]))
    return [np.array([low, middle]), np.array([middle, high])]


def rectified(piece: Piece) -> Piece:
    """Returns a piece on which no unit changes its sign, with the map of its activations."""
    center = piece.corners.mean(axis=0)
    on = piece.affine[:, :-1] @ center + piece.affine[:, -1] > 0
    return Piece(piece.corners, piece.affine * on[:, np.newaxis])


def figure(data: Any) -> Figure:
    """Returns the regions of some networks, and the pieces of lines over the number of units."""
    units, pieces, shown = data
    names = [f"{len(shape)} × {shape[0]} units: {count} regions" for shape, _, count in shown]
    title = "The linear regions of ReLU networks"
    subtitle = (
        "at the start: three planes near 0, cut by as many units; and how many pieces a line is cut into"
    )
    figure, axes = panels(title, subtitle, [*names, "Pieces of a line"], width=270, height=270)
    for one, (_, regions, _) in zip(axes, shown, strict=False):
        draw_regions(one, regions)
    for (depth, found), color in zip(pieces.items(), CURVE_COLORS, strict=False):
        draw_line(axes[-1], units, found.mean(axis=0), color, f"depth {depth}", marker="o")
    draw_theory(axes[-1], units, units, "N")
    axes[-1].set(xscale="log", yscale="log", xlabel="units N")
    for axis in (axes[-1].xaxis, axes[-1].yaxis):
        mark_values(axis, units)
    draw_key(axes[-1], loc="upper left")
    return figure


def draw_regions(axes: Axes, regions: Sequence[Piece]) -> None:
    """Draws polygons, coloured by how many units of the last layers are on."""
    on = np.array([np.any(piece.affine != 0, axis=1).mean() for piece in regions])
    order = np.argsort(np.argsort(on + 1e-9 * np.arange(len(on)))) / max(1, len(on) - 1)
    colors = SCALE(0.15 + 0.8 * order)
    axes.add_collection(PolyCollection([piece.corners for piece in regions], fc=colors, ec="white", lw=0.7))
    axes.set(xlim=(-2, 2), ylim=(-2, 2), aspect="equal", xticks=[], yticks=[])
