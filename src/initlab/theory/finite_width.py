"""The spread of networks of finite width: how far one draw strays from mean-field theory."""

from typing import NamedTuple

import numpy as np

from initlab.activations import Activation
from initlab.theory.gaussian import Values, derivative, mean, scaled, value
from initlab.theory.mean_field import mean_square_slope, next_mean_square, second_moment

BAND_DEVIATIONS = 1.6448536269514722  # to each side: nine of ten draws of a Gaussian


class Spread(NamedTuple):
    """How a layer of n units carries the relative variance v of a mean square on: s² v + (κ/n)(1 + s² v)."""

    s: float
    kappa: float

    def carry(self, v: float, width: int) -> float:
        """Returns the relative variance after a layer of this width."""
        carried = self.s**2 * v
        return carried + self.kappa / width * (1 + carried)


def forward_spread(activation: Activation, q: float, sigma_w2: float, sigma_b2: float) -> Spread:
    """Returns how one draw's mean square strays from q' = F(q) of the mean field.

    Given the layer below, the pre-activations of a layer are independent Gaussians of one variance. Over n
    of them the mean of φ² has the variance (E φ⁴ − (E φ²)²) / n, and what strayed before is carried on by
    s = d ln F / d ln q. For ReLU s = 1 and κ = 5, which makes prod(1 + 5/n) − 1 (compare Hanin & Rolnick
    2018, 'How to start training', arXiv:1803.01719).
    """
    moment, above = second_moment(activation, q), next_mean_square(activation, q, sigma_w2, sigma_b2)
    if not 0 < above < np.inf or moment == 0:
        return Spread(0.0, 0.0)
    share = sigma_w2 * moment / above  # the rest of q' is the biases', which do not stray
    with np.errstate(over="ignore"):
        kurtosis = float(mean((value(activation, scaled(q)) / np.sqrt(moment)) ** 4))
    s = mean_square_slope(activation, q, sigma_w2) * (q / above)
    return Spread(s, max(kurtosis - 1, 0.0) * share**2)


def gradient_spread(activation: Activation, q: float) -> Spread:
    """Returns the same for a gradient's mean square: Wᵀ makes the gradient Gaussian, then φ' multiplies it.

    That the draw's own q is not the mean field's is left out; for ReLU it makes no difference.
    """
    squares = derivative(activation, scaled(q)) ** 2
    moment = float(mean(squares))
    return Spread(1.0, 3 * float(mean(squares**2)) / moment**2 - 1 if moment > 0 else 0.0)


def band(center: Values, relative_variance: Values) -> tuple[Values, Values]:
    """Returns the two values between which nine of ten draws are, if their mean is ``center`` and their law
    log-normal: every layer multiplies a mean square, so its logarithm is a sum.
    """
    variance = np.log1p(relative_variance)
    deviations = BAND_DEVIATIONS * np.sqrt(variance)
    return center * np.exp(-variance / 2 - deviations), center * np.exp(deviations - variance / 2)
