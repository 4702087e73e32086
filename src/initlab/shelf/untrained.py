"""Many untrained networks at once: what they do to a signal before any training."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from initlab.initializers import initial_parameters
from initlab.networks.network import Network
from initlab.networks.tape import Tape, with_ones
from initlab.threads import one_thread
from initlab.types import Array

NUMBERS = 4_000_000  # of the networks that are looked at together, parameters and activations


def untrained(
    network: Network, init: Callable[..., Array], seeds: Sequence[int], X: Array, bias: Any = None
) -> Iterator[Tape]:
    """Yields tapes that have gone forward with inputs X (n_x, m) in networks of all seeds, some at a time."""
    size = max(1, NUMBERS // (network.size + 2 * X.shape[-1] * sum(network.sizes)))
    for first in range(0, len(seeds), size):
        with one_thread(), np.errstate(all="ignore"):
            some = seeds[first : first + size]
            flat = np.stack([initial_parameters(init, network, seed, bias=bias) for seed in some])
            tape = Tape(network, flat, X.shape[-1], keeps_z=True)
            tape.read(with_ones(X))
            tape.forward()
        yield tape


def mean_squares(tape: Tape) -> Array:
    """Returns the mean square of each hidden layer's pre-activations and of the output's, (R, L)."""
    return np.stack([np.mean(np.square(z), axis=(-2, -1)) for z in tape.z], axis=1)
