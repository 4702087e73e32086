import math

import numpy as np
import pytest

from initlab.activations import ACTIVATIONS
from initlab.networks.network import Network
from initlab.propagation.signals import (
    Measured,
    gradients_from_above,
    laws,
    pairs_of_inputs,
    predict,
    propagate,
    unevenness,
    variances,
)
from initlab.theory.mean_field import fixed_correlation, fixed_point, next_correlation

SEEDS = range(211)


def gaussian_start(network, sigma_w2, sigma_b2, seeds=SEEDS):
    """Returns flat parameters (R, P) with weights N(0, σw² / fan_in) and biases N(0, σb²)."""
    flat = np.empty((len(seeds), network.offsets[-1]))
    for row, seed in zip(flat, seeds, strict=True):
        rng = np.random.RandomState(seed)
        for block in network.blocks(row[np.newaxis]):
            fan_out, fan_in = block.shape[1], block.shape[2] - 1
            block[0, :, :-1] = rng.standard_normal((fan_out, fan_in)) * math.sqrt(sigma_w2 / fan_in)
            block[0, :, -1] = rng.standard_normal(fan_out) * math.sqrt(sigma_b2)
    return flat


def measured(network, flat, seeds=SEEDS, mean_square=1.3, correlation=0.4):
    X = pairs_of_inputs(seeds, network.sizes[0], mean_square, correlation)
    return propagate(network, flat, X, gradients_from_above(seeds, network.sizes[-2]))


def start_and_theory(network, sigma_w2, sigma_b2):
    flat = gaussian_start(network, sigma_w2, sigma_b2)
    found = measured(network, flat)
    given = variances(network, found)
    layers = laws(network, given, unevenness(network, flat[:1]), len(flat))
    return found, predict(network, given, 1.3, 0.4, layers)


def standard_errors(values):
    return values.std(axis=0) / math.sqrt(len(values))


@pytest.mark.parametrize("correlation", [-1.0, -0.3, 0.0, 0.71, 1.0])
def test_the_inputs_have_exactly_the_mean_square_and_correlation_asked_for(correlation):
    X = pairs_of_inputs(range(5), 13, 1.7, correlation)
    assert X.shape == (5, 13, 2)
    np.testing.assert_allclose(np.mean(X**2, axis=1), 1.7, rtol=1e-13)
    np.testing.assert_allclose(np.mean(X[..., 0] * X[..., 1], axis=1), 1.7 * correlation, atol=1e-13)
    assert len(np.unique(X[:, 0, 0])) == 5


def test_one_number_cannot_make_two_inputs_of_a_correlation_between():
    with pytest.raises(ValueError, match=r"size=1: must be at least 2 for two inputs of correlation 0.5"):
        pairs_of_inputs([3], 1, 1.0, 0.5)
    np.testing.assert_allclose(pairs_of_inputs([3], 1, 4.0, -1.0)[0, 0].prod(), -4)


def test_the_gradient_from_above_has_mean_square_1():
    above = gradients_from_above(range(5), 11)
    assert above.shape == (5, 11, 1)
    np.testing.assert_allclose(np.mean(above**2, axis=(1, 2)), 1, rtol=1e-13)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "gelu", "softplus"])
def test_the_gradients_equal_central_differences(activation, residual):
    network = Network((5, 7, 7, 11, 11, 11, 1), activation, residual=residual)
    flat, seeds, h = gaussian_start(network, 1.3, 0.2, [17]), [17], 1e-6
    X, above = pairs_of_inputs(seeds, 5, 1.3, 0.4), gradients_from_above(seeds, 11)
    expected = []
    for layer in range(5):
        bias = network.blocks(flat)[layer][0, :, -1]  # moves a pre-activation and nothing else below it
        slopes = []
        for unit in range(len(bias)):
            ends = []
            for step in (h, -2 * h):
                bias[unit] += step
                ends.append(above_dot_top(network, flat, X, above))
            bias[unit] += h
            slopes.append((ends[0] - ends[1]) / (2 * h))
        expected.append(np.mean(np.square(slopes)))
    np.testing.assert_allclose(propagate(network, flat, X, above).gradients[0], expected, rtol=1e-7)


def above_dot_top(network, flat, X, above):
    """Returns the number whose gradient ``above`` begins: the top pre-activations in its direction."""
    a = X[0, :, :1]
    *hidden, _ = network.blocks(flat)
    for block, skip in zip(hidden, network.skips, strict=True):
        z = block[0] @ np.vstack([a, [[1.0]]])
        value = np.empty_like(z)
        network.activation.value(z, value)
        a = value + a if skip else value
    return float(np.sum(above[0] * z))


@pytest.mark.parametrize("factor", [1.5, 0.5])
def test_layers_of_a_constant_times_the_identity_scale_exactly(factor):
    network = Network((7,) * 12 + (1,), "linear")
    flat = np.zeros((2, network.offsets[-1]))
    for block in network.blocks(flat)[:-1]:
        block[:, :, :-1] = factor * np.eye(7)
    found = measured(network, flat, [3, 5])
    depths = np.arange(1, 12)
    np.testing.assert_allclose(np.sqrt(found.mean_squares / 1.3), [factor**depths] * 2, rtol=1e-12)
    np.testing.assert_allclose(np.sqrt(found.gradients), [factor ** (11 - depths)] * 2, rtol=1e-12)
    np.testing.assert_allclose(found.correlations, 0.4, rtol=1e-12)


def test_he_keeps_relus_mean_square_on_average_with_exactly_the_variance_of_finite_width():
    # z of layer l + 1 has, given the layers below, the variance |a_l|² σw² / n_l: so 1 + v becomes
    # (1 + 2/n_{l+1}) prod(1 + 5/n_k).
    draws, widths = 15_013, (29, 19, 23)
    network = Network((7, *widths, 1), "relu")
    flat = np.random.RandomState(13).standard_normal((draws, network.offsets[-1]))
    for block in network.blocks(flat):
        block[..., :-1] *= math.sqrt(2 / (block.shape[-1] - 1))
        block[..., -1] = 0
    X, above = pairs_of_inputs([3], 7, 1.3, 0.4), gradients_from_above([3], 23)
    found = propagate(network, flat, X.repeat(draws, axis=0), above.repeat(draws, axis=0))
    ratios = found.mean_squares / (2 * 1.3)
    products = np.cumprod([1, *(1 + 5 / n for n in widths[:-1])])
    expected = products * (1 + 2 / np.array(widths)) - 1
    assert np.all(np.abs(ratios.mean(axis=0) - 1) < 5 * standard_errors(ratios))
    squares = (ratios - 1) ** 2
    assert np.all(np.abs(squares.mean(axis=0) - expected) < 5 * standard_errors(squares))
    assert np.all(5 * standard_errors(squares) < 0.2 * expected)  # or the test would tell nothing


def test_the_signals_of_tanh_end_at_the_fixed_points():
    tanh, sigma_w2, sigma_b2 = ACTIVATIONS["tanh"], 2.0, 0.05
    network = Network((53, *[151] * 23, 1), "tanh")
    found = measured(network, gaussian_start(network, sigma_w2, sigma_b2, range(31)), range(31))
    q = fixed_point(tanh, sigma_w2, sigma_b2)
    assert found.mean_squares[:, -1].mean() == pytest.approx(q, rel=0.05)
    c = fixed_correlation(tanh, q, sigma_w2, sigma_b2)
    assert np.median(found.correlations[:, -1]) == pytest.approx(c, abs=0.1)


@pytest.mark.parametrize(("activation", "sigma_w2", "sigma_b2"), [
    ("relu", 2.0, 0.0), ("tanh", 1.8, 0.05), ("gelu", 2.0, 0.1), ("erf", 3.0, 0.2), ("sigmoid", 2.0, 0.3),
])  # fmt: skip
def test_the_theory_predicts_what_is_measured(activation, sigma_w2, sigma_b2):
    network = Network((53, 97, 101, 103, 107, 89, 1), activation)
    found, theory = start_and_theory(network, sigma_w2, sigma_b2)
    for values, predicted, low, high in (
        (found.mean_squares, theory.mean_squares, theory.mean_squares_low, theory.mean_squares_high),
        (found.gradients, theory.gradients, theory.gradients_low, theory.gradients_high),
    ):
        # The theory is that of infinite width: 1/n of a value is beyond it.
        assert np.all(
            np.abs(values.mean(axis=0) / predicted - 1) < 0.03 + 4 * standard_errors(values / predicted)
        )
        inside = np.mean((values >= low * (1 - 1e-9)) & (values <= high * (1 + 1e-9)), axis=0)
        assert np.all(inside[:-1] > 0.8)
        assert np.all(inside[:-1] < 0.97)
    assert np.all(np.abs(found.correlations.mean(axis=0) - theory.correlations) < 0.04)


def test_the_prediction_of_relu_correlations_is_the_closed_form():
    network = Network((53, *[97] * 6, 1), "relu")
    found, theory = start_and_theory(network, 2.0, 0.0)
    c, expected = 0.4, []
    for _ in range(6):
        expected.append(c)
        c = (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / math.pi
    np.testing.assert_allclose(theory.correlations, expected, rtol=1e-9)
    assert next_correlation(ACTIVATIONS["relu"], 0.4, 1.0, 2.0, 0.0) == pytest.approx(expected[1])
    assert np.all(np.abs(found.correlations.mean(axis=0) - expected) < 0.03)


def test_gradients_are_predicted_through_layers_of_other_widths():
    network = Network((53, 307, 41, 211, 1), "linear")
    found, theory = start_and_theory(network, 1.0, 0.0)
    np.testing.assert_allclose(theory.gradients, [211 / 307, 211 / 41, 1], rtol=0.01)
    assert np.all(np.abs(found.gradients.mean(axis=0) / theory.gradients - 1) < 0.08)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_in_residual_networks_the_signals_add_up_as_predicted(activation):
    network = Network((53, *[97] * 9, 1), activation, residual=True)
    found, theory = start_and_theory(network, 1.1, 0.05)
    plain = start_and_theory(Network(network.sizes, activation), 1.1, 0.05)[1]
    assert theory.mean_squares[-1] > 5 * plain.mean_squares[-1]
    means = found.mean_squares / theory.mean_squares
    assert np.all(np.abs(means.mean(axis=0) - 1) < 0.04 + 4 * standard_errors(means))
    assert np.all(np.abs(found.correlations.mean(axis=0) - theory.correlations) < 0.05)
    assert np.isnan(theory.mean_squares_low).all()
    assert np.isnan(theory.gradients).all() == (activation == "relu")
    if activation == "tanh":
        assert np.all(np.abs(found.gradients.mean(axis=0) / theory.gradients - 1) < 0.15)


def test_zeros_give_nothing_and_that_is_predicted():
    network = Network((5, 7, 7, 1), "relu")
    found, theory = start_and_theory(network, 0.0, 0.0)
    assert np.all(found.mean_squares == 0)
    np.testing.assert_allclose(found.gradients, [[0, 1]] * len(SEEDS), rtol=1e-13)
    assert np.isnan(found.correlations).all()
    assert theory.mean_squares.tolist() == theory.mean_squares_high.tolist() == [0, 0]
    assert theory.gradients.tolist() == [0, 1]


def test_the_variances_are_those_of_the_weights_and_their_mean_is_seen():
    network = Network((53, 97, 97, 1), "tanh")
    flat = gaussian_start(network, 1.7, 0.3)
    given = variances(network, measured(network, flat))
    np.testing.assert_allclose(given.sigma_w2, 1.7, rtol=0.01)
    np.testing.assert_allclose(given.sigma_b2, 0.3, rtol=0.05)
    assert given.weights_centred
    for block in network.blocks(flat)[:-1]:
        block[..., :-1] += 0.03
    moved = variances(network, measured(network, flat))
    np.testing.assert_allclose(moved.sigma_w2, given.sigma_w2, rtol=1e-9)
    assert not moved.weights_centred


def test_few_weights_are_not_taken_to_have_a_mean_for_their_noise():
    network = Network((2, 3, 3, 1), "tanh")
    for seed in range(20):
        found = measured(network, gaussian_start(network, 1.0, 0.0, [seed]), [seed])
        assert variances(network, found).weights_centred


def test_a_network_gives_the_same_bits_alone_and_in_a_stack():
    network = Network((53, 97, 31, 31, 1), "gelu", residual=True)
    seeds = range(7)
    stack = measured(network, gaussian_start(network, 1.7, 0.3, seeds), seeds)
    alone = [measured(network, gaussian_start(network, 1.7, 0.3, [s]), [s]) for s in seeds]
    joined = Measured.joined(alone)
    for name, values in vars(stack).items():
        np.testing.assert_array_equal(getattr(joined, name), values, strict=True)


def test_weights_that_overflow_are_measured_without_a_warning():
    network = Network((5, *[7] * 200, 1), "relu")
    found, theory = start_and_theory(network, 1e4, 0.0)
    top = found.mean_squares[:, -1]
    assert 0 < np.count_nonzero(np.isposinf(top)) < len(top)
    assert np.all(np.isposinf(top) | (top == 0))  # so narrow, relu layers kill many a signal before
    assert theory.mean_squares[-1] == np.inf


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "linear", "gelu"])
def test_no_gradient_comes_down_through_a_layer_that_has_overflowed(activation):
    # Run 0 is ordinary; in run 1 the third layer overflows.
    network = Network((5, *[7] * 6, 1), activation)
    flat = gaussian_start(network, 1.7, 0.0, [3, 5])
    network.blocks(flat)[1][1, :, :-1] *= 1e300
    network.blocks(flat)[2][1, :, :-1] = 1e308
    network.blocks(flat)[2][1, :, -1] = 1e308
    found = measured(network, flat, [3, 5])
    broken = 3 if activation == "tanh" else 6  # tanh of what overflows is 1 again
    assert np.isnan(found.gradients[1, :broken]).all()
    assert np.isfinite(found.gradients[1, broken:]).all()
    assert np.isposinf(found.mean_squares[1, 2:broken]).all()
    assert np.isfinite(found.mean_squares[0]).all()
    assert np.all(found.gradients[0] > 0)


def test_relu_networks_let_a_signal_die_as_often_as_they_must():
    draws = 20_011
    network = Network((2, 10, 5, 3, 1), "relu")
    flat = np.random.RandomState(17).standard_normal((draws, network.offsets[-1]))
    for block in network.blocks(flat):
        block[..., -1] = 0
    X, above = pairs_of_inputs([3], 2, 1.3, 0.4), gradients_from_above([3], 3)
    found = propagate(network, flat, X.repeat(draws, axis=0), above.repeat(draws, axis=0))
    dead, expected = np.mean(found.mean_squares[:, -1] == 0), 0.0321960  # 1 - (1 - 2^-10)(1 - 2^-5)
    assert abs(dead - expected) < 4 * math.sqrt(expected * (1 - expected) / draws)
