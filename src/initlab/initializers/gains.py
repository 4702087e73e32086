"""The gain of an activation: the factor on the weights that makes up for how much it shrinks a signal."""

import math
from functools import cache
from typing import Annotated

from initlab.activations import ACTIVATIONS
from initlab.config.rules import Rule, is_number

Gain = Annotated[
    float | str,
    Rule(
        f"a finite number greater than 0, or an activation: {', '.join(ACTIVATIONS)}",
        lambda v: (is_number(v) and v > 0) or (isinstance(v, str) and v in ACTIVATIONS),
    ),
]

# No g gives their activations a unit second moment: they never exceed 1, but for exp(z), which always does.
WITHOUT = ("tanh", "sigmoid", "erf", "sin", "softsign", "exponential")


def factor(gain: float | str) -> float:
    """Returns the gain as a number; that of an activation is ``gain_of`` it, √2 for relu."""
    return gain_of(gain) if isinstance(gain, str) else float(gain)


@cache
def gain_of(activation: str) -> float:
    """Returns the g for which weights of variance g² / fan_in keep a unit second moment of the activations:
    E[φ(g z)²] = 1 for z ~ N(0, 1), which is He's argument (2015, arXiv:1502.01852) for any φ.

    √2 for relu, √(2 / (1 + a²)) for the slope a of leaky_relu, 1 for linear and, by its design, for selu.
    Activations that never exceed 1 (tanh, sigmoid, erf, sin, softsign), and the exponential, have no such g;
    theirs is 1 / √E[φ(z)²], which keeps a unit second moment of the pre-activations. PyTorch's
    ``calculate_gain`` has customary values for some: 5/3 for tanh, 1 for sigmoid.
    """
    from initlab.theory.mean_field import second_moment

    phi = ACTIVATIONS[activation]
    g = 1 / math.sqrt(second_moment(phi, 1.0))
    if activation in WITHOUT:
        return g
    for _ in range(100):  # contracts: at once for relu, by a half or better for the others
        g /= math.sqrt(second_moment(phi, g * g))
    return g
