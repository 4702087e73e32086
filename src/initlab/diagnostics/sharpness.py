"""Curvature of the cost at a step's parameters: its Hessian, and how much one step changes the gradient.

The whole Hessian is computed for small networks. For larger ones its products with some directions, which
are the same for every run, estimate what is wanted.
"""

import numpy as np

from initlab.diagnostics.derivatives import eigenvalues
from initlab.networks import hessian as bends
from initlab.networks.network import Network
from initlab.training.step import Step
from initlab.types import Array

EXAMPLES = 128  # the cost is that of so many examples at most, the first
WHOLE = 300  # so many parameters at most have their whole Hessian computed
COLUMNS = 16  # of it at a time: few enough to stay in the cache
LANCZOS_STEPS = 16
PROBES = 16


def hessian(step: Step) -> dict[str, Array]:
    """Returns the ``top`` (largest) eigenvalue, called sharpness, and the ``trace`` of the Hessian of the
    cost of the first EXAMPLES examples.

    Exact up to WHOLE parameters; beyond, the top by Lanczos' iteration (1950), which comes from below, and
    the trace by Hutchinson's estimate (1990), whose standard error is √(2/PROBES) times the norm of what
    the Hessian has off its diagonal.
    """
    parameters, X1, targets = step.first(EXAMPLES)
    if step.network.trained > WHOLE:
        return {
            "top": lanczos_top(step.network, parameters, X1, targets),
            "trace": hutchinson_trace(step.network, parameters, X1, targets),
        }
    examples = (np.broadcast_to(shared, (len(parameters), *shared.shape[-2:])) for shared in (X1, targets))
    matrices = np.stack(
        [whole_hessian(step.network, *run) for run in zip(parameters, *examples, strict=True)]
    )
    return {"top": eigenvalues(matrices)[:, -1], "trace": np.trace(matrices, axis1=-2, axis2=-1)}


def gradient_quotient(step: Step) -> dict[str, Array]:
    """Returns how much a step of gradient descent of rate 1 changes the gradient itself, 0 where it would
    not, over the first EXAMPLES examples: see ``networks.hessian`` (Dauphin & Schoenholz 2019).
    """
    return {"global": bends.gradient_quotient(step.network, *step.first(EXAMPLES))}


def whole_hessian(network: Network, point: Array, X1: Array, targets: Array) -> Array:
    """Returns the Hessian (P, P) of the cost at one point (P,), symmetric."""
    directions = np.split(np.eye(network.trained), range(COLUMNS, network.trained, COLUMNS))
    columns = np.concatenate(
        [bends.hessian_products(network, point[np.newaxis], some, X1, targets) for some in directions]
    )
    symmetric: Array = (columns + columns.T) / 2
    return symmetric


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


def hutchinson_trace(network: Network, points: Array, X1: Array, targets: Array) -> Array:
    """Returns the mean of v·Hv (R,) over PROBES vectors v of random signs, at each point (R, P)."""
    stream, total = np.random.RandomState(0), np.zeros(len(points))
    for _ in range(PROBES):
        signs = np.tile(1.0 - 2 * stream.randint(2, size=network.trained), (len(points), 1))
        total += np.vecdot(signs, bends.hessian_products(network, points, signs, X1, targets))
    return total / PROBES
