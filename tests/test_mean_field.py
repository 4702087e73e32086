import math

import numpy as np
import pytest
from scipy.integrate import quad

from initlab.activations import ACTIVATIONS, Activation
from initlab.theory.gaussian import derivative, value
from initlab.theory.mean_field import (
    CRITICAL_WITHIN,
    correlation_slope,
    covariance,
    critical_sigma_w,
    depth_scale,
    first_moment,
    fixed_correlation,
    fixed_point,
    mean_square_slope,
    next_correlation,
    next_mean_square,
    phase,
    second_moment,
    slope,
    unstable_point,
    verdict,
)

RELU, TANH, ERF, LINEAR = (ACTIVATIONS[name] for name in ("relu", "tanh", "erf", "linear"))
GELU, SIGMOID, EXPONENTIAL = (ACTIVATIONS[name] for name in ("gelu", "sigmoid", "exponential"))


def integral(function, scale):
    """Returns E f(scale · z) by SciPy's adaptive quadrature, apart below and above the kink at 0."""

    def weighted(z):
        return function(np.array([scale * z]))[0] * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    near = min(10.0, 3 / scale)
    pieces = [(-12, -near), (-near, 0), (0, near), (near, 12)]
    return sum(quad(weighted, *piece, epsabs=1e-13, epsrel=1e-12, limit=400)[0] for piece in pieces)


@pytest.mark.parametrize("q", [0.013, 1.7, 97.0])
@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"exponential"}))
def test_the_means_over_a_gaussian_equal_scipys(name, q):
    activation, scale = ACTIVATIONS[name], math.sqrt(q)
    expected = {
        first_moment(activation, q): lambda z: value(activation, z),
        second_moment(activation, q): lambda z: value(activation, z) ** 2,
        slope(activation, q, 1.0): lambda z: derivative(activation, z) ** 2,
    }
    for ours, function in expected.items():
        assert ours == pytest.approx(integral(function, scale), rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("q", [0.013, 1.7, 5.3])
def test_the_moments_and_slopes_of_the_exponential_are_those_of_log_normals(q):
    assert first_moment(EXPONENTIAL, q) == pytest.approx(math.exp(q / 2), rel=1e-7)
    assert second_moment(EXPONENTIAL, q) == pytest.approx(math.exp(2 * q), rel=1e-7)
    assert slope(EXPONENTIAL, q, 1.3) == pytest.approx(1.3 * math.exp(2 * q), rel=1e-7)
    assert mean_square_slope(EXPONENTIAL, q, 1.3) == pytest.approx(2.6 * math.exp(2 * q), rel=1e-7)
    for c in (-0.7, 0.23):
        assert covariance(EXPONENTIAL, q, c) == pytest.approx(math.exp(q * (1 + c)), rel=1e-6)


@pytest.mark.parametrize("sigma_b2", [0.0, 0.05, 0.7])
def test_the_exponential_is_critical_where_its_closed_form_says(sigma_b2):
    # q = σw² exp(2q) + σb² and χ1 = σw² exp(2q) = 1 leave q = 1 + σb².
    assert critical_sigma_w(EXPONENTIAL, sigma_b2) == pytest.approx(math.exp(-1 - sigma_b2), rel=1e-7)


def test_signals_of_the_exponential_settle_below_the_critical_weights_and_explode_above():
    settled = fixed_point(EXPONENTIAL, 0.1, 0.05, start=0.3)
    assert settled == pytest.approx(0.1 * math.exp(2 * settled) + 0.05, rel=1e-9)
    exploded = phase(EXPONENTIAL, 2.0, 0.05)
    assert (exploded.mean_square, exploded.verdict) == (math.inf, "chaotic")
    assert exploded.correlation == 0  # inputs that differ at all


@pytest.mark.parametrize("q", [0.13, 5.3])
@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "elu", "sigmoid"])
def test_the_means_over_two_correlated_gaussians_equal_those_of_a_million_draws(name, q):
    activation, c = ACTIVATIONS[name], 0.37
    first, rest = np.random.RandomState(7).standard_normal((2, 1_000_003))
    u1, u2 = math.sqrt(q) * first, math.sqrt(q) * (c * first + math.sqrt(1 - c * c) * rest)
    for function, ours in (
        (value, covariance(activation, q, c)),
        (derivative, correlation_slope(activation, c, q, 1.0)),
    ):
        products = function(activation, u1) * function(activation, u2)
        assert abs(ours - products.mean()) < 5 * products.std() / math.sqrt(products.size)


@pytest.mark.parametrize("c", [-0.99, -0.4, 0.0, 0.23, 0.7, 0.999])
@pytest.mark.parametrize("q", [0.2, 3.1])
def test_the_correlation_maps_with_a_closed_form_are_those(c, q):
    relu = (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / math.pi
    assert next_correlation(RELU, c, q, 2.0, 0.0) == pytest.approx(relu, abs=1e-12)
    assert correlation_slope(RELU, c, q, 2.0) == pytest.approx(1 - math.acos(c) / math.pi, abs=1e-12)
    erf = 2 / math.pi * math.asin(2 * q * c / (1 + 2 * q))  # Williams 1997
    assert covariance(ERF, q, c) == pytest.approx(erf, abs=1e-10)
    sin = math.exp(-q) * math.sinh(q * c)
    assert covariance(ACTIVATIONS["sin"], q, c) == pytest.approx(sin, abs=1e-10)
    assert next_correlation(LINEAR, c, q, 1.3, 0.1) == pytest.approx((1.3 * q * c + 0.1) / (1.3 * q + 0.1))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_at_correlation_1_two_inputs_are_one(name):
    activation = ACTIVATIONS[name]
    assert covariance(activation, 1.3, 1.0) == pytest.approx(second_moment(activation, 1.3), rel=1e-9)
    assert next_correlation(activation, 1.0, 1.3, 1.1, 0.2) == pytest.approx(1, rel=1e-9)
    assert correlation_slope(activation, 1.0, 1.3, 1.1) == pytest.approx(
        slope(activation, 1.3, 1.1), rel=1e-9
    )


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_slope_of_the_mean_square_equals_central_differences(name):
    activation, q, h = ACTIVATIONS[name], 0.83, 1e-4
    above, below = (next_mean_square(activation, q + step, 1.3, 0.1) for step in (h, -h))
    assert mean_square_slope(activation, q, 1.3) == pytest.approx((above - below) / (2 * h), rel=1e-6)


def test_the_critical_points_are_the_published_ones():
    assert critical_sigma_w(RELU, 0.0) ** 2 == pytest.approx(2, rel=1e-12)
    assert critical_sigma_w(TANH, 0.0) ** 2 == pytest.approx(1, rel=1e-12)
    assert critical_sigma_w(TANH, 0.05) ** 2 == pytest.approx(1.760955, abs=5e-7)
    assert fixed_point(TANH, 1.760955, 0.05) == pytest.approx(0.570048, abs=5e-7)
    assert critical_sigma_w(LINEAR, 0.0) == pytest.approx(1, rel=1e-12)
    # Roberts, Yaida & Hanin 2022, 'The principles of deep learning theory', section 5.3.
    assert critical_sigma_w(GELU, 0.0) ** 2 == pytest.approx(4, rel=1e-9)
    assert critical_sigma_w(GELU, 0.17292239) ** 2 == pytest.approx(1.98305826, abs=1e-8)
    assert critical_sigma_w(ACTIVATIONS["silu"], 0.55514317) ** 2 == pytest.approx(1.98800468, abs=1e-8)


@pytest.mark.parametrize("sigma_b2", [0.0, 0.05, 0.7])
def test_erf_is_critical_where_its_closed_form_says(sigma_b2):
    sigma_w2 = critical_sigma_w(ERF, sigma_b2) ** 2
    q = fixed_point(ERF, sigma_w2, sigma_b2)
    assert sigma_w2 == pytest.approx(math.pi / 4 * math.sqrt(1 + 4 * q), rel=1e-8)


@pytest.mark.parametrize("name", ["tanh", "erf", "sigmoid", "sin"])
def test_at_the_critical_sigma_w_chi_is_1(name):
    activation = ACTIVATIONS[name]
    sigma_w2 = critical_sigma_w(activation, 0.11) ** 2
    assert slope(activation, fixed_point(activation, sigma_w2, 0.11), sigma_w2) == pytest.approx(1, abs=1e-9)


def test_with_biases_relu_is_critical_in_the_limit_of_large_signals():
    assert critical_sigma_w(RELU, 0.3) ** 2 == pytest.approx(2, rel=1e-9)
    assert fixed_point(RELU, 2.0, 0.3) == math.inf


def test_an_activation_that_is_flat_has_no_critical_point():
    flat = Activation(lambda z, out: out.fill(0.7), lambda z, a, out: out.fill(0))
    assert critical_sigma_w(flat, 0.05) is None
    assert phase(flat, 3.0, 0.05).verdict == "ordered"


@pytest.mark.parametrize(("sigma_w2", "scale"), [
    (1.0, 3.62698), (1.5, 15.79099), (2.0, 25.21341), (3.0, 9.05146),
])  # fmt: skip
def test_the_depth_scales_of_tanh_are_the_published_ones(sigma_w2, scale):
    assert phase(TANH, sigma_w2, 0.05).depth_scale == pytest.approx(scale, abs=5e-6)


def test_the_depth_scale_is_infinite_only_at_the_border():
    assert depth_scale(1.0) == math.inf
    assert depth_scale(0.0) == 0
    assert depth_scale(0.5) == pytest.approx(1 / math.log(2))
    assert depth_scale(2.0) == pytest.approx(1 / math.log(2))


def test_iterating_the_maps_ends_at_their_fixed_points():
    sigma_w2, sigma_b2, q, c = 2.3, 0.07, 1.9, 0.2
    for _ in range(400):
        c = next_correlation(TANH, c, q, sigma_w2, sigma_b2)
        q = next_mean_square(TANH, q, sigma_w2, sigma_b2)
    assert fixed_point(TANH, sigma_w2, sigma_b2, start=1.9) == pytest.approx(q, rel=1e-10)
    assert fixed_correlation(TANH, q, sigma_w2, sigma_b2) == pytest.approx(c, rel=1e-6)


@pytest.mark.parametrize(("activation", "sigma_w2", "sigma_b2", "start", "expected"), [
    (RELU, 2.0, 0.0, 1.7, 1.7), (RELU, 1.9, 0.0, 1.7, 0.0), (RELU, 2.1, 0.0, 1.7, math.inf),
    (RELU, 1.2, 0.3, 1.7, 0.75), (TANH, 1.0, 0.0, 1.7, 0.0), (TANH, 0.0, 0.3, 1.7, 0.3),
    (LINEAR, 0.5, 0.3, 1.7, 0.6), (RELU, 0.0, 0.0, 0.0, 0.0), (GELU, 3.0, 0.0, 0.1, 0.0),
    (GELU, 3.0, 0.0, 1.7, math.inf),
])  # fmt: skip
def test_the_fixed_point_is_where_the_signal_goes_from_its_start(
    activation, sigma_w2, sigma_b2, start, expected
):
    assert fixed_point(activation, sigma_w2, sigma_b2, start) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("activation", "sigma_w2", "sigma_b2", "expected"), [
    (RELU, 2.0, 0.0, "critical"), (RELU, 1.0, 0.0, "ordered"), (RELU, 3.0, 0.0, "chaotic"),
    (TANH, 1.0, 0.0, "critical"), (TANH, 1.0, 0.05, "ordered"), (TANH, 3.0, 0.05, "chaotic"),
    (SIGMOID, 1.0, 0.0, "ordered"), (LINEAR, 1.0, 0.0, "critical"), (RELU, 0.0, 0.0, "ordered"),
    (RELU, 5000.0, 0.0, "chaotic"),
])  # fmt: skip
def test_the_phase_is_the_known_one(activation, sigma_w2, sigma_b2, expected):
    assert phase(activation, sigma_w2, sigma_b2).verdict == expected


def test_inputs_become_alike_in_order_and_stay_apart_in_chaos():
    assert phase(TANH, 1.5, 0.05).correlation == 1
    assert phase(TANH, 3.0, 0.0).correlation == pytest.approx(0, abs=1e-12)
    assert 0 < phase(TANH, 3.0, 0.05).correlation < 1


def test_critical_is_chi_within_the_tolerance_of_1():
    assert verdict(1 + 0.9 * CRITICAL_WITHIN) == verdict(1 - 0.9 * CRITICAL_WITHIN) == "critical"
    assert verdict(1 + 1.1 * CRITICAL_WITHIN) == "chaotic"
    assert verdict(1 - 1.1 * CRITICAL_WITHIN) == "ordered"


@pytest.mark.parametrize(("name", "gain2", "q", "perpendicular", "parallel"), [
    ("gelu", 2.155, 2.155, 1.060, 1.084), ("silu", 2.430, 2.430, 1.067, 1.147),
])  # fmt: skip
def test_at_the_gain_that_keeps_a_mean_square_gelu_and_silu_are_unstable(
    name, gain2, q, perpendicular, parallel
):
    found = phase(ACTIVATIONS[name], gain2, 0.0, start=gain2, strays=0.1)
    assert found.verdict == "unstable"
    assert found.mean_square == pytest.approx(q, rel=0.01)
    assert found.chi == pytest.approx(perpendicular, abs=0.002)
    assert found.chi_parallel == pytest.approx(parallel, abs=0.003)
    assert phase(ACTIVATIONS[name], gain2, 0.0, start=10 * gain2, strays=0.1).verdict == "chaotic"
    assert phase(ACTIVATIONS[name], gain2, 0.0, start=gain2 / 10, strays=0.1).verdict == "ordered"


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"gelu", "silu"}))
def test_no_other_activation_has_such_a_point(name):
    for sigma_w2 in (0.5, 1.0, 2.0, 3.0, 9.0):
        assert unstable_point(ACTIVATIONS[name], sigma_w2, 0.1, 1.0, strays=1e9) is None
