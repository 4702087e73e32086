"""Update rules. Each changes the parameters in place and keeps what it must remember in ``state``.

``parameters``, ``gradient`` and every array of ``state`` are (R, P); hyper-parameters are (R, 1), so
that the runs of a stack may differ in them; ``learning_rate`` is (R, P) where layers have rates of their own.
``state`` starts empty. ``gradient`` is scratch after the call.
"""

from collections.abc import Callable

import numpy as np

from initlab.config.rules import Decay, NonNegative, Positive
from initlab.types import Array


class State(dict[str, Array]):
    """What an update rule remembers, arrays (R, P) by name, and ``step``: how many updates it has made."""

    step: int = 0


Update = Callable[[Array, Array, State], None]


def _kept(state: State, name: str, like: Array) -> Array:
    """Returns what is remembered under a name: at first zeros like another array."""
    if name not in state:
        state[name] = np.zeros_like(like)
    return state[name]


def gd(parameters: Array, gradient: Array, state: State, *, learning_rate: Positive) -> None:
    """Updates by gradient descent: θ ← θ − α g."""
    np.multiply(gradient, learning_rate, out=gradient)
    np.subtract(parameters, gradient, out=parameters)


def momentum(
    parameters: Array, gradient: Array, state: State, *, learning_rate: Positive, beta: Decay
) -> None:
    """Updates by the heavy ball (Polyak 1964): v ← β v + g, θ ← θ − α v."""
    velocity = _kept(state, "velocity", parameters)
    np.multiply(velocity, beta, out=velocity)
    np.add(velocity, gradient, out=velocity)
    np.multiply(velocity, learning_rate, out=gradient)
    np.subtract(parameters, gradient, out=parameters)


def nesterov(
    parameters: Array, gradient: Array, state: State, *, learning_rate: Positive, beta: Decay
) -> None:
    """Updates by Nesterov's momentum, as Sutskever et al. 2013 have it: v ← β v + g, θ ← θ − α (g + β v).

    What is kept is β v, the part of v with which the next step begins.
    """
    carried = _kept(state, "carried", parameters)
    np.add(carried, gradient, out=carried)
    np.multiply(carried, beta, out=carried)
    np.add(gradient, carried, out=gradient)
    np.multiply(gradient, learning_rate, out=gradient)
    np.subtract(parameters, gradient, out=parameters)


def rmsprop(
    parameters: Array,
    gradient: Array,
    state: State,
    *,
    learning_rate: Positive,
    decay: Decay,
    epsilon: Positive,
) -> None:
    """Updates by RMSProp (Tieleman & Hinton 2012), decay ρ: s ← ρ s + (1 − ρ) g², θ ← θ − α g / (√s + ε)."""
    square, scratch = _kept(state, "square", parameters), gradient * gradient
    np.multiply(square, decay, out=square)
    np.multiply(scratch, 1 - decay, out=scratch)
    np.add(square, scratch, out=square)
    _descend(parameters, gradient, square, scratch, learning_rate, epsilon)


def adagrad(
    parameters: Array, gradient: Array, state: State, *, learning_rate: Positive, epsilon: Positive
) -> None:
    """Updates by AdaGrad (Duchi et al. 2011): s ← s + g², θ ← θ − α g / (√s + ε)."""
    square, scratch = _kept(state, "square", parameters), gradient * gradient
    np.add(square, scratch, out=square)
    _descend(parameters, gradient, square, scratch, learning_rate, epsilon)


def _descend(
    parameters: Array, gradient: Array, square: Array, scratch: Array, learning_rate: float, epsilon: float
) -> None:
    np.sqrt(square, out=scratch)
    np.add(scratch, epsilon, out=scratch)
    np.divide(gradient, scratch, out=gradient)
    np.multiply(gradient, learning_rate, out=gradient)
    np.subtract(parameters, gradient, out=parameters)


def adam(
    parameters: Array,
    gradient: Array,
    state: State,
    *,
    learning_rate: Positive,
    beta1: Decay,
    beta2: Decay,
    epsilon: Positive,
) -> None:
    """Updates by Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1).

    m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − α m̂ / (√v̂ + ε), where the hats divide by
    1 − βᵗ. The powers βᵗ are kept as running products, (R, 1).
    """
    if not state:
        state.update(mean=np.zeros_like(parameters), square=np.zeros_like(parameters))
        state.update(power1=np.ones_like(parameters[:, :1]), power2=np.ones_like(parameters[:, :1]))
    mean, square, power1, power2 = (state[k] for k in ("mean", "square", "power1", "power2"))
    np.multiply(power1, beta1, out=power1)
    np.multiply(power2, beta2, out=power2)
    np.multiply(mean, beta1, out=mean)
    np.add(mean, (1 - beta1) * gradient, out=mean)
    np.multiply(square, beta2, out=square)
    np.multiply(gradient, gradient, out=gradient)
    np.add(square, (1 - beta2) * gradient, out=square)
    np.divide(square, 1 - power2, out=gradient)
    np.sqrt(gradient, out=gradient)
    np.add(gradient, epsilon, out=gradient)
    np.divide(mean, gradient, out=gradient)
    np.multiply(gradient, learning_rate / (1 - power1), out=gradient)
    np.subtract(parameters, gradient, out=parameters)


def adamw(
    parameters: Array,
    gradient: Array,
    state: State,
    *,
    learning_rate: Positive,
    beta1: Decay,
    beta2: Decay,
    epsilon: Positive,
    weight_decay: NonNegative,
) -> None:
    """Updates by AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101): θ ← (1 − α λ) θ, λ being the weight
    decay, and then a step of Adam. As in PyTorch, weights and biases decay alike.
    """
    np.multiply(parameters, 1 - learning_rate * weight_decay, out=parameters)
    adam(parameters, gradient, state, learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon)


def clipped(update: Update, clip: float | Array) -> Update:
    """Returns the update rule for gradients whose Euclidean norm over all of a run's parameters is at most
    ``clip``, a number or (R, 1); a longer gradient keeps its direction.

    Pascanu et al. 2013, 'On the difficulty of training recurrent neural networks', arXiv:1211.5063,
    algorithm 1.
    """

    def clipped_update(parameters: Array, gradient: Array, state: State) -> None:
        # In float64: in float32 the squares of an exploding gradient are soon inf.
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.square(gradient, dtype=np.float64)
            norm = np.sqrt(np.add.reduce(squares, axis=-1, keepdims=True))
            np.multiply(gradient, clip / np.maximum(norm, clip), out=gradient)
        update(parameters, gradient, state)

    return clipped_update
