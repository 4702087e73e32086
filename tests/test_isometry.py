import math

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from initlab.activations import ACTIVATIONS
from initlab.initializers import orthogonal
from initlab.networks.network import Network
from initlab.networks.tape import Tape, with_ones
from initlab.propagation.jacobian import Spectra, jacobian_line, jacobian_values
from initlab.propagation.signals import unevenness
from initlab.theory.isometry import jacobian_variances, slope_ratio

WIDTH, DEPTH = 113, 4


def spectrum(name, law, seeds=3, sizes=(WIDTH,) * (DEPTH + 1)):
    """Returns singular values (R, k) at the top, and the theory's relative variance of their squares."""
    network = Network((*sizes, 1), name)
    flat, rng = np.zeros((seeds, network.size)), np.random.RandomState(5)
    gain = math.sqrt(2) if name == "relu" else 1.0
    with threadpool_limits(1):
        for block in network.blocks(flat):
            for weights in block[..., :-1]:
                independent = rng.standard_normal(weights.shape) * (gain / math.sqrt(weights.shape[1]))
                weights[:] = orthogonal(rng, weights.shape, gain=gain) if law == "orthogonal" else independent
        x, depth = rng.standard_normal((seeds, sizes[0], 1)), len(sizes) - 1
        [values] = jacobian_values(network, flat, x, [depth])
        uneven = unevenness(network, flat[:1])
    return values, jacobian_variances(network.activation, sizes, np.full(depth, gain**2), uneven)[-1]


@pytest.mark.parametrize(("name", "law", "expected"), [
    ("linear", "gaussian", DEPTH), ("linear", "orthogonal", 0),
    ("relu", "gaussian", 2 * DEPTH), ("relu", "orthogonal", DEPTH),
])  # fmt: skip
def test_the_variance_of_squared_singular_values_is_pennington_s(name, law, expected):
    values, theory = spectrum(name, law)
    variance = np.mean(np.var(values**2, axis=1) / np.mean(values**2, axis=1) ** 2)
    assert theory == pytest.approx(expected, rel=0.05, abs=1e-9)
    assert variance == pytest.approx(expected, rel=0.15, abs=1e-9)


def test_a_deep_linear_network_of_rotations_is_an_isometry():
    values, _ = spectrum("linear", "orthogonal")
    np.testing.assert_allclose(values, 1, rtol=1e-12)
    assert "all singular values alike, 1" in jacobian_line(Spectra((4,), (values,), np.zeros(1)))


@pytest.mark.parametrize("law", ["gaussian", "orthogonal"])
def test_where_the_width_changes_the_theory_holds_too(law):
    values, theory = spectrum("relu", law, seeds=3, sizes=(127, 89, 173, 109))
    variance = np.mean(np.var(values**2, axis=1) / np.mean(values**2, axis=1) ** 2)
    assert variance == pytest.approx(theory, rel=0.12)


def test_the_singular_values_are_those_of_central_differences():
    network = Network((5, 7, 7, 3, 1), "tanh", residual=True, normalization="layer")
    rng, h = np.random.RandomState(7), 1e-6
    flat, x = rng.standard_normal((2, network.size)), rng.standard_normal((2, 5, 1))
    [values] = jacobian_values(network, flat, x, [3])
    for run in range(2):
        tape = Tape(network, flat[run : run + 1], 10, keeps_z=True)
        tape.read(with_ones(x[run] + h * np.hstack([np.eye(5), -np.eye(5)])))
        tape.forward()
        a = tape.hidden[-1][0]
        expected = np.linalg.svd((a[:, :5] - a[:, 5:]) / (2 * h), compute_uv=False)
        np.testing.assert_allclose(values[run], expected, rtol=1e-6, atol=1e-8)


def test_the_slopes_of_relu_and_a_line_have_the_known_ratios():
    assert slope_ratio(ACTIVATIONS["relu"], 1.7) == pytest.approx(2, rel=1e-12)
    assert slope_ratio(ACTIVATIONS["linear"], 1.7) == pytest.approx(1, rel=1e-12)
