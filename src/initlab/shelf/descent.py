"""Gradient descent of many runs at once, each with rates of its own."""

from functools import partial
from typing import Any

from initlab.optimizers import gd
from initlab.optimizers.rules import Update


def descent(rates: Any) -> Update:
    """Returns gradient descent with a learning rate for all runs, for each (R, 1) or for each parameter of
    each (R, P).
    """
    return partial(gd, learning_rate=rates)
