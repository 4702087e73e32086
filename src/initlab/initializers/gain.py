"""A factor on the weights, as a number or by the name of the activation whose shrinking it makes up for."""

from typing import Annotated

from initlab import gains
from initlab.activations import ACTIVATIONS
from initlab.checks import Rule, is_number

Gain = Annotated[
    float | str,
    Rule(
        f"a finite number greater than 0, or an activation: {', '.join(ACTIVATIONS)}",
        lambda v: (is_number(v) and v > 0) or (isinstance(v, str) and v in ACTIVATIONS),
    ),
]


def factor(gain: float | str) -> float:
    """Returns the gain as a number: √2 for relu (see ``gains``)."""
    return gains.gain(gain) if isinstance(gain, str) else float(gain)
