"""One iteration as the lesson's notebook writes it: plain NumPy, new arrays for everything."""

import numpy as np

from initlab.types import Array


def plain_step(
    parameters: list[Array], X: Array, Y: Array, rate: float
) -> tuple[list[Array], float, list[float]]:
    """Returns the updated parameters, the cost before the update and each layer's gradient norm."""
    W1, b1, W2, b2, W3, b3 = parameters
    m = X.shape[1]
    z1 = W1 @ X + b1
    a1 = np.maximum(z1, 0)
    z2 = W2 @ a1 + b2
    a2 = np.maximum(z2, 0)
    z3 = W3 @ a2 + b3
    a3 = 1 / (1 + np.exp(-z3))
    cost = np.mean(np.maximum(z3, 0) - z3 * Y + np.log1p(np.exp(-np.abs(z3))))
    d3 = (a3 - Y) / m
    d2 = (W3.T @ d3) * (a2 > 0)
    d1 = (W2.T @ d2) * (a1 > 0)
    gradients = []
    for d, a in ((d1, X), (d2, a1), (d3, a2)):
        gradients += [d @ a.T, d.sum(axis=1, keepdims=True)]
    norms = [
        float(np.sqrt(np.sum(dW**2) + np.sum(db**2)))
        for dW, db in zip(gradients[::2], gradients[1::2], strict=True)
    ]
    updated = [value - rate * gradient for value, gradient in zip(parameters, gradients, strict=True)]
    return updated, float(cost), norms
