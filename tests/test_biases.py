from functools import partial

import numpy as np
import pytest
from oracles import plain_layers
from scipy.stats import kstest, norm, uniform

from initlab import initializers
from initlab.config.targets import load_component
from initlab.initializers import biases, initial_parameters
from initlab.networks.network import Network

WIDE = Network((7, 4001, 3), "relu")
RULES = ["own", "zeros", "constant", "normal", "uniform"]
mean_field = partial(initializers.mean_field, sigma_w=1.0, sigma_b=0.5)


def started(bias, init=initializers.he, seed=5, network=WIDE):
    return plain_layers(initial_parameters(init, network, seed, bias=bias), network.sizes)


@pytest.mark.parametrize("init", [initializers.he, mean_field])
def test_without_a_rule_the_starts_own_biases_stand(init):
    np.testing.assert_array_equal(
        initial_parameters(init, WIDE, 5), initial_parameters(init, WIDE, 5, bias=biases.own)
    )


def test_the_own_biases_of_a_mean_field_start_are_its_law_and_of_he_0():
    assert kstest(started(biases.own, mean_field)[0][1].ravel(), norm(0, 0.5).cdf).pvalue > 0.01
    assert not any(b.any() for _, b in started(biases.own))


def test_zeros_and_constants_take_the_place_of_what_a_start_brings():
    assert not any(b.any() for _, b in started(biases.zeros, mean_field))
    assert all((b == -0.7).all() for _, b in started(partial(biases.constant, value=-0.7), mean_field))


def test_normal_biases_have_their_width_in_every_layer():
    (_, first), (_, last) = started(partial(biases.normal, std=0.3), network=Network((7, 4001, 3989), "relu"))
    for b in (first, last):
        assert kstest(b.ravel(), norm(0, 0.3).cdf).pvalue > 0.01
    assert abs(np.corrcoef(first[:3989, 0], last[:, 0])[0, 1]) < 4 * 3989**-0.5


def test_uniform_biases_are_as_wide_as_pytorchs():
    (_, first), (_, last) = started(biases.uniform, network=Network((7, 4001, 3989), "relu"))
    for b, fan_in in ((first, 7), (last, 4001)):
        assert kstest(b.ravel(), uniform(-(fan_in**-0.5), 2 * fan_in**-0.5).cdf).pvalue > 0.01


@pytest.mark.parametrize("init", [initializers.he, mean_field, initializers.zero_last])
def test_the_weights_are_the_same_whatever_the_biases_rule(init):
    plain = started(None, init)
    rules = [biases.zeros, partial(biases.constant, value=2), partial(biases.normal, std=1), biases.uniform]
    for rule in rules:
        for (W, _), (expected, _) in zip(started(rule, init), plain, strict=True):
            np.testing.assert_array_equal(W, expected)


def test_biases_are_their_seeds_and_not_the_weights_normals():
    rule = partial(biases.normal, std=1)
    b = started(rule)[0][1]
    np.testing.assert_array_equal(b, started(rule)[0][1])
    assert not np.intersect1d(b, started(rule, seed=6)[0][1]).size
    assert not np.intersect1d(b, np.random.RandomState(5).randn(50000)).size


def test_biases_of_a_wrong_shape_are_told_in_one_line():
    def row(rng, fan_in, own):
        return own.T

    with pytest.raises(
        ValueError, match=r"^row returned an array of shape \(1, 4001\); it must be \(4001, 1\)$"
    ):
        started(row)


@pytest.mark.parametrize("rule", RULES)
def test_every_config_of_a_rule_names_its_function(config, rule):
    cfg = config(f"bias={rule}")
    made = load_component({"bias": dict(cfg.bias)}, "bias", [])
    assert made.func is getattr(biases, rule)
    flat = initial_parameters(initializers.he, WIDE, 3, bias=made)
    assert flat.shape == (4001 * 8 + 3 * 4002,)
    assert np.isfinite(flat).all()
