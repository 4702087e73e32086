"""The hidden activations: the value of each and its derivative, written into arrays that are given.

``value(z, out)`` fills ``out`` with φ(z); ``derivative(z, a, out)`` fills it with φ'(z), where
``a = φ(z)`` is passed along because most derivatives are cheapest from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Activation:
    """An elementwise function φ and its derivative.

    ``rectifies``: its derivative is 0 or 1, and a unit of it can be dead (0 for every input).
    ``from_value``: its derivative needs only a = φ(z), so that a may take the place of z.
    """

    value: Callable[[Array, Array], object]
    derivative: Callable[[Array, Array, Array], object]
    rectifies: bool = False
    from_value: bool = True


def _relu(z: Array, out: Array) -> None:
    # With a scalar 0, np.maximum takes a path three times slower than with an array of zeros.
    np.maximum(z, _zeros(z.shape[-2:], z.dtype), out=out)


@lru_cache(maxsize=32)
def _zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    return np.zeros(shape, dtype)


def _relu_derivative(z: Array, a: Array, out: Array) -> None:
    np.greater(a, 0, out=out)  # 0 at 0, as in the published notebook


def _tanh_derivative(z: Array, a: Array, out: Array) -> None:
    np.multiply(a, a, out=out)
    np.subtract(1, out, out=out)


def sigmoid(z: Array, out: Array) -> None:
    """Fills out with 1 / (1 + exp(−z)); exp may overflow to inf, which rightly gives 0."""
    np.negative(z, out=out)
    np.exp(out, out=out)
    np.add(out, 1, out=out)
    np.divide(1, out, out=out)


def _sigmoid_derivative(z: Array, a: Array, out: Array) -> None:
    np.subtract(1, a, out=out)
    np.multiply(out, a, out=out)


ACTIVATIONS = {
    "relu": Activation(_relu, _relu_derivative, rectifies=True),
    "tanh": Activation(np.tanh, _tanh_derivative),
    "sigmoid": Activation(sigmoid, _sigmoid_derivative),
    "linear": Activation(lambda z, out: np.copyto(out, z), lambda z, a, out: out.fill(1)),
}
