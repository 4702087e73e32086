"""Learning rates of a network's layers: factors on ``learning_rate``, given one by one or told by the widths.

| ``mup``: factor on the rate of  | gd, momentum, nesterov | adam, adamw, rmsprop, adagrad |
|---------------------------------|------------------------|-------------------------------|
| the first layer's weights       | fan_out                | 1                             |
| hidden layers' weights          | 1                      | 1 / fan_in                    |
| the last layer's weights        | 1 / fan_in             | 1 / fan_in                    |
| biases, gains and shifts        | fan_out                | 1                             |
| scalar biases and multipliers   | 1                      | 1                             |

With these and the start ``mup`` every layer changes by as much at any width, so that the best learning rate
of a narrow network is near that of a wide one: the maximal update parametrization, Yang et al. 2022, 'Tensor
programs V', arXiv:2203.03466, table 3, on from Yang & Hu 2021, arXiv:2011.14522.

``fixup`` takes a tenth of the rate for all but weights, as the authors' code does (Zhang, Dauphin & Ma 2019,
arXiv:1901.09321): what moves all units of a layer together, in every branch, moves the answers most.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import numpy as np

from initlab.config.rules import Rule, is_number, shown
from initlab.networks.network import Network
from initlab.optimizers import rules
from initlab.types import Array

FOLLOW_THE_GRADIENT = (rules.gd, rules.momentum, rules.nesterov)  # twice the gradient is twice the step
FOLLOW_ITS_SIGN = (rules.adam, rules.adamw, rules.rmsprop, rules.adagrad)  # the step has a size of its own


def _are_rates(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(is_number(one) and one >= 0 for one in value)


LayerRates = Annotated[
    Sequence[float] | str | None,
    Rule(
        "null, mup, fixup, or a list of numbers of at least 0, one for each layer, such as [1, 1, 0.1]",
        lambda value: value in (None, "mup", "fixup") or _are_rates(value),
    ),
]


def rate_factors(
    network: Network, rule: Callable[..., Any], hyper: Mapping[str, Any], *, layer_rates: LayerRates = None
) -> Array | None:
    """Returns the factor on the learning rate of each of a network's trained numbers (P,), None where all
    have the same; a layer of factor 0 stays as it starts.

    Raises ValueError where a list has not a number for each layer, where the rule has no learning rate among
    its hyper-parameters ``hyper``, and for ``mup`` with a rule that is not Initlab's.
    """
    if layer_rates is None:
        return None
    if "learning_rate" not in hyper:
        raise ValueError(f"layer_rates={shown(layer_rates)}: {rule.__name__} has no learning_rate")
    if layer_rates == "mup":
        return _of_widths(network, rule)
    if layer_rates == "fixup":
        return _slower_but_weights(network)
    layers, given = len(network.shapes), np.asarray(layer_rates, np.float64)
    if len(given) != layers:
        raise ValueError(
            f"layer_rates={list(layer_rates)}: must have {layers} numbers, one a layer, the output's too"
        )
    return np.repeat(given, np.diff(network.offsets))


def _slower_but_weights(network: Network) -> Array:
    factors = np.full((1, network.trained), 0.1)
    for block in network.blocks(factors):
        block[..., :-1] = 1
    of_numbers: Array = factors[0]
    return of_numbers


def _of_widths(network: Network, rule: Callable[..., Any]) -> Array:
    if rule not in (*FOLLOW_THE_GRADIENT, *FOLLOW_ITS_SIGN):
        known = ", ".join(one.__name__ for one in (*FOLLOW_THE_GRADIENT, *FOLLOW_ITS_SIGN))
        raise ValueError(f"layer_rates=mup: is known of {known}, not of {rule.__name__}; give a list")
    follows, last = rule in FOLLOW_THE_GRADIENT, len(network.shapes) - 1
    factors = np.ones((1, network.trained))
    if follows:
        factors[0] = np.repeat([float(n_out) for n_out, _ in network.shapes], np.diff(network.offsets))
    for number, (block, (_, fan_in)) in enumerate(zip(network.blocks(factors), network.shapes, strict=True)):
        if number:
            block[..., :-1] = 1 if follows and number < last else 1 / fan_in
    for scalars in network.scalars_of(factors):
        for factor in scalars.values():
            factor[:] = 1  # all units of a layer share them
    of_numbers: Array = factors[0]
    return of_numbers
