"""What is measured from a step: small pure functions, each named in DIAGNOSTICS and so measured.

Each takes a Step and returns a mapping from what is measured ('layer1', …, 'global') to one value a run (R,).
A metric is called ``<function>/<what>``, for example ``grad_norm/layer1``. Layers count from 1; the last
is the output.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from initlab.activations import Array
from initlab.network import Network, Pass


class Step(NamedTuple):
    """One iteration before its update: the parameters (R, P), the gradient (R, P) of its cost, and a pass
    over all examples.
    """

    network: Network
    parameters: Array
    gradient: Array
    arrays: Pass


Measurement = Callable[[Step], Mapping[str, Array]]


def grad_norm(step: Step) -> dict[str, Array]:
    """Returns the Euclidean norm of the gradient of each layer (weights and bias) and of the whole
    network.
    """
    squares = _layer_squares(step.network, step.gradient)
    return _by_layer(np.sqrt(squares)) | {"global": np.sqrt(np.add.reduce(squares, axis=-1))}


def weight_norm(step: Step) -> dict[str, Array]:
    """Returns the Frobenius norm of each layer's weights, without the bias."""
    blocks = step.network.blocks(step.parameters)
    norms = [np.sqrt(np.square(block[..., :-1]).sum(axis=(-2, -1))) for block in blocks]
    return _by_layer(np.stack(norms, axis=-1))


def activation_std(step: Step) -> dict[str, Array]:
    """Returns the standard deviation of each layer's activations over its units and all examples."""
    activations = [*step.arrays.hidden, step.arrays.probabilities()]
    return _by_layer(np.stack([np.std(a, axis=(-2, -1)) for a in activations], axis=-1))


def dead_units(step: Step) -> dict[str, Array]:
    """Returns for each hidden layer of ReLUs the share of its units that are 0 for every example."""
    if not step.network.activation.rectifies:
        return {}
    return _by_layer(np.stack([np.mean(a.max(axis=-1) == 0, axis=-1) for a in step.arrays.hidden], axis=-1))


def distinct_units(step: Step) -> dict[str, Array]:
    """Returns for each hidden layer how many different units it has: 1 where symmetry was never broken.

    Two units are the same when their weights and bias differ by no more than rounding may have moved
    them apart: 1e-7 of the larger one's norm, or 1000 ε where the precision ε of the numbers is coarser.
    """
    blocks = step.network.blocks(step.parameters)[:-1]
    return _by_layer(np.stack([_count_distinct_rows(block) for block in blocks], axis=-1))


def _count_distinct_rows(block: Array) -> Array:
    tolerance = max(1e-7, 1000 * float(np.finfo(block.dtype).eps))
    rows = block.astype(np.float64)
    products = np.matmul(rows, rows.mT)
    squares = np.diagonal(products, axis1=-2, axis2=-1)
    distances = squares[..., :, np.newaxis] + squares[..., np.newaxis, :] - 2 * products
    larger = np.maximum(squares[..., :, np.newaxis], squares[..., np.newaxis, :])
    same = distances <= tolerance**2 * larger
    repeats_an_earlier_row = np.tril(same, -1).any(axis=-1)
    distinct: Array = np.sum(~repeats_an_earlier_row, axis=-1).astype(np.float64)
    return distinct


def _layer_squares(network: Network, flat: Array) -> Array:
    squares: Array = np.add.reduceat(np.square(flat), network.offsets[:-1], axis=-1)
    return squares


def _by_layer(values: Array) -> dict[str, Array]:
    return {f"layer{number}": values[:, number - 1] for number in range(1, values.shape[-1] + 1)}


DIAGNOSTICS: tuple[Measurement, ...] = (
    grad_norm,
    weight_norm,
    activation_std,
    dead_units,
    distinct_units,
)


def measure(step: Step, diagnostics: tuple[Measurement, ...]) -> dict[str, Array]:
    """Returns every diagnostic of a step by metric name, each (R,)."""
    return {
        f"{diagnostic.__name__}/{what}": value
        for diagnostic in diagnostics
        for what, value in diagnostic(step).items()
    }
