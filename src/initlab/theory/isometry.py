"""How unevenly a wide random network stretches its inputs: the spread of its Jacobian's singular values.

J = D_L W_L … D_1 W_1, the D holding the slopes φ'. For free (independently rotated) factors the S-transforms
of the squared singular values multiply, S(z) = (1 + s1 z + …) / m1, where s1 = 1 − m2 / m1² of the moments m1
and m2. So the −s1 of all factors add up. One of W Wᵀ is −1 for Gaussian weights (m2 = 2 m1²) and 0 for
orthogonal ones (all alike), one of D² is 1 − μ2/μ1² with μk = E φ'^(2k). Hence the relative variance
L (μ2/μ1² − 1 − s1): linear Gaussian L, orthogonal 0; ReLU, with μ2/μ1² = 2, Gaussian 2L, orthogonal L.

Pennington, Schoenholz & Ganguli 2017, 'Resurrecting the sigmoid in deep learning through dynamical
isometry' (arXiv:1711.04735).
"""

from collections.abc import Sequence

import numpy as np

from initlab.activations import Activation
from initlab.theory.gaussian import Values, derivative, mean, scaled


def slope_ratio(activation: Activation, q: float) -> float:
    """Returns μ2 / μ1², which is 1 where all slopes are alike; NaN where all are 0."""
    squares = derivative(activation, scaled(q)) ** 2
    first = float(mean(squares))
    return float(mean(squares**2)) / first**2 if first > 0 else np.nan


def jacobian_variances(
    activation: Activation, sizes: Sequence[int], mean_squares: Values, uneven: Values
) -> Values:
    """Returns Var(JJᵀ) / (mean)² of the min(n_0, n_l) squared singular values of the Jacobian of hidden layer
    l's activations by the inputs, for each of L layers (L,).

    ``sizes`` are n_0 … n_L, ``mean_squares`` (L,) those of the pre-activations, and ``uneven`` (L,) is m2/m1²
    of the n_in eigenvalues of Wᵀ W, so that s1 = 1 − ``uneven``. Where the width changes, the same numbers
    are averaged over more or fewer places.
    """
    ratio, found = 1.0, []
    for number, (q, own) in enumerate(zip(mean_squares, uneven, strict=True)):
        n_in, n_out = sizes[number], sizes[number + 1]
        ratio = n_out / n_in * (ratio + own - 1) + slope_ratio(activation, float(q)) - 1
        found.append(ratio * min(sizes[0], n_out) / n_out - 1)
    return np.array(found)
