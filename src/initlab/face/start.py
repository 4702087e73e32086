"""``initlab.start``: a start as an array, for networks of anybody's."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

import numpy as np

from initlab.config.options import options_of, values_of
from initlab.config.rules import Count, Seed
from initlab.config.targets import load_component
from initlab.errors import ConfigError, naming
from initlab.initializers.starting import Initializer, makes_all_layers
from initlab.streams import WEIGHTS, stream
from initlab.threads import one_thread
from initlab.types import Array

COUNT, SEED = get_args(Count)[1], get_args(Seed)[1]


def start(
    name: str, shape: Sequence[int], seed: int | np.random.RandomState = 3, **hyper_parameters: Any
) -> Array:
    """Returns the weights W (fan_out, fan_in), float64, of a layer of that shape as the start draws them.

    ``name`` is an option of ``init``, such as "he", "orthogonal" or "kaiming"; hyper-parameters that are not
    given are those of its YAML file. With the same seed W is that of the first layer of ``initlab.run``.
    Equal layers would get equal weights from equal seeds: to draw one layer after another, as a run does,
    pass one ``numpy.random.RandomState`` for all. Biases that a start brings of its own are left out. Raises
    ConfigError for a start that is not known, makes a whole network at once or cannot have that shape.

    >>> import initlab
    >>> initlab.start("he", (2, 3), seed=3).round(2)
    array([[ 1.46,  0.36,  0.08],
           [-1.52, -0.23, -0.29]])
    >>> initlab.start("kaiming", (64, 32), mode="fan_out", gain="tanh").shape
    (64, 32)
    """
    drawing = _drawing(name, hyper_parameters)
    fan_out, fan_in = _checked_shape(shape)
    rng = seed if isinstance(seed, np.random.RandomState) else _stream(seed)
    with naming(f"init={name}"), one_thread():  # as a run draws it: threads change the last bits
        W: Array = np.asarray(drawing(rng, (fan_out, fan_in)), np.float64)
    return W[:, :fan_in]


def _drawing(name: str, hyper_parameters: Mapping[str, Any]) -> Initializer:
    """Returns the function that draws a layer, with its checked hyper-parameters."""
    options = options_of("init")
    if name not in options:
        near = get_close_matches(name, options, 1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"init={name}: is no start; {guess}There are {', '.join(options)}")
    drawing = load_component({"init": {**values_of("init", name), **hyper_parameters}}, "init", ())
    if makes_all_layers(drawing):
        raise ConfigError(f"init={name}: makes a whole network at once, no single layer; see initlab.run")
    return drawing


def _checked_shape(shape: Sequence[int]) -> Sequence[int]:
    whole = [int(n) if isinstance(n, np.integer) else n for n in shape]
    if len(whole) != 2 or not all(map(COUNT.accepts, whole)):
        raise ConfigError(f"shape={tuple(whole)}: must be (fan_out, fan_in), two whole numbers of at least 1")
    return whole


def _stream(seed: int) -> np.random.RandomState:
    seed = int(seed) if isinstance(seed, np.integer) else seed
    if not SEED.accepts(seed):
        raise ConfigError(f"seed={seed}: must be {SEED.allowed}, or a numpy.random.RandomState")
    return stream(seed, WEIGHTS)
