"""The differences of two starts, seed by seed."""

from collections.abc import Mapping

import numpy as np

from initlab.types import Array

DIGITS = 12  # of the larger value; what lies beyond them is rounding


def paired_values(first: Mapping[int, float], second: Mapping[int, float]) -> tuple[Array, Array]:
    """Returns the values (n,) of both on the seeds that both have, in the order of the seeds."""
    seeds = sorted(first.keys() & second.keys())
    return np.array([first[s] for s in seeds], float), np.array([second[s] for s in seeds], float)


def differences(first: Array, second: Array) -> Array:
    """Returns first − second (n,): 0 where both are the same infinity, and free of rounding errors, so that
    0.95 − 0.94 is not more than 0.01 and equal differences are ties.
    """
    with np.errstate(invalid="ignore"):
        found = np.where(first == second, 0.0, first - second)
    finite = np.isfinite(found) & (found != 0)
    scale = np.maximum(np.abs(first[finite]), np.abs(second[finite]))
    power = 10.0 ** (DIGITS - np.ceil(np.log10(scale)))
    found[finite] = np.round(found[finite] * power) / power
    return found


def variance_factor(first: Array, second: Array) -> float | None:
    """Returns how many times the variance of an unpaired difference exceeds that of the paired one,
    (Var X + Var Y) / Var(X − Y): so many times the seeds an unpaired comparison needs to be as sharp.

    None where a value is infinite, there are fewer than three seeds, or the differences do not vary.
    """
    if len(first) < 3 or not (np.isfinite(first).all() and np.isfinite(second).all()):
        return None
    paired = np.var(differences(first, second))
    return float((np.var(first) + np.var(second)) / paired) if paired > 0 else None
