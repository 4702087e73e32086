"""Hidden activations: functions that write an activation, or its derivative, into a given array.

| name         | φ(z)                                   | source                                    |
|--------------|----------------------------------------|-------------------------------------------|
| `relu`       | max(z, 0)                              | Nair & Hinton 2010                        |
| `leaky_relu` | z where z > 0, else 0.01 z             | Maas et al. 2013                          |
| `elu`        | z where z > 0, else exp(z) − 1         | Clevert et al. 2016, arXiv:1511.07289     |
| `selu`       | λ z where z > 0, else λ α (exp(z) − 1) | Klambauer et al. 2017, arXiv:1706.02515   |
| `gelu`       | z Φ(z), Φ the normal distribution      | Hendrycks & Gimpel 2016, arXiv:1606.08415 |
| `silu`       | z σ(z), also called swish              | Elfwing et al. 2018, arXiv:1702.03118     |
| `softplus`   | log(1 + exp(z))                        | Dugas et al. 2001                         |
| `tanh`       | tanh(z)                                |                                           |
| `sigmoid`    | σ(z) = 1 / (1 + exp(−z))               |                                           |
| `erf`        | erf(z), of exact mean-field laws       | Williams 1997                             |
| `sin`        | sin(z)                                 | Sitzmann et al. 2020, arXiv:2006.09661    |
| `softsign`   | z / (1 + |z|)                          | Bergstra et al. 2009                      |
| `exponential`| exp(z)                                 |                                           |
| `linear`     | z                                      |                                           |

``value(z, out)`` fills ``out`` with φ(z); ``derivative(z, a, out)`` fills it with φ'(z), where a = φ(z).
At a kink the derivative is the one of the left side, as PyTorch has it. Callers silence overflow: an exp
of a large number rightly becomes inf.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from initlab.types import Array

LEAK = 0.01  # the slope of leaky_relu left of 0
SELU_RIGHT = 1.0507009873554804934193349852946  # λ, the slope right of 0
SELU_LEFT = SELU_RIGHT * 1.6732632423543772848170429916717  # λ α, the slope at 0 from the left

# Beyond ±FAR gelu and silu are 0 or z in every precision; 0 · inf, which is nan, is kept out by it.
FAR = 800.0
BEYOND = 1e30  # from there on softsign is 1 in every precision, and ∞ / ∞, which is nan, is kept out


@dataclass(frozen=True)
class Activation:
    """An elementwise function φ and its derivative.

    ``rectifies``: its derivative is 0 or 1, and a unit of it can be dead (0 for every input).
    ``from_value``: its derivative is computed from a = φ(z) alone, so that a may take the place of z: ``out``
    of its value may be z itself. Otherwise the derivative is computed from z alone, never from a, and
    ``out`` is never z.
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


def _leaky_relu(z: Array, out: Array) -> None:
    np.maximum(z, z * LEAK, out=out)


def _leaky_relu_derivative(z: Array, a: Array, out: Array) -> None:
    np.greater(a, 0, out=out)
    np.maximum(out, LEAK, out=out)


def _elu(z: Array, out: Array) -> None:
    np.minimum(z, 0, out=out)
    np.expm1(out, out=out)
    np.maximum(z, out, out=out)  # exp(z) − 1 is never less than z


def _elu_derivative(z: Array, a: Array, out: Array) -> None:
    np.minimum(z, 0, out=out)
    np.exp(out, out=out)


def _selu(z: Array, out: Array) -> None:
    np.minimum(z, 0, out=out)
    np.expm1(out, out=out)
    np.multiply(out, SELU_LEFT, out=out)
    right = np.maximum(z, 0)
    np.multiply(right, SELU_RIGHT, out=right)
    np.add(out, right, out=out)


def _selu_derivative(z: Array, a: Array, out: Array) -> None:
    _elu_derivative(z, a, out)
    np.multiply(out, SELU_LEFT, out=out)
    jump = np.greater(z, 0, out=np.empty_like(z))
    np.multiply(jump, SELU_RIGHT - SELU_LEFT, out=jump)
    np.add(out, jump, out=out)


def _gelu(z: Array, out: Array) -> None:
    from scipy.special import ndtr

    ndtr(z, out=out)
    np.multiply(out, np.maximum(z, -FAR), out=out)


def _gelu_derivative(z: Array, a: Array, out: Array) -> None:
    """Fills out with Φ(z) + z exp(−z²/2) / √(2π)."""
    from scipy.special import ndtr

    near = np.clip(z, -FAR, FAR)
    np.multiply(near, near, out=out)
    np.multiply(out, -0.5, out=out)
    np.exp(out, out=out)
    np.multiply(out, near, out=out)
    np.multiply(out, 1 / math.sqrt(2 * math.pi), out=out)
    np.add(out, ndtr(z, out=near), out=out)


def _silu(z: Array, out: Array) -> None:
    sigmoid(z, out)
    np.multiply(out, np.maximum(z, -FAR), out=out)


def _silu_derivative(z: Array, a: Array, out: Array) -> None:
    """Fills out with σ(z) (1 + z (1 − σ(z)))."""
    share = np.empty_like(z)
    sigmoid(z, share)
    np.subtract(1, share, out=out)
    np.multiply(out, np.clip(z, -FAR, FAR), out=out)
    np.add(out, 1, out=out)
    np.multiply(out, share, out=out)


def _softplus(z: Array, out: Array) -> None:
    """Fills out with max(z, 0) + log1p(exp(−|z|)), which neither overflows nor loses a small value."""
    rest = np.abs(z)
    np.negative(rest, out=rest)
    np.exp(rest, out=rest)
    np.log1p(rest, out=rest)
    np.maximum(z, 0, out=out)
    np.add(out, rest, out=out)


def _softplus_derivative(z: Array, a: Array, out: Array) -> None:
    """Fills out with σ(z) = 1 − exp(−a)."""
    np.negative(a, out=out)
    np.expm1(out, out=out)
    np.negative(out, out=out)


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


def _erf(z: Array, out: Array) -> None:
    from scipy.special import erf

    erf(z, out=out)


def _erf_derivative(z: Array, a: Array, out: Array) -> None:
    np.multiply(z, z, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.multiply(out, 2 / math.sqrt(math.pi), out=out)


def _softsign(z: Array, out: Array) -> None:
    near = np.clip(z, -BEYOND, BEYOND)
    np.abs(near, out=out)
    np.add(out, 1, out=out)
    np.divide(near, out, out=out)


def _softsign_derivative(z: Array, a: Array, out: Array) -> None:
    """Fills out with 1 / (1 + |z|)²; from a it would lose its digits where a is near 1."""
    np.abs(z, out=out)
    np.add(out, 1, out=out)
    np.divide(1, out, out=out)
    np.multiply(out, out, out=out)


ACTIVATIONS = {
    "relu": Activation(_relu, _relu_derivative, rectifies=True),
    "leaky_relu": Activation(_leaky_relu, _leaky_relu_derivative),
    "elu": Activation(_elu, _elu_derivative, from_value=False),
    "selu": Activation(_selu, _selu_derivative, from_value=False),
    "gelu": Activation(_gelu, _gelu_derivative, from_value=False),
    "silu": Activation(_silu, _silu_derivative, from_value=False),
    "softplus": Activation(_softplus, _softplus_derivative),
    "tanh": Activation(np.tanh, _tanh_derivative),
    "sigmoid": Activation(sigmoid, _sigmoid_derivative),
    "erf": Activation(_erf, _erf_derivative, from_value=False),
    "sin": Activation(np.sin, lambda z, a, out: np.cos(z, out=out), from_value=False),
    "softsign": Activation(_softsign, _softsign_derivative, from_value=False),
    "exponential": Activation(np.exp, lambda z, a, out: np.copyto(out, a)),
    "linear": Activation(lambda z, out: np.copyto(out, z), lambda z, a, out: out.fill(1)),
}
