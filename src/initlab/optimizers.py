"""Update rules. Each changes the parameters in place and keeps what it must remember in ``state``.

``parameters``, ``gradient`` and every array of ``state`` are (R, P); hyper-parameters are (R, 1), so
that the runs of a stack may differ in them. ``state`` starts as an empty dict. ``gradient`` is scratch
after the call.
"""

from typing import TypeAlias

import numpy as np

from initlab.activations import Array
from initlab.checks import Decay, Positive

State: TypeAlias = dict[str, Array]


def gd(parameters: Array, gradient: Array, state: State, *, learning_rate: Positive) -> None:
    """Updates by gradient descent: θ ← θ − α g."""
    np.multiply(gradient, learning_rate, out=gradient)
    np.subtract(parameters, gradient, out=parameters)


def momentum(
    parameters: Array, gradient: Array, state: State, *, learning_rate: Positive, beta: Decay
) -> None:
    """Updates by the heavy ball (Polyak 1964): v ← β v + g, θ ← θ − α v."""
    if not state:
        state["velocity"] = np.zeros_like(parameters)
    velocity = state["velocity"]
    np.multiply(velocity, beta, out=velocity)
    np.add(velocity, gradient, out=velocity)
    np.multiply(velocity, learning_rate, out=gradient)
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
