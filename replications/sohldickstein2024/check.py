"""The boundary of trainability: which pairs of hyper-parameters train a network, and how rough is it?"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import chain
from multiprocessing import get_context
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from threadpoolctl import threadpool_limits

from initlab.networks.network import Network
from initlab.plots import panels
from initlab.plots.figures.labels import number_text
from initlab.plots.style import CONVERGES
from initlab.shelf.descent import descent
from initlab.shelf.estimate import Estimate, median
from initlab.shelf.replication import Sweeping
from initlab.training.loop import fit
from initlab.training.standing import at_start
from initlab.types import Array

UNITS = 16  # inputs and hidden units of the paper's network
EXAMPLES = UNITS * UNITS + UNITS  # as many as it has weights
NETWORK = Network((UNITS, UNITS, 1), "tanh", "linear")
STACK = 32  # runs that train side by side: as many as the cache holds
LARGEST = 1e6  # a loss beyond it counts as this
Training = Callable[[Array], Array]
LAST = 20  # iterations whose mean loss tells whether training has converged


def measure(
    sweep: Sweeping,
    *,
    iterations: int,
    picture: Sequence[float],
    picture_side: int,
    scale_rate: Sequence[float],
    rate_rate: Sequence[float],
    side: int,
    seeds: int,
    zooms: int,
    cores: int,
) -> tuple[dict[str, Estimate], Any]:
    """Returns the box dimensions of the boundary in both planes, and the picture with its ends.

    ``picture``, ``scale_rate`` and ``rate_rate`` are the decimal logarithms of the ends of the axes: left,
    right, lower, upper. From the latter two, networks of several seeds are zoomed into.
    """
    with on_cores(cores) as each:
        shown = plane(partial(speeds, 0, iterations, True), each, picture_side, picture)
        zoomed = [
            [
                box_dimension(one)
                for seed in range(seeds)
                for one in zoom(partial(speeds, seed, iterations, scaled), each, side, ends, zooms)
            ]
            for scaled, ends in ((True, scale_rate), (False, rate_rate))
        ]
    ours = {
        "scale_rate": median([box_dimension(shown), *zoomed[0]]),
        "rate_rate": median(zoomed[1]),
    }
    return ours, (shown, picture)


@contextmanager
def on_cores(cores: int) -> Iterator[Callable[..., Iterable[Array]]]:
    """Gives a ``map`` that works on so many cores."""
    if cores == 1:
        yield map
        return
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        yield partial(pool.map, chunksize=4)


def zoom(
    trained: Training, each: Callable[..., Iterable[Array]], side: int, ends: Sequence[float], zooms: int
) -> Iterator[Array]:
    """Yields pictures of a plane, the next always of an eighth of the one before to either side, round the
    place with the most boundary.
    """
    picture = plane(trained, each, side, ends)
    for _ in range(zooms):
        density = uniform_filter(boundary(picture).astype(float), side // 8, mode="constant")
        up, across = np.unravel_index(np.argmax(density), density.shape)
        ends = [
            *_around(ends[0], ends[1], (across + 1) / side),
            *_around(ends[2], ends[3], (up + 1) / side),
        ]
        picture = plane(trained, each, side, ends)
        yield picture


def _around(low: float, high: float, place: float) -> tuple[float, float]:
    center, half = low + (high - low) * place, (high - low) / 16
    return float(center - half), float(center + half)


def plane(trained: Training, each: Callable[..., Iterable[Array]], side: int, ends: Sequence[float]) -> Array:
    """Returns a picture (side, side) of a plane: how fast training converged, negative, or diverged."""
    across, up = np.logspace(ends[0], ends[1], side), np.logspace(ends[2], ends[3], side)
    pairs = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    stacks = np.array_split(pairs, max(1, len(pairs) // STACK))
    done = each(trained, stacks)
    return np.fromiter(chain.from_iterable(done), np.float64, len(pairs)).reshape(side, side)


def speeds(seed: int, iterations: int, scaled: bool, pairs: Array) -> Array:
    """Returns how fast a stack of runs (R, 2) converged, −Σ of their losses, or diverged, Σ of 1 / loss, each
    relative to the first loss. A pair is the scale of the first weights and the learning rate or, where the
    start is not ``scaled``, the learning rates of both layers.
    """
    rng = np.random.RandomState(seed)
    X, Y = rng.standard_normal((UNITS, EXAMPLES)), rng.standard_normal((1, EXAMPLES))
    scale = pairs[:, :1, np.newaxis] if scaled else np.ones((len(pairs), 1, 1))
    rates = np.repeat(pairs[:, 1:], 2, axis=1) if scaled else pairs
    losses = np.full((iterations, len(pairs)), np.inf)
    with threadpool_limits(1), np.errstate(all="ignore"):  # a run that diverges overflows on its way
        update = descent(own_rates(rates))
        for record in fit(NETWORK, at_start(start(rng, scale)), (X, Y), update, iterations=iterations):
            losses[record.iteration] = record.cost
        losses = np.where(np.isfinite(losses), losses, LARGEST) / losses[0]
        losses = np.minimum(losses, LARGEST)
    converged = losses[-LAST:].mean(axis=0) < 1
    return np.asarray(np.where(converged, -losses.sum(axis=0), (1 / losses).sum(axis=0)))


def start(rng: np.random.RandomState, scale: Array) -> Array:
    """Returns first parameters (R, P) of ŷ = W₁ tanh(√2 W₀ x / √n) / n, W ~ N(0, scale²), with the factors
    drawn into the weights.
    """
    flat = np.zeros((len(scale), NETWORK.size))
    first, second = NETWORK.blocks(flat)
    first[..., :-1] = scale * rng.standard_normal((UNITS, UNITS)) * np.sqrt(2 / UNITS)
    second[..., :-1] = scale * rng.standard_normal((1, UNITS)) / UNITS
    return flat


def own_rates(rates: Array) -> Array:
    """Returns each parameter's learning rate (R, P) from those of the two layers (R, 2).

    Where a weight has a factor drawn into it, its rate has the factor's square; the paper's loss is twice
    Initlab's; it has no biases.
    """
    own = np.zeros((len(rates), NETWORK.size))
    first, second = NETWORK.blocks(own)
    first[..., :-1] = rates[:, :1, np.newaxis] * 2 * 2 / UNITS
    second[..., :-1] = rates[:, 1:, np.newaxis] * 2 / UNITS**2
    return own


def boundary(picture: Array) -> NDArray[np.bool_]:
    """Returns where (side − 1, side − 1) four neighbours do not all converge or all diverge."""
    converged = picture < 0
    corners = np.stack([converged[1:, 1:], converged[1:, :-1], converged[:-1, 1:], converged[:-1, :-1]])
    return np.asarray(corners.any(axis=0) & ~corners.all(axis=0))


def box_counts(edges: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Returns box sizes 1, 2, 4, … up to a quarter of the side, and how many boxes hold some boundary."""
    side = 2 ** int(np.log2(len(edges) + 1))
    edges = np.pad(edges, ((0, side - len(edges)), (0, side - len(edges)))) if side > len(edges) else edges
    sizes = 2 ** np.arange(int(np.log2(side)) - 1)
    counts = [
        edges[:side, :side].reshape(side // size, size, side // size, size).any(axis=(1, 3)).sum()
        for size in sizes
    ]
    return sizes.astype(np.float64), np.array(counts, np.float64)


def box_dimension(picture: Array) -> float:
    """Returns the median slope of log count over −log size; NaN without any boundary.

    The paper's code takes the median of the slopes of all its pictures together.
    """
    sizes, counts = box_counts(boundary(picture))
    if not counts.all():
        return float("nan")
    return float(np.median(-np.gradient(np.log(counts)) / np.gradient(np.log(sizes))))


def figure(data: Any) -> Figure:
    """Returns the picture: blue converges, orange diverges, the darker the slower."""
    picture, ends = data
    figure, (axes,) = panels(
        "The boundary of trainability",
        "blue: training converges; orange: it diverges; each pixel is a network, trained",
        [""],
        width=768,
        height=768,
    )
    axes.imshow(
        evened(picture),
        cmap=CONVERGES,
        origin="lower",
        interpolation="nearest",
        extent=ends,
        aspect="auto",
        vmin=-1,
        vmax=1,
    )
    axes.grid(visible=False)
    axes.set(xlabel="scale of the first weights", ylabel="learning rate")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda power, _: number_text(float(f"{10**power:.3g}")))
    return figure


def evened(picture: Array) -> Array:
    """Returns a picture whose values are spread evenly over −1 … −0.2 and 0.2 … 1, as in the paper's."""
    order, below = np.sort(picture.ravel()), int((picture < 0).sum())
    levels = [np.linspace(-1, -0.2, below), np.linspace(0.2, 1, picture.size - below)]
    return np.interp(picture, order, np.concatenate(levels))
