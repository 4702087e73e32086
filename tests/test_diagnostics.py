from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binomtest
from starts import lone_start, plain_forward, plain_gradient, plain_layers, stack_of_starts

from initlab import initializers
from initlab.datasets import circles
from initlab.diagnostics import (
    DIAGNOSTICS,
    Step,
    activation_std,
    dead_units,
    distinct_units,
    grad_norm,
    measure,
    weight_norm,
)
from initlab.loop import fit
from initlab.network import Network, Pass, backward, cost, forward, signs, with_ones
from initlab.optimizers import gd

NOTEBOOK = Network((2, 10, 5, 1), "relu")


def step_of(network, parameters, X, Y):
    arrays = Pass(network, len(parameters), X.shape[-1], parameters.dtype)
    arrays.load(with_ones(X), signs(Y))
    forward(network.blocks(parameters), arrays)
    cost(arrays)
    backward(network.blocks(parameters), arrays)
    return Step(network, parameters, arrays.gradient, arrays)


def random_step(sizes=(3, 11, 5, 1), activation="relu", runs=7, examples=37):
    network, rng = Network(sizes, activation), np.random.RandomState(5)
    parameters = rng.randn(runs, network.offsets[-1])
    X, Y = rng.randn(runs, sizes[0], examples), rng.randint(2, size=(runs, 1, examples))
    return step_of(network, parameters, X, Y.astype(np.float64)), X, Y


def only_run(values):
    return {what: value[0] for what, value in values.items()}


@pytest.fixture(scope="module")
def notebook_data():
    return circles(n_train=300, n_test=100, noise=0.05, seed=1)


@pytest.mark.parametrize(("init", "options", "expected"), [
    (initializers.he, {}, (0.140548, 0.324031, 0.417793)),
    (initializers.random, {"scale": 10}, (81.2257, 88.3514, 154.839)),
    (initializers.zeros, {}, (0, 0, 0)),
])  # fmt: skip
def test_the_weights_gradients_of_seed_3_are_the_references(init, options, expected, notebook_data):
    parameters = stack_of_starts(NOTEBOOK, [3], init, **options)
    step = step_of(NOTEBOOK, parameters, notebook_data.X_train, notebook_data.Y_train)
    layers = plain_layers(step.gradient[0], NOTEBOOK.sizes)
    norms = [np.linalg.norm(weights) for weights, _ in layers]
    np.testing.assert_allclose(norms, expected, rtol=4e-6, atol=0)


def test_grad_norm_equals_numpys_norm_of_a_textbook_gradient():
    step, X, Y = random_step()
    norms = grad_norm(step)
    assert list(norms) == ["layer1", "layer2", "layer3", "global"]
    for run in range(7):
        gradient = plain_gradient(step.parameters[run], step.network.sizes, X[run], Y[run])
        assert norms["global"][run] == pytest.approx(np.linalg.norm(gradient), rel=1e-12)
        for number, (start, end) in enumerate(pairwise([0, 11 * 4, 11 * 4 + 5 * 12, 110]), 1):
            expected = np.linalg.norm(gradient[start:end])
            assert norms[f"layer{number}"][run] == pytest.approx(expected, rel=1e-12)


def test_weight_norm_equals_numpys_norm_without_the_bias():
    step, _, _ = random_step()
    norms = weight_norm(step)
    assert list(norms) == ["layer1", "layer2", "layer3"]
    for run in range(7):
        layers = plain_layers(step.parameters[run], step.network.sizes)
        for number, (weights, _) in enumerate(layers, 1):
            expected = np.linalg.norm(weights)
            assert norms[f"layer{number}"][run] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "linear"])
def test_activation_std_equals_the_std_of_a_plain_forward_pass(activation):
    step, X, _ = random_step(activation=activation)
    stds = activation_std(step)
    assert list(stds) == ["layer1", "layer2", "layer3"]
    for run in range(7):
        zs, hidden = plain_forward(step.parameters[run], step.network.sizes, activation, X[run])
        outputs = [*hidden, 1 / (1 + np.exp(-zs[-1]))]
        for number, a in enumerate(outputs, 1):
            expected = np.sqrt(np.mean((a - np.mean(a)) ** 2))
            assert stds[f"layer{number}"][run] == pytest.approx(expected, rel=1e-12)


def test_every_unit_is_dead_when_all_weights_are_zero(notebook_data):
    parameters = np.zeros((1, 91))
    step = step_of(NOTEBOOK, parameters, notebook_data.X_train, notebook_data.Y_train)
    assert only_run(dead_units(step)) == {"layer1": 1.0, "layer2": 1.0}


def test_a_unit_with_a_large_negative_bias_is_dead():
    step, X, Y = random_step()
    parameters = step.parameters
    parameters[:] = np.abs(parameters)  # with inputs that are not negative, every unit lives
    first, second, _ = step.network.blocks(parameters)
    first[2, [1, 3, 4], -1] = -1e6
    second[5, 2, -1] = -1e6
    dead = dead_units(step_of(step.network, parameters, np.abs(X), Y))
    assert dead["layer1"].tolist() == [0, 0, 3 / 11, 0, 0, 0, 0]
    assert dead["layer2"].tolist() == [0, 0, 0, 0, 0, 1 / 5, 0]


def test_a_unit_that_lives_for_one_example_is_not_dead():
    X = np.full((1, 13), -1.0)
    parameters, network = np.array([[1.0, 0, 1, 0]]), Network((1, 1, 1), "relu")
    assert dead_units(step_of(network, parameters, X, X * 0))["layer1"] == 1
    X[0, 7] = 1e-300
    assert dead_units(step_of(network, parameters, X, X * 0))["layer1"] == 0


def test_the_signal_of_an_input_dies_as_often_as_the_exact_law_says():
    runs, rng = 20011, np.random.RandomState(13)
    normals = [initializers.he(rng, (runs * n, m)).reshape(runs, n, m) for n, m in NOTEBOOK.shapes]
    layers = [np.concatenate([W, np.zeros_like(W[..., :1])], axis=-1) for W in normals]
    parameters = np.concatenate([layer.reshape(runs, -1) for layer in layers], axis=1)
    dead = dead_units(step_of(NOTEBOOK, parameters, np.array([[0.3], [-1.7]]), np.ones((1, 1))))
    for number, probability in ((1, 2**-10), (2, 1 - (1 - 2**-10) * (1 - 2**-5))):
        count = np.count_nonzero(dead[f"layer{number}"] == 1)
        assert binomtest(count, runs, probability).pvalue > 0.01


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "linear"])
def test_only_relus_can_be_dead(activation):
    step, _, _ = random_step(activation=activation)
    assert dead_units(step) == {}
    assert not any(name.startswith("dead_units") for name in measure(step, DIAGNOSTICS))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_units_of_a_random_start_are_distinct(dtype, notebook_data):
    parameters = stack_of_starts(NOTEBOOK, range(31)).astype(dtype)
    step = step_of(NOTEBOOK, parameters, notebook_data.X_train, notebook_data.Y_train)
    assert distinct_units(step)["layer1"].tolist() == [10] * 31
    assert distinct_units(step)["layer2"].tolist() == [5] * 31


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-12, 1, 1e12])
def test_distinct_units_counts_what_is_different_at_any_scale(scale, dtype):
    network, rng = Network((3, 7, 5, 1), "tanh"), np.random.RandomState(17)
    parameters = scale * rng.randn(2, network.offsets[-1]).astype(dtype)
    first, second, _ = network.blocks(parameters)
    first[0, [2, 6]] = first[0, 4]  # three the same
    first[1, 1], first[1, 3] = -first[1, 0], 2 * first[1, 0]  # alike, but not the same
    second[1, 0], second[1, 2] = second[1, 4], second[1, 3]  # two pairs
    step = step_of(network, parameters, np.ones((3, 11), dtype), np.ones((1, 11), dtype))
    assert distinct_units(step)["layer1"].tolist() == [5, 7]
    assert distinct_units(step)["layer2"].tolist() == [5, 3]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_units_that_differ_in_their_bias_alone_are_distinct(dtype):
    network, parameters = Network((2, 3, 1), "tanh"), np.ones((1, 13), dtype)
    network.blocks(parameters)[0][0, 1, -1] = 1.1
    step = step_of(network, parameters, np.ones((2, 5), dtype), np.ones((1, 5), dtype))
    assert distinct_units(step)["layer1"] == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "linear"])
def test_units_stay_identical_after_training_from_a_constant_start(activation, dtype, notebook_data):
    network, values = Network((2, 10, 5, 1), activation), (0.1, 0.3, 0.7)
    starts = [lone_start(network, 3, initializers.constant, value=value) for value in values]
    parameters = np.stack(starts).astype(dtype)
    X, Y = notebook_data.X_train.astype(dtype), notebook_data.Y_train.astype(dtype)
    before = parameters.copy()
    for _ in fit(network, parameters, X, Y, partial(gd, learning_rate=0.1), iterations=2000):
        pass
    assert np.all(np.any(parameters != before, axis=1))
    distinct = distinct_units(step_of(network, parameters, X, Y))
    assert distinct["layer1"].tolist() == [1, 1, 1]
    assert distinct["layer2"].tolist() == [1, 1, 1]


def test_measure_names_every_diagnostic_by_function_and_layer():
    step, _, _ = random_step(sizes=(3, 5, 1), runs=2)
    measures = measure(step, DIAGNOSTICS)
    assert list(measures) == [
        "grad_norm/layer1", "grad_norm/layer2", "grad_norm/global",
        "weight_norm/layer1", "weight_norm/layer2",
        "activation_std/layer1", "activation_std/layer2",
        "dead_units/layer1", "distinct_units/layer1",
    ]  # fmt: skip
    assert all(value.shape == (2,) for value in measures.values())
    assert list(measure(step, (weight_norm,))) == ["weight_norm/layer1", "weight_norm/layer2"]
