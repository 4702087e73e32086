"""How the cost bends: gradients at many points at once, and how much a step changes them.

A point is one run's flat parameters (P,); several points of one network are a stack (S, P). The data are
X1 (n_x + 1, m), last row ones, and targets (n_y, m) as the network's output takes them, or a stack (S, …)
of each. Where ReLU has a kink the Hessian is that of the piece of the cost on which the point lies.
"""

import numpy as np

from initlab.networks.hessian import hessian_products
from initlab.networks.network import Network, passed
from initlab.types import Array


def gradients_at(network: Network, points: Array, X1: Array, targets: Array) -> Array:
    """Returns the gradient of the cost at each point, (S, P)."""
    return passed(network, points, X1, targets).gradient


def gradient_quotient(network: Network, points: Array, X1: Array, targets: Array) -> Array:
    """Returns how much a step of gradient descent changes the gradient itself, (S,): 0 where it would not.

    The mean over the parameters of |(g − H g) / (g + ε sign g) − 1|, ε = 1e-5: what MetaInit minimizes
    (Dauphin & Schoenholz 2019, 'MetaInit: initializing learning by learning to initialize').
    """
    gradient = gradients_at(network, points, X1, targets)
    product = hessian_products(network, points, gradient, X1, targets)
    away_from_zero = gradient + np.where(gradient >= 0, 1e-5, -1e-5)
    quotient: Array = np.mean(np.abs((gradient - product) / away_from_zero - 1), axis=-1)
    return quotient
