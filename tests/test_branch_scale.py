"""Residual layers whose own part is multiplied by a number."""

from dataclasses import replace

import numpy as np
import pytest
from builders import gradients_at, labels_of
from oracles import PHI, plain_layers, stack_of_starts

from initlab.config.targets import load_component
from initlab.errors import ConfigError
from initlab.networks.hessian import hessian_products
from initlab.networks.network import Network, deep, mlp
from initlab.networks.tape import evaluate, predict, with_ones
from initlab.propagation.setup import observe, setup_of

SIZES = (3, 7, 7, 5, 5, 5, 2)


def network_of(activation="tanh", normalization="none", scale=0.3):
    return Network(SIZES, activation, "linear", True, 0.03, normalization, scale)


def data_of(network, m=19):
    rng = np.random.RandomState(7)
    return rng.standard_normal((3, m)), labels_of(network, rng, m)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_answers_by_hand(activation):
    network = network_of(activation)
    points, (X, _) = stack_of_starts(network, [3, 5]), data_of(network)
    for point, answers in zip(points, predict(network, points, X), strict=True):
        a, *layers = X, *plain_layers(point, SIZES)
        for (W, b), skips in zip(layers[:-1], [False, True, False, True, True], strict=True):
            own = PHI[activation](W @ a + b)
            a = a + 0.3 * own if skips else own
        np.testing.assert_allclose(answers, layers[-1][0] @ a + layers[-1][1], rtol=1e-12)


@pytest.mark.parametrize("normalization", ["none", "layer", "batch"])
def test_gradients_and_hessian_products_are_central_differences(normalization):
    network = network_of(normalization=normalization)
    X, Y = data_of(network)
    X1, targets, rng = with_ones(X), network.output.targets(Y), np.random.RandomState(11)
    points = stack_of_starts(network, [3, 5, 7])
    points[:, : network.trained] += 0.1 * rng.standard_normal((3, network.trained))
    directions = rng.standard_normal((3, network.trained))
    moved = np.zeros_like(points)
    moved[:, : network.trained] = 1e-6 * directions
    ahead, behind = (gradients_at(network, points + sign * moved, X1, targets) for sign in (1, -1))
    products = hessian_products(network, points, directions, X1, targets)
    expected = (ahead - behind) / 2e-6
    np.testing.assert_allclose(products, expected, rtol=0, atol=1e-7 * np.abs(expected).max())
    if normalization == "none":
        costs = [evaluate(network, points + sign * moved, X, Y)[0] for sign in (1, -1)]
        slope = np.vecdot(gradients_at(network, points, X1, targets), directions)
        np.testing.assert_allclose((costs[0] - costs[1]) / 2e-6, slope, rtol=1e-6)


def test_a_scale_of_1_changes_no_bit_and_one_of_next_to_nothing_leaves_the_skips():
    network = network_of(scale=1.0)
    points, (X, _) = stack_of_starts(network, [3, 5]), data_of(network)
    usual = Network(SIZES, "tanh", "linear", True, 0.03)
    assert usual == network
    np.testing.assert_array_equal(predict(network, points, X), predict(usual, points, X))
    faint = predict(replace(network, branch_scale=1e-12), points, X)
    assert not np.allclose(faint, predict(usual, points, X), rtol=1e-3)


@pytest.mark.parametrize("scale", [0.25, 1.0, 2.0])
def test_the_theory_follows_the_scale(config, scale):
    # Linear layers of σw² = 1: every residual layer multiplies the mean square by 1 + scale².
    setup = setup_of(propagate_config(config, scale))
    observation = observe(setup)
    growth = observation.predicted.mean_squares[1:] / observation.predicted.mean_squares[:-1]
    np.testing.assert_allclose(growth[1:], 1 + scale**2, rtol=0.01)  # the weights' own variances
    measured = np.mean(observation.measured.mean_squares, axis=0)
    np.testing.assert_allclose(measured, observation.predicted.mean_squares, rtol=0.25)


def propagate_config(config, scale):
    from hydra import compose

    config()  # opens the configs
    return compose(
        "propagate",
        ["model.depth=6", "model.width=97", "model.activation=linear", "model.residual=true", "init=xavier",
         f"model.branch_scale={scale}", "seeds=31", "tracking.uri=null"],
    )  # fmt: skip


def test_models_take_it_and_refuse_what_is_none():
    assert deep(3, depth=4, width=5, activation="relu", residual=True, branch_scale=0.5).branch_scale == 0.5
    assert mlp(3, hidden=[5, 5], activation="relu").branch_scale == 1
    node = {"_target_": "initlab.networks.mlp", "hidden": [5], "activation": "relu", "branch_scale": 0}
    with pytest.raises(ConfigError, match=r"^model\.branch_scale=0: must be a finite number greater than 0$"):
        load_component({"model": node}, "model", ())
