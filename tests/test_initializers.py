from functools import partial

import numpy as np
import pytest
from scipy.stats import kstest, norm
from starts import lone_start, plain_layers

from initlab import initializers
from initlab.network import Network

SHAPE = (300, 400)

LAWS = [
    pytest.param(initializers.random, {"scale": 10}, 10, id="random"),
    pytest.param(initializers.small_random, {"scale": 0.01}, 0.01, id="small_random"),
    pytest.param(initializers.xavier, {}, 400**-0.5, id="xavier"),
    pytest.param(initializers.he, {}, 200**-0.5, id="he"),
]


def drawn(init, seed, shape=SHAPE, **options):
    return init(np.random.RandomState(seed), shape, **options)


@pytest.mark.parametrize(("init", "options", "std"), LAWS)
def test_weights_follow_their_exact_law(init, options, std):
    weights = drawn(init, 11, **options)
    assert kstest(weights.ravel(), norm(scale=std).cdf).pvalue > 0.01
    assert np.std(weights) == pytest.approx(std, rel=0.01)
    assert abs(np.mean(weights)) < 4 * std / np.sqrt(weights.size)


@pytest.mark.parametrize(("init", "options", "std"), LAWS)
def test_a_seed_gives_every_start_the_same_underlying_draws(init, options, std):
    normals = np.random.RandomState(13).randn(*SHAPE)
    np.testing.assert_allclose(drawn(init, 13, **options), normals * std, rtol=5e-16)


def test_a_run_draws_its_layers_one_after_another_from_one_stream():
    flat = initializers.initial_parameters(initializers.he, [(7, 3), (5, 7)], seed=17)
    normals = np.random.RandomState(17).randn(7 * 3 + 5 * 7)
    (first, _), (second, _) = plain_layers(flat, (3, 7, 5))
    np.testing.assert_allclose(first.ravel(), normals[:21] * np.sqrt(2 / 3), rtol=5e-16)
    np.testing.assert_allclose(second.ravel(), normals[21:] * np.sqrt(2 / 7), rtol=5e-16)


@pytest.mark.parametrize(("init", "options", "std"), LAWS)
def test_biases_start_at_0(init, options, std):
    flat = initializers.initial_parameters(partial(init, **options), [(7, 3), (5, 7)], seed=17)
    assert flat.shape == (7 * 4 + 5 * 8,)
    assert flat.dtype == np.float64
    assert all(np.all(b == 0) and np.all(W != 0) for W, b in plain_layers(flat, (3, 7, 5)))


def test_he_is_xavier_times_the_square_root_of_2():
    he, xavier = drawn(initializers.he, 19), drawn(initializers.xavier, 19)
    np.testing.assert_allclose(he, xavier * np.sqrt(2), rtol=5e-16)


def test_the_first_he_layer_of_seed_3_is_the_notebooks():
    weights = drawn(initializers.he, 3, (10, 2))
    np.testing.assert_array_equal(weights, np.random.RandomState(3).randn(10, 2) * np.sqrt(2 / 2))


def test_zeros_are_exactly_0_and_draw_nothing():
    rng = np.random.RandomState(23)
    np.testing.assert_array_equal(initializers.zeros(rng, (5, 3)), np.zeros((5, 3)), strict=True)
    assert rng.randn() == np.random.RandomState(23).randn()


@pytest.mark.parametrize("value", [0.1, -2.5, 1])
def test_a_constant_is_exact_and_draws_nothing(value):
    rng = np.random.RandomState(29)
    weights = initializers.constant(rng, (5, 3), value=value)
    np.testing.assert_array_equal(weights, [[float(value)] * 3] * 5, strict=True)
    assert weights.dtype == np.float64
    assert rng.randn() == np.random.RandomState(29).randn()


def test_a_scale_of_0_gives_zeros():
    assert not np.any(drawn(initializers.random, 31, (7, 5), scale=0))


def test_he_keeps_the_second_moment_through_relu_layers():
    # Its mean is 1 and its variance prod_k (1 + 5 / n_k) − 1 (REFERENCE 3.1), for any input.
    runs, network = 4001, Network((3, 10, 5, 1), "relu")
    x = np.array([[0.3], [-1.7], [0.9]])
    first, second = [], []
    for seed in range(runs):
        (W1, _), (W2, _), _ = plain_layers(lone_start(network, seed), network.sizes)
        a1 = np.maximum(W1 @ x, 0)
        first.append(np.sum(a1**2) / 10)
        second.append(np.sum(np.maximum(W2 @ a1, 0) ** 2) / 5)
    for ratio, variance in ((first, 0.5), (second, 2.0)):
        ratio = np.array(ratio) / np.mean(x**2)
        assert np.mean(ratio) == pytest.approx(1, abs=3 * np.sqrt(variance / runs))
        assert np.var(ratio) == pytest.approx(variance, rel=0.15)
