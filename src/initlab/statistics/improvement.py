"""The probability of improvement: how often one start beats another on the same seed."""

import math
from typing import NamedTuple

import numpy as np

from initlab.types import Array


class Improvement(NamedTuple):
    """P(X > Y) + P(X = Y) / 2 as observed, and the ends of its interval."""

    probability: float
    low: float
    high: float


def improvement(differences: Array, level: float = 0.95) -> Improvement | None:
    """Returns the share of seeds on which the first is better, ties counted half, with an interval that
    holds about ``level`` (not under peeking); None without a difference.

    The interval is Tango's score interval for P(X > Y) − P(X < Y), scaled to 0 … 1; without ties it is
    Wilson's. Tango 1998, 'Equivalence test and confidence interval for the difference in proportions for
    the paired-sample design'.
    """
    if not len(differences):
        return None
    wins, losses = int(np.sum(differences > 0)), int(np.sum(differences < 0))
    n, lead = len(differences), (wins - losses) / len(differences)
    low, high = -lead_bound(losses, wins, n, level), lead_bound(wins, losses, n, level)
    return Improvement((1 + lead) / 2, (1 + low) / 2, (1 + high) / 2)


def lead_bound(wins: int, losses: int, n: int, level: float) -> float:
    """Returns the largest P(win) − P(loss) that the score test does not reject."""
    from scipy.optimize import brentq
    from scipy.special import ndtri

    if wins == n:
        return 1.0
    z = ndtri((1 + level) / 2)

    def rejected_by(lead: float) -> float:
        return float((wins - losses - n * lead) ** 2 - z**2 * n * lead_variance(lead, wins, losses, n))

    return float(brentq(rejected_by, (wins - losses) / n + 1e-9, 1.0))


def lead_variance(lead: float, wins: int, losses: int, n: int) -> float:
    """Returns P(win) + P(loss) − lead², the variance of one seed's sign, where P(loss) is its maximum
    likelihood estimate if P(win) − P(loss) were ``lead``.
    """
    b = (2 * n - wins + losses) * lead - wins - losses
    root = math.sqrt(max(b**2 + 8 * n * losses * lead * (1 - lead), 0))
    loss = (root - b) / (4 * n)
    return 2 * loss + lead * (1 - lead)
