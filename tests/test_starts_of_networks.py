import inspect
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from oracles import lone_start, plain_layers

from initlab import initializers
from initlab.config.schema import plain
from initlab.config.targets import load_component
from initlab.initializers import (
    biases,
    initial_parameters,
    layer_by_layer,
    lsuv,
    metainit,
    of_network,
    zero_last,
)
from initlab.networks.hessian import gradient_quotient
from initlab.networks.network import Network, deep
from initlab.networks.tape import Tape, predict, with_ones

X = np.random.RandomState(97).randn(7, 211) * 3 + 1
QUICK = {"steps": 50, "batch": 53}


def variances(network, flat, inputs):
    """Returns the variance of every layer's pre-activations, from the library's own forward pass."""
    identity = Network(network.sizes, network.activation_name, residual=network.residual)
    tape = Tape(identity, flat[np.newaxis], inputs.shape[-1])
    tape.read(with_ones(inputs))
    blocks, found = identity.blocks(flat[np.newaxis]), []
    tape.forward()
    for block, below in zip(blocks, tape.inputs, strict=True):
        found.append(np.var(block @ below))
    return found


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
@pytest.mark.parametrize(
    "network",
    [
        Network((7, 10, 5, 1), "relu"),
        Network((7, *[23] * 20, 3), "relu", output_name="softmax"),
        Network((7, 307, 211, 1), "relu"),
        Network((7, *[13] * 11, 1), "relu", residual=True),
        Network((7, 1), "relu", output_name="linear"),
    ],
    ids=["small", "deep", "wide", "residual", "one layer"],
)
def test_lsuv_gives_every_layer_unit_variance_on_the_data(network, activation):
    network = Network(network.sizes, activation, network.output_name, network.residual)
    flat = initial_parameters(lsuv, network, 3, X=X)
    np.testing.assert_allclose(variances(network, flat, X), 1, rtol=1e-9)


@pytest.mark.parametrize(
    "rule",
    [
        biases.uniform,
        partial(biases.normal, std=0.3),
        partial(biases.constant, value=0.7),
        partial(biases.constant, value=-40.0),
    ],
    ids=["uniform", "normal", "constant", "large constant"],
)
@pytest.mark.parametrize("residual", [False, True])
def test_lsuv_measures_with_the_biases_that_training_begins_with(rule, residual):
    network = Network((7, 13, 13, 3), "tanh", "softmax", residual=residual)
    flat = initial_parameters(lsuv, network, 3, X=X, bias=rule)
    np.testing.assert_allclose(variances(network, flat, X), 1, rtol=1e-9)
    start = lone_start(network, 3, initializers.orthogonal)
    for (W, b), (Q, _), expected in zip(
        plain_layers(flat, network.sizes),
        plain_layers(start, network.sizes),
        plain_layers(initial_parameters(initializers.he, network, 3, bias=rule), network.sizes),
        strict=True,
    ):
        np.testing.assert_allclose(W, Q * (W[0, 0] / Q[0, 0]), rtol=1e-12)
        assert W[0, 0] / Q[0, 0] > 0
        np.testing.assert_array_equal(b, expected[1])


def test_lsuv_beside_biases_that_vary_too_much_gives_the_signal_itself_variance_1():
    network = Network((7, 13, 1), "tanh")
    flat = initial_parameters(lsuv, network, 3, X=X, bias=partial(biases.normal, std=5.0))
    (W, _), _ = plain_layers(flat, network.sizes)
    assert np.var(W @ X) == pytest.approx(1, rel=1e-9)


def test_a_rule_that_adds_to_the_starts_biases_adds_once():
    network = Network((7, 13, 1), "tanh")
    flat = initial_parameters(lsuv, network, 3, X=X, bias=lambda rng, fan_in, own: own + 0.25)
    assert all((b == 0.25).all() for _, b in plain_layers(flat, network.sizes))
    np.testing.assert_allclose(variances(network, flat, X), 1, rtol=1e-9)


def test_lsuv_only_scales_the_orthogonal_start():
    network = Network((7, 10, 5, 1), "tanh")
    start = lone_start(network, 3, initializers.orthogonal)
    flat = initial_parameters(lsuv, network, 3, X=X)
    for (W, b), (Q, _) in zip(
        plain_layers(flat, network.sizes), plain_layers(start, network.sizes), strict=True
    ):
        np.testing.assert_allclose(W, Q * (W[0, 0] / Q[0, 0]), rtol=1e-12)
        assert W[0, 0] / Q[0, 0] > 0
        assert not b.any()


def test_lsuv_measures_the_first_examples_only():
    network = Network((7, 10, 5, 1), "relu")
    flat = initial_parameters(partial(lsuv, examples=101), network, 3, X=X)
    np.testing.assert_array_equal(flat, initial_parameters(lsuv, network, 3, X=X[:, :101]))
    np.testing.assert_allclose(variances(network, flat, X[:, :101]), 1, rtol=1e-9)
    assert max(abs(v - 1) for v in variances(network, flat, X)) > 0.001


@pytest.mark.parametrize("inputs", [np.zeros((7, 11)), np.full((7, 11), np.inf)])
def test_a_layer_that_says_nothing_or_too_much_keeps_its_orthogonal_weights(inputs):
    network = Network((7, 10, 5, 1), "relu")
    flat = initial_parameters(lsuv, network, 3, X=inputs)
    np.testing.assert_array_equal(flat, lone_start(network, 3, initializers.orthogonal))


def test_lsuv_without_data_says_what_it_needs():
    with pytest.raises(ValueError, match=r"^lsuv measures the training inputs, and none were given$"):
        initial_parameters(lsuv, Network((7, 1), "relu"), 3)


@pytest.mark.parametrize("n_y", [1, 3])
def test_zero_last_is_he_below_a_last_layer_of_0(n_y):
    network = Network((7, 13, 11, n_y), "relu", "softmax" if n_y > 1 else "sigmoid")
    flat = initial_parameters(zero_last, network, 3)
    *hidden, (last, _) = plain_layers(flat, network.sizes)
    for (W, b), (expected, _) in zip(
        hidden, plain_layers(lone_start(network, 3), network.sizes), strict=False
    ):
        np.testing.assert_array_equal(W, expected)
        assert not b.any()
    assert not last.any()
    np.testing.assert_array_equal(
        predict(network, flat[np.newaxis], X), np.full((1, n_y, 211), 1 / (n_y if n_y > 1 else 2))
    )


def quotient(network, flat, batches=7):
    rng, found = np.random.RandomState(101), []
    for _ in range(batches):
        inputs = with_ones(rng.randn(network.sizes[0], 199))
        Y = network.output.random_labels(rng, network.sizes[-1], 199)
        with np.errstate(over="ignore"):
            found.append(gradient_quotient(network, flat[np.newaxis], inputs, network.output.targets(Y))[0])
    return np.mean(found)


@pytest.mark.parametrize(
    ("network", "factor"),
    [
        (Network((2, 10, 5, 1), "tanh"), 2),
        (Network((7, 13, 13, 13, 13, 3), "tanh", "softmax"), 3),
        (Network((7, 1), "relu"), 3),
    ],
    ids=["small", "deep", "one layer"],
)
def test_metainit_makes_gradients_hold_along_a_step(network, factor):
    for seed in (3, 5):
        start = lone_start(network, seed, initializers.lecun_normal)
        flat = initial_parameters(partial(metainit, steps=150), network, seed)
        assert quotient(network, flat) < quotient(network, start) / factor


@pytest.mark.parametrize("learning_rate", [0.1, 3.0, 100.0])
@pytest.mark.parametrize(
    "network",
    [Network((2, 10, 5, 1), "relu"), Network((7, 13, 1), "tanh", "linear"), Network((7, 1), "relu")],
    ids=["relu", "linear output", "one layer"],
)
def test_metainit_never_ends_above_where_it_began(network, learning_rate):
    for seed in (3, 5, 7):
        start = lone_start(network, seed, initializers.lecun_normal)
        flat = initial_parameters(partial(metainit, learning_rate=learning_rate, **QUICK), network, seed)
        assert quotient(network, flat) <= 1.03 * quotient(network, start)  # other batches than it saw


def test_more_steps_of_metainit_never_make_it_worse_than_fewer():
    network = Network((2, 10, 5, 1), "tanh")
    # The batches by which it compares are the same: what was best among 7 is there among 13 and 50.
    found = [
        quotient(network, initial_parameters(partial(metainit, learning_rate=0.5, steps=steps), network, 3))
        for steps in (1, 7, 13, 50)
    ]
    assert all(later <= 1.03 * sooner for sooner, later in pairwise(found))


def test_metainits_defaults_are_its_papers(config):
    made = load_component(plain(config("init=metainit")), "init", []).keywords
    assert (made["steps"], made["learning_rate"], made["momentum"]) == (500, 0.1, 0.9)


@pytest.mark.parametrize("output", ["sigmoid", "softmax", "linear"])
def test_metainit_changes_norms_only(output):
    network = Network((7, 11, 5, 3 if output == "softmax" else 1), "relu", output)
    start = lone_start(network, 3, initializers.lecun_normal)
    flat = initial_parameters(partial(metainit, **QUICK, learning_rate=0.02), network, 3)
    ratios = []
    for (W, b), (W0, _) in zip(
        plain_layers(flat, network.sizes), plain_layers(start, network.sizes), strict=True
    ):
        ratios.append(np.linalg.norm(W) / np.linalg.norm(W0))
        np.testing.assert_allclose(W / np.linalg.norm(W), W0 / np.linalg.norm(W0), rtol=1e-12)
        assert not b.any()
    assert max(abs(ratio - 1) for ratio in ratios) > 0.02


def test_the_first_step_of_metainit_goes_one_learning_rate_against_the_slope():
    network = Network((7, 11, 5, 1), "tanh")
    start = lone_start(network, 3, initializers.lecun_normal)
    flat = initial_parameters(partial(metainit, steps=1, learning_rate=1e-4), network, 3)
    moved = [
        np.linalg.norm(W) - np.linalg.norm(W0)
        for (W, _), (W0, _) in zip(
            plain_layers(flat, network.sizes), plain_layers(start, network.sizes), strict=True
        )
    ]
    np.testing.assert_allclose(np.abs(moved), 1e-4, rtol=1e-9)
    assert quotient(network, flat) < quotient(network, start)


def test_metainit_never_turns_a_layer_round():
    network = Network((7, 11, 1), "tanh")
    flat = initial_parameters(partial(metainit, learning_rate=100.0, **QUICK), network, 3)
    start = lone_start(network, 3, initializers.lecun_normal)
    assert (np.sign(flat) == np.sign(start)).all()


@pytest.mark.parametrize("start", [zero_last, metainit, lsuv])
def test_a_start_of_a_network_is_its_seed(start):
    network = Network((7, 11, 5, 1), "tanh")
    made = partial(start, **QUICK) if start is metainit else start
    first, again, other = (initial_parameters(made, network, seed, X=X) for seed in (3, 3, 5))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.dtype == np.float64


def test_a_start_of_a_network_gets_the_network_and_the_training_inputs():
    network, seen = Network((7, 5, 1), "relu"), []

    @of_network
    def spiral(rng, network, inputs, *, scale):
        seen.append((network, inputs))
        return scale * layer_by_layer(initializers.he, rng, network)

    flat = initial_parameters(partial(spiral, scale=2), network, 3, X=X)
    np.testing.assert_array_equal(flat, 2 * lone_start(network, 3))
    assert seen[0][0] is network
    assert seen[0][1] is X


def test_parameters_of_a_wrong_length_are_told_in_one_line():
    @of_network
    def spiral(rng, network, inputs):
        return np.zeros(11)

    with pytest.raises(ValueError, match=r"^spiral returned an array of shape \(11,\); it must be \(46,\)$"):
        initial_parameters(spiral, Network((7, 5, 1), "relu"), 3)


STARTS = sorted(path.stem for path in (Path(__file__).parents[1] / "conf" / "init").glob("*.yaml"))


def test_every_start_has_a_config():
    functions = {name for name, value in vars(initializers).items() if inspect.isfunction(value)}
    assert set(STARTS) == functions - {"initial_parameters", "layer_by_layer", "of_network"}


@pytest.mark.parametrize("name", STARTS)
def test_every_config_of_a_start_names_its_function_and_draws(config, name):
    quick = ["init.steps=7"] if name == "metainit" else []
    made = load_component(plain(config(f"init={name}", "model.activation=tanh", *quick)), "init", [])
    assert made.func is getattr(initializers, name)
    network = deep(7, depth=3, width=5, activation="tanh", residual=True, branch_depth=2)
    flat = initial_parameters(made, network, 3, X=X)
    assert flat.shape == (7 * 5 + 5 + 2 * (5 * 5 + 5) + 5 + 1,)
    assert np.isfinite(flat).all()
    assert flat.any() == (name != "zeros")
