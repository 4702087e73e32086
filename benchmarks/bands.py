"""Do nine of ten networks lie in the microscope's bands? A part of ``make proof``, for docs/microscope.md.

Networks are drawn and looked at as the microscope does it, and those that lie in the bands are counted.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from initlab.activations import ACTIVATIONS
from initlab.initializers import orthogonal
from initlab.networks.network import Network
from initlab.propagation.signals import gradients_from_above, pairs_of_inputs, propagate
from initlab.theory.finite_width import LayerLaw, draw_chain, quantiles
from initlab.types import Array
from tools.generated import table

PAGE = Path(__file__).parent.parent / "docs" / "microscope.md"
NETWORKS, AT_ONCE = 3000, 500
VARIANCES = {  # σw², σb²: not far from critical, where a spread adds up longest
    "relu": (2.0, 0.0), "leaky_relu": (2.0, 0.0), "elu": (1.2, 0.1), "selu": (1.0, 0.0), "gelu": (2.155, 0.0),
    "silu": (2.43, 0.0), "softplus": (1.0, 0.1), "tanh": (1.6, 0.05), "sigmoid": (2.0, 0.3),
    "erf": (1.2, 0.05), "sin": (1.5, 0.1), "linear": (1.0, 0.0),
}  # fmt: skip
COLUMNS = {  # layers and units, and whether weights are rotations
    "Gaussian, 20 layers of 20": (20, False),
    "Gaussian, 7 of 7": (7, False),
    "orthogonal, 10 of 10": (10, True),
}


def coverage(name: str, width: int, rotations: bool, networks: int) -> dict[str, Array]:
    """Returns which share of so many networks, as deep as they are wide, is in the band of each layer: for
    the signal's mean square, the correlation of two inputs and the gradient's mean square, each (L,). NaN
    stands where every network has the same value, as the gradient that is given at the top.
    """
    w2, b2 = VARIANCES[name]
    parts = [
        propagate(
            Network((width,) * (width + 1) + (1,), name),
            parameters,
            pairs_of_inputs(seeds, width, 1.0, 0.5),
            gradients_from_above(seeds, width),
        )
        for seeds, parameters in _drawn(name, width, rotations, networks)
    ]
    chain = draw_chain(ACTIVATIONS[name], [LayerLaw(width, width, w2, b2, rotations)] * width, 1.0, 0.5)
    return {
        quantity: _held(np.concatenate([getattr(part, quantity) for part in parts]), drawn)
        for quantity, drawn in chain._asdict().items()
    }


def coverage_table(networks: int = NETWORKS) -> str:
    """Returns the lowest and the highest coverage of any layer and quantity, by activation."""
    rows = []
    for name in VARIANCES:
        cells = []
        for width, rotations in COLUMNS.values():
            held = np.concatenate(list(coverage(name, width, rotations, networks).values()))
            held = held[~np.isnan(held)]
            cells.append(f"{held.min():.1%} to {held.max():.1%}" if len(held) else "exact")
        rows.append([f"`{name}`", *cells])
    return table(["activation", *COLUMNS], rows)


def _drawn(name: str, width: int, rotations: bool, networks: int) -> Iterator[tuple[range, Array]]:
    """Yields the parameters (R, P) of networks, some at once, with their seeds."""
    w2, b2 = VARIANCES[name]
    network, rng = Network((width,) * (width + 1) + (1,), name), np.random.RandomState(width)
    for start in range(0, networks, AT_ONCE):
        seeds = range(start, min(start + AT_ONCE, networks))
        flat = rng.standard_normal((len(seeds), network.size))
        for block in network.blocks(flat)[:-1]:
            block[..., :-1] *= math.sqrt(w2 / width)
            block[..., -1] *= math.sqrt(b2)
            for weights in block[..., :-1] if rotations else ():
                weights[:] = orthogonal(rng, (width, width), gain=math.sqrt(w2))
        yield seeds, flat


def _held(measured: Array, drawn: Array) -> Array:
    low, _, high = quantiles(drawn)
    known = ~np.isnan(measured)
    inside = (measured >= low) & (measured <= high) & known
    with np.errstate(invalid="ignore"):
        share = inside.sum(axis=0) / known.sum(axis=0)
        same = high - low <= 1e-9 * np.maximum(abs(low), abs(high))
    return np.where(same, np.nan, share)
