"""From the variances of a network's layers to the phase that theory finds them in."""

import math

import numpy as np

from initlab.networks.network import Network
from initlab.propagation.signals import Predicted, Variances
from initlab.theory.gaussian import Values
from initlab.theory.mean_field import (
    CRITICAL_WITHIN,
    Phase,
    normalized_phase,
    phase,
    second_moment,
    varied_phase,
)

DEVIATIONS = 1.645  # to each side: nine of ten Gaussians
TINY = 1e-300  # stands for 0 where a logarithm is taken


def phase_of(
    network: Network, given: Variances, predicted: Predicted, seeds: int, kept: float | None = None
) -> Phase:
    """Returns the phase of layers like these, whose variances so many seeds were pooled for: of the first,
    only its output matters. What each layer multiplies by its own factor, all multiply by their product.

    Layers that their start has scaled, so that each has the variance ``kept``, are taken to have it in
    theory too, whatever scale this draw happened to need.
    """
    recurrent = slice(1, None) if len(given.sigma_w2) > 1 else slice(None)
    sigma_w2, sigma_b2 = given.sigma_w2[recurrent], given.sigma_b2[recurrent]
    mean_w2, mean_b2 = math.exp(np.mean(np.log(np.maximum(sigma_w2, TINY)))), float(np.mean(sigma_b2))
    phi, steps = network.activation, max(1, len(network.sizes) - 3)
    within = min(CRITICAL_WITHIN, 1 / steps)  # over all layers a factor of e at most
    # In the first layer alone one draw's mean square strays so far.
    start, strays = float(predicted.mean_squares[0]), DEVIATIONS * math.sqrt(2 / network.sizes[1])
    if kept is not None and kept > mean_b2:
        return phase(phi, (kept - mean_b2) / second_moment(phi, kept), mean_b2, kept, within, strays)
    errors_w, errors_b = _errors(network, given, seeds)
    errors_w, errors_b = errors_w[recurrent], errors_b[recurrent]
    tolerance = max(within, 3 / math.sqrt(float(np.sum(errors_w**-2))))
    if _differ(sigma_w2, errors_w) or _differ(sigma_b2, errors_b):
        lengths = float(predicted.gradients[0]) * network.sizes[1] / network.sizes[-2]
        return varied_phase(phi, mean_w2, mean_b2, lengths ** (1 / steps), tolerance)
    if network.normalization != "none":
        return normalized_phase(network.normalization, phi, mean_w2, mean_b2, tolerance)
    return phase(phi, mean_w2, mean_b2, start, tolerance, strays)


def _errors(network: Network, given: Variances, seeds: int) -> tuple[Values, Values]:
    """Returns the relative standard errors of each layer's σw² and σb²: of so many numbers of a kurtosis."""
    fan_in, width = np.array(network.sizes[:-2]), np.array(network.sizes[1:-1])
    noise = np.sqrt(np.maximum(np.nan_to_num(given.kurtosis), 2) - 1)
    return noise / np.sqrt(seeds * fan_in * width), np.sqrt(2 / (seeds * width))


def _differ(variances: Values, errors: Values) -> bool:
    """Returns whether the layers' variances differ by more than their errors explain."""
    least, most = float(variances.min()), float(variances.max())
    return math.log(max(most, TINY) / max(least, TINY)) > 0.02 + 6 * float(errors.max())
