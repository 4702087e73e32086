"""How the cost bends: its Hessian times directions, and how much a step of descent changes the gradient.

Products with the Hessian are exact: they differentiate the way forward and the way back themselves
(Pearlmutter 1994, 'Fast exact multiplication by the Hessian'). Differences of gradients would not do: where
biases start at 0, pre-activations of exactly 0 are common, and a difference crosses the kink that ReLUs have
there.

A point is one run's flat parameters (P,); several points of one network are a stack (S, P). Data are as
``Tape.load`` takes them.
"""

import numpy as np

from initlab.networks.network import Network
from initlab.networks.tape import Tape, passed
from initlab.types import Array


def hessian_products(network: Network, points: Array, directions: Array, X1: Array, targets: Array) -> Array:
    """Returns the Hessian at each point (S, P), or at one for all (1, P), times its direction (S, trained),
    all in double precision.

    At a kink, slope and curvature of an activation are those of its left side; a ReLU has no curvature.
    """
    tape = Tape(network, points, X1.shape[-1], keeps_z=True)
    tape.load(X1, targets)
    tape.forward()
    tape.cost()
    network.output.slope(tape.output)
    change: Array | None = None
    for layer in tape.layers:
        change = layer.tangent(directions, change)
    assert change is not None
    delta, products = tape.output.delta, np.zeros((len(directions), network.trained))
    ddelta = network.output.change_of_answers(tape.answers, change) / X1.shape[-1]
    for layer in reversed(tape.layers):
        delta, ddelta = layer.tangent_backward(directions, delta, ddelta, products)
    for linear in tape.linears:
        linear.view(products)[..., :-1] += network.l2 * linear.view(directions)[..., :-1]
    return products


def gradient_quotient(network: Network, points: Array, X1: Array, targets: Array) -> Array:
    """Returns how much a step of gradient descent changes the gradient itself, (S,): 0 where it would not.

    The mean over the parameters of |(g − H g) / (g + ε sign g) − 1|, ε = 1e-5: what MetaInit minimizes
    (Dauphin & Schoenholz 2019, 'MetaInit: initializing learning by learning to initialize').
    """
    gradient = passed(network, points, X1, targets).gradient
    product = hessian_products(network, points, gradient, X1, targets)
    away_from_zero = gradient + np.where(gradient >= 0, 1e-5, -1e-5)
    quotient: Array = np.mean(np.abs((gradient - product) / away_from_zero - 1), axis=-1)
    return quotient
