"""Sets the microscope up: from its config to measurements of untrained networks, beside predictions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

import numpy as np
from omegaconf import DictConfig

from initlab.config.rules import Count, Positive, Rule, Seed, is_number, one_of
from initlab.config.schema import OptionalCount, Prefixes, Tracking, plain, read
from initlab.config.targets import load_component
from initlab.config.trust import check_trust
from initlab.errors import ConfigError, naming
from initlab.initializers import initial_parameters
from initlab.initializers.starting import makes_all_layers
from initlab.memory import refuse_beyond_memory
from initlab.networks.network import Network
from initlab.networks.tape import Tape, with_ones
from initlab.propagation import signals
from initlab.propagation.jacobian import Spectra, jacobian_values, layers_looked_at
from initlab.propagation.phase import phase_of
from initlab.streams import OTHER_INPUTS, stream
from initlab.theory.finite_width import LayerLaw
from initlab.theory.isometry import jacobian_variances
from initlab.theory.mean_field import Phase
from initlab.threads import one_thread
from initlab.types import Array

GROUPS = ("model", "init", "bias")
EXAMPLES = 256  # inputs for a start that looks at data, and for layers that normalize a batch
ARRAYS = 8  # of each layer's size, in a tape
COPIES = 3  # of a network's parameters: as they are drawn, one by one and together
BYTES_OF_A_LAYER = 100  # of what is measured in it
STACK_BYTES = 64 * 2**20  # of parameters in memory at once
ALIKE = 1e-3  # are variances that a start has set to one value

Correlation = Annotated[float, Rule("a number from -1 to 1", lambda v: is_number(v) and -1 <= v <= 1)]


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What the two inputs are: their mean square, their correlation and how many numbers each has."""

    mean_square: Positive
    correlation: Correlation
    size: OptionalCount


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything in a config that is not a part."""

    seed: Seed
    seeds: Count
    probe: Annotated[str, one_of("signals", "jacobian")]
    allow_targets: Prefixes
    input: Inputs
    tracking: Tracking


@dataclass(frozen=True)
class Setup:
    """What lies under the microscope: a start of a network, and how it is looked at."""

    values: Mapping[str, Any]
    settings: Settings
    network: Network
    init: "partial[Any]"
    bias: "partial[Any]"

    @property
    def seeds(self) -> range:
        """The seeds of the networks that are drawn."""
        return range(self.settings.seed, self.settings.seed + self.settings.seeds)


@dataclass(frozen=True)
class Observation:
    """What was seen, (R, L), beside the theory, (L,), of the same layers.

    ``phase`` is None and ``predicted`` is NaN where the theory does not apply; ``silence`` then says why.
    Where only what it says of finite width is NaN, ``no_bands`` says why.
    """

    measured: signals.Measured
    given: signals.Variances
    predicted: signals.Predicted
    phase: Phase | None
    silence: str
    no_bands: str
    network: Network
    spectra: Spectra | None = None


def setup_of(cfg: DictConfig) -> Setup:
    """Returns what a config describes; raises ConfigError before anything is drawn or tracked."""
    values = plain(cfg)
    settings = read(Settings, values)
    if settings.seed + settings.seeds > 2**32:
        raise ConfigError(f"seeds={settings.seeds}: the last seed must be at most 4294967295")
    allowed = check_trust(settings.allow_targets)
    parts = {group: load_component(values, group, allowed) for group in GROUPS}
    with naming("model"):
        hidden = parts["model"](1, 1).sizes[1:-1]
        if not hidden:
            raise ValueError("has no hidden layer, and the microscope looks at hidden layers")
        network = parts["model"](settings.input.size or hidden[0], 1)
    _check_memory(network, settings.seeds)
    if settings.probe == "jacobian" and network.normalization == "batch":
        raise ConfigError(
            "probe=jacobian: must be signals with model.normalization=batch, whose statistics tie examples"
        )
    inputs = settings.input
    if network.sizes[0] < 2 and abs(inputs.correlation) < 1:
        given = "null (as many as the first hidden layer has units: 1)" if inputs.size is None else "1"
        needed = f"must be at least 2 for two inputs of correlation {inputs.correlation:g}"
        raise ConfigError(f"input.size={given}: {needed}")
    return Setup(values, settings, network, parts["init"], parts["bias"])


def _check_memory(network: Network, seeds: int) -> None:
    weights = sum(n_out * (n_in + 1) for n_out, n_in in network.shapes)
    with naming("model"):
        refuse_beyond_memory(f"layers of up to {max(network.sizes)} units", COPIES * 8 * weights)
    with naming("seeds"):
        refuse_beyond_memory(f"{seeds:,} networks", seeds * len(network.shapes) * BYTES_OF_A_LAYER)


def observe(setup: Setup) -> Observation:
    """Returns what the networks of all seeds do to a signal, and what the theory says of them."""
    found = _observe_signals(setup)
    if setup.settings.probe == "signals":
        return found
    with one_thread():
        return replace(found, spectra=_spectra(setup, found.predicted))


def _observe_signals(setup: Setup) -> Observation:
    inputs, network = setup.settings.input, setup.network
    with one_thread():  # with more BLAS threads the last bits would be others
        measured = signals.Measured.joined([_measured(setup, seeds) for seeds in stacks_of(setup)])
        given = signals.variances(network, measured)
        layers, no_bands = _laws(setup, given)
        if silence := _silence(network, given):
            predicted = signals.Predicted.nothing(len(network.sizes) - 2)
            return Observation(measured, given, predicted, None, silence, "", network)
        predicted = signals.predict(network, given, inputs.mean_square, inputs.correlation, layers)
    if any(network.skips):
        silence = "residual layers add up, and no one χ holds at every depth"
        return Observation(measured, given, predicted, None, silence, no_bands, network)
    found = phase_of(network, given, predicted, setup.settings.seeds, _kept(setup))
    return Observation(measured, given, predicted, found, "", no_bands, network)


def _silence(network: Network, given: signals.Variances) -> str:
    """Returns why the theory says nothing of these networks at all; '' where it does."""
    if not (given.weights_centred and given.biases_centred):
        what = "biases" if given.weights_centred else "weights"
        return f"the theory needs {what} of mean 0, and these have another"
    if network.branches and network.branch_depth > 1:
        return "activations are added to pre-activations, which are then not Gaussian"
    return ""


def _spectra(setup: Setup, predicted: signals.Predicted) -> Spectra:
    """Returns the singular values of all seeds' Jacobians at the first of the two inputs."""
    network, inputs = setup.network, setup.settings.input
    layers = layers_looked_at(len(network.sizes) - 2)
    parts = []
    for seeds in stacks_of(setup):
        X = signals.pairs_of_inputs(seeds, network.sizes[0], inputs.mean_square, inputs.correlation)
        parts.append(jacobian_values(network, drawn(setup, seeds), X[..., :1], layers))
    values = tuple(np.concatenate(of_layer) for of_layer in zip(*parts, strict=True))
    theory = np.full(len(network.sizes) - 2, np.nan)
    if network.normalization == "none" and not any(network.skips):
        uneven = signals.unevenness(network, drawn(setup, setup.seeds[:1]))
        theory = jacobian_variances(network.activation, network.sizes, predicted.mean_squares, uneven)
    return Spectra(layers, values, theory[np.array(layers) - 1])


def stacks_of(setup: Setup) -> list[range]:
    """Returns the seeds in groups of as many networks as are in memory together."""
    network = setup.network
    others = EXAMPLES if network.normalization == "batch" else 0
    numbers = network.size + ARRAYS * others * sum(network.sizes)
    size = max(1, STACK_BYTES // (8 * numbers))
    return [setup.seeds[i : i + size] for i in range(0, len(setup.seeds), size)]


def drawn(setup: Setup, seeds: Sequence[int]) -> Array:
    """Returns the parameters (R, P) of the networks of these seeds."""
    with naming("init"), np.errstate(all="ignore"):
        draw = partial(initial_parameters, setup.init, setup.network, bias=setup.bias)
        return np.stack([draw(seed, X=_other_inputs(setup, seed)) for seed in seeds])


def _laws(setup: Setup, given: signals.Variances) -> tuple[list[LayerLaw] | None, str]:
    """Returns the law of each hidden layer, or None and why nothing is known of networks of this width."""
    network = setup.network
    if network.normalization != "none":
        return None, f"{network.normalization} normalization ties units together"
    if any(network.skips):
        return None, "residual layers add up"
    if makes_all_layers(setup.init):
        return None, "this start makes all layers at once, so that they depend on each other"
    uneven = signals.unevenness(network, drawn(setup, setup.seeds[:1]))
    found = signals.laws(network, given, uneven, setup.settings.seeds)
    return found, "" if found else "the weights of a layer are neither independent nor a rotation at random"


def _measured(setup: Setup, seeds: Sequence[int]) -> signals.Measured:
    network, inputs = setup.network, setup.settings.input
    X = signals.pairs_of_inputs(seeds, network.sizes[0], inputs.mean_square, inputs.correlation)
    if network.normalization == "batch":  # the two are part of a batch whose statistics normalize them
        X = np.concatenate([X, np.stack([_other_inputs(setup, seed) for seed in seeds])], axis=-1)
    flat = drawn(setup, seeds)
    return signals.propagate(network, flat, X, signals.gradients_from_above(seeds, network.sizes[-2]))


def _other_inputs(setup: Setup, seed: int) -> Array:
    """Returns inputs (n_x, EXAMPLES) that have nothing to do with each other."""
    X: Array = stream(seed, OTHER_INPUTS).standard_normal((setup.network.sizes[0], EXAMPLES))
    return X * math.sqrt(setup.settings.input.mean_square)


def _kept(setup: Setup) -> float | None:
    """Returns the variance that all layers have on the examples their start has seen, if it made them so."""
    network, seeds = setup.network, setup.seeds[:1]
    if not makes_all_layers(setup.init) or network.normalization != "none" or any(network.skips):
        return None
    tape = Tape(network, drawn(setup, seeds), EXAMPLES, keeps_z=True)
    tape.read(with_ones(_other_inputs(setup, seeds[0])))
    with np.errstate(all="ignore"):
        tape.forward()
        found = np.array([np.var(layer.z) for layer in tape.elementwise])
    return float(found[0]) if np.all(np.abs(found / found[0] - 1) < ALIKE) else None
