"""Clipping: limits the norm of a gradient before the update rule sees it."""

import numpy as np

from initlab.optimizers.rules import State, Update
from initlab.types import Array


def clipped(update: Update, clip: float | Array) -> Update:
    """Returns the update rule for gradients whose Euclidean norm over all of a run's parameters is at most
    ``clip``, a number or (R, 1); a longer gradient keeps its direction.

    Pascanu et al. 2013, 'On the difficulty of training recurrent neural networks', arXiv:1211.5063,
    algorithm 1.
    """

    def clipped_update(parameters: Array, gradient: Array, state: State) -> None:
        # In float64: in float32 the squares of an exploding gradient are soon inf.
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.square(gradient, dtype=np.float64)
            norm = np.sqrt(np.add.reduce(squares, axis=-1, keepdims=True))
            np.multiply(gradient, clip / np.maximum(norm, clip), out=gradient)
        update(parameters, gradient, state)

    return clipped_update
