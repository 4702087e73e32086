"""Makes a run's first parameters: a start, of layers or of a network, and then a rule for the biases."""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from initlab.initializers.biases import Bias, own
from initlab.networks.network import Network
from initlab.streams import BIASES, WEIGHTS, stream
from initlab.types import Array

Shape = tuple[int, int]
Initializer = Callable[..., Array]


def of_network(start: Initializer) -> Initializer:
    """Returns the start, marked as one that makes all layers at once: ``(rng, network, X, *, …)`` → (P,), or
    with a fourth argument: see ``initial_parameters``.
    """
    vars(start)["makes_all_layers"] = True
    return start


def makes_all_layers(start: Initializer) -> bool:
    """Returns whether a start makes a network at once (see ``of_network``), not a layer."""
    return getattr(_function(start), "makes_all_layers", False)


def initial_parameters(
    init: Initializer, network: Network, seed: int, *, X: Array | None = None, bias: Bias | None = None
) -> Array:
    """Returns one run's flat parameters (P,), float64, as ``init`` draws the weights and ``bias`` the biases.

    A start of a layer, ``(rng, (fan_out, fan_in), *, …)``, is called layer after layer with one stream and
    returns W (fan_out, fan_in), or [W | b] (fan_out, fan_in + 1) where it brings biases of its own. A start
    of a network (see ``of_network``) gets the training inputs X (n_x, m) too, and where it has a fourth
    argument, a function that gives flat parameters the biases that they will have. ``bias`` has a stream of
    its own, so that the weights are the same whatever its rule; without one the start's own biases stand.
    """
    rng = stream(seed, WEIGHTS)
    give_biases = partial(_give_biases, bias or own, seed, network)
    if makes_all_layers(init):
        beside = [give_biases] if _arguments(init) > 3 else []
        flat = _sized(init, init(rng, network, X, *beside), [(network.size,)])
    else:
        flat = layer_by_layer(init, rng, network)
    give_biases(flat)
    return flat


def _give_biases(bias: Bias, seed: int, network: Network, flat: Array) -> None:
    """Gives flat parameters (P,) the biases that a rule makes of a run's seed and of those that they have."""
    rng = stream(seed, BIASES)
    for block, (fan_out, fan_in) in zip(network.blocks(flat[np.newaxis]), network.shapes, strict=True):
        biases = block[0, :, -1:]
        biases[:] = _sized(bias, bias(rng, fan_in, biases), [(fan_out, 1)])


def _arguments(start: Initializer) -> int:
    """Returns how many arguments a start takes beside its hyper-parameters."""
    parameters = inspect.signature(_function(start)).parameters.values()
    return sum(one.kind is one.POSITIONAL_OR_KEYWORD for one in parameters)


def layer_by_layer(start: Initializer, rng: np.random.RandomState, network: Network) -> Array:
    """Returns flat parameters (P,) whose layers a start of a layer makes one after another; what normalizes
    them has gain 1 and shift 0, scalar multipliers are 1 and scalar biases 0.
    """
    flat = np.zeros(network.size)
    for scales in network.normalizations(flat[np.newaxis]):
        scales["gain"][:] = 1
        scales.get("variance", scales["gain"])[:] = 1
    for scalars in network.scalars_of(flat[np.newaxis]):
        if "multiplier" in scalars:
            scalars["multiplier"][:] = 1
    for block, (fan_out, fan_in) in zip(network.blocks(flat[np.newaxis]), network.shapes, strict=True):
        drawn = _sized(start, start(rng, (fan_out, fan_in)), [(fan_out, fan_in), (fan_out, fan_in + 1)])
        block[0, :, : drawn.shape[1]] = drawn
    return flat


def _sized(function: Callable[..., Any], made: Any, shapes: Sequence[tuple[int, ...]]) -> Array:
    """Returns a copy of what a function has made, float64; raises ValueError unless it has a right shape."""
    numbers = np.array(made, np.float64)
    if numbers.shape not in shapes:
        name = getattr(_function(function), "__name__", "the function")
        right = " or ".join(map(str, shapes))
        raise ValueError(f"{name} returned an array of shape {numbers.shape}; it must be {right}")
    return numbers


def _function(start: Callable[..., Any]) -> Callable[..., Any]:
    return start.func if isinstance(start, partial) else start
