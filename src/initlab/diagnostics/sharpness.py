"""Curvature of the cost at a step's parameters: its Hessian, and how much one step changes the gradient.

The whole Hessian is computed for small networks. For larger ones its products with some directions estimate
what is wanted.
"""

from collections.abc import Iterator

import numpy as np

from initlab.diagnostics.derivatives import eigenvalues
from initlab.networks import hessian as bends
from initlab.networks.network import Network
from initlab.streams import DIRECTIONS, stream
from initlab.training.step import Step
from initlab.types import Array

EXAMPLES = 10_000  # the cost is that of so many examples at most, the first
WHOLE = 300  # so many parameters at most have their whole Hessian, and its eigenvalues, computed
DIAGONAL = 1000  # so many its diagonal
COLUMNS = 16  # of it at a time: few enough to stay in the cache
LANCZOS_STEPS = 16
PROBES = 16


def hessian(step: Step) -> dict[str, Array]:
    """Returns the ``top`` (largest) eigenvalue, called sharpness, and the ``trace`` of the Hessian of the
    step's cost, with the trace's standard error ``trace_error``, and of how many ``examples`` they are.

    They are of all examples of the step: of the training part, or of a mini-batch. Where these are more than
    EXAMPLES, they are of the first ones. The top is exact up to WHOLE parameters; beyond it is that of
    Lanczos' iteration (1950), which comes from below. The trace is exact, of error 0, up to DIAGONAL
    parameters; beyond it is Hutchinson's estimate (1990), along directions of the run's own at every step.
    """
    parameters, X1, targets = step.first(EXAMPLES)
    network, exact = step.network, np.zeros(len(parameters))
    counted = {"examples": np.full(len(parameters), float(X1.shape[-1]))}
    if network.trained > WHOLE:
        top = lanczos_top(network, parameters, X1, targets)
        if network.trained > DIAGONAL:
            trace, error = hutchinson_trace(network, parameters, X1, targets, _probes(step))
        else:
            trace, error = exact_trace(network, parameters, X1, targets), exact
        return {"top": top, "trace": trace, "trace_error": error, **counted}
    matrices = np.stack([whole_hessian(network, *run) for run in _each(parameters, X1, targets)])
    top, trace = eigenvalues(matrices)[:, -1], np.trace(matrices, axis1=-2, axis2=-1)
    return {"top": top, "trace": trace, "trace_error": exact, **counted}


def _each(parameters: Array, X1: Array, targets: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Yields each run's parameters (P,) and examples."""
    examples = (np.broadcast_to(shared, (len(parameters), *shared.shape[-2:])) for shared in (X1, targets))
    return zip(parameters, *examples, strict=True)


def gradient_quotient(step: Step) -> dict[str, Array]:
    """Returns how much a step of gradient descent of rate 1 changes the gradient itself, 0 where it would
    not, over the first EXAMPLES examples: see ``networks.hessian`` (Dauphin & Schoenholz 2019).
    """
    return {"global": bends.gradient_quotient(step.network, *step.first(EXAMPLES))}


def whole_hessian(network: Network, point: Array, X1: Array, targets: Array) -> Array:
    """Returns the Hessian (P, P) of the cost at one point (P,), symmetric."""
    columns = np.concatenate([products for _, products in _columns(network, point, X1, targets)])
    symmetric: Array = (columns + columns.T) / 2
    return symmetric


def exact_trace(network: Network, points: Array, X1: Array, targets: Array) -> Array:
    """Returns the sum (R,) of the Hessian's diagonal at each point (R, P)."""
    return np.array(
        [
            sum(float(np.sum(unit * product)) for unit, product in _columns(network, *run))
            for run in _each(points, X1, targets)
        ]
    )


def _columns(network: Network, point: Array, X1: Array, targets: Array) -> Iterator[tuple[Array, Array]]:
    """Yields unit vectors, some at a time, and the Hessian's products with them at one point (P,)."""
    for some in np.split(np.eye(network.trained), range(COLUMNS, network.trained, COLUMNS)):
        yield some, bends.hessian_products(network, point[np.newaxis], some, X1, targets)


def lanczos_top(network: Network, points: Array, X1: Array, targets: Array) -> Array:
    """Returns the Hessian's largest eigenvalue (R,) at each point (R, P), as LANCZOS_STEPS products show it.

    Iterating powers would find the largest in size, which at a start is often a negative one.
    """
    draws = np.random.RandomState(0).standard_normal(network.trained)
    direction = np.tile(draws / np.linalg.norm(draws), (len(points), 1))
    before, length = np.zeros_like(direction), np.zeros(len(points))
    projected = np.zeros((len(points), LANCZOS_STEPS, LANCZOS_STEPS))
    for k in range(LANCZOS_STEPS):
        if k:
            projected[:, k, k - 1] = projected[:, k - 1, k] = length
        rest = bends.hessian_products(network, points, direction, X1, targets)
        rest -= length[:, np.newaxis] * before
        projected[:, k, k] = np.vecdot(rest, direction)
        rest -= projected[:, k, k, np.newaxis] * direction
        length = np.sqrt(np.vecdot(rest, rest))
        before, direction = direction, rest / np.where(length == 0, 1, length)[:, np.newaxis]
    return eigenvalues(projected)[:, -1]


def hutchinson_trace(
    network: Network, points: Array, X1: Array, targets: Array, probes: Array
) -> tuple[Array, Array]:
    """Returns the mean of v·Hv (R,) over vectors v of random signs, ``probes`` (k, R, P), at each point
    (R, P), and its standard error (R,), from how much they differ.
    """
    found = np.stack(
        [np.vecdot(v, bends.hessian_products(network, points, v, X1, targets)) for v in probes], axis=-1
    )
    return np.mean(found, axis=-1), np.std(found, axis=-1, ddof=1) / np.sqrt(len(probes))


def _probes(step: Step) -> Array:
    """Returns PROBES vectors of random signs for each run, (PROBES, R, P), from streams of their seeds."""
    seeds = step.seeds or [0] * len(step.parameters)
    draws = [
        stream(seed, DIRECTIONS, step.iteration).randint(2, size=(PROBES, step.network.trained))
        for seed in seeds
    ]
    return 1.0 - 2 * np.stack(draws, axis=1)
