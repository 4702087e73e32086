"""Batch and layer normalization: their gradients, statistics, curvature, theory and the law of stacks."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from builders import every, fit_and_measure, gradients_at, labels_of, step_of
from oracles import PHI, lone_start, plain_layers, stack_of_starts

from initlab import initializers
from initlab.activations import ACTIVATIONS
from initlab.diagnostics import DIAGNOSTICS, measure
from initlab.diagnostics.derivatives import input_jacobians, kernel_matrix
from initlab.errors import ConfigError
from initlab.networks.hessian import hessian_products
from initlab.networks.network import Network, named_parameters
from initlab.networks.tape import Tape, evaluate, predict, with_ones
from initlab.optimizers import adam, adamw, gd
from initlab.propagation.signals import (
    Measured,
    gradients_from_above,
    pairs_of_inputs,
    propagate,
    variances,
)
from initlab.propagation.signals import (
    predict as theory_of,
)
from initlab.runs.job import build
from initlab.theory.mean_field import normalized_phase
from initlab.training.loop import minibatches

EPSILON = 1e-5
KINDS = ("batch", "layer")
NETWORKS = [
    Network((3, 7, 5, 1), "tanh", "sigmoid"),
    Network((3, 5, 5, 2), "gelu", "softmax", residual=True, l2=0.03),
    Network((3, 5, 5, 5, 2), "softplus", "linear", residual=True),
]


def scaled_network(network, kind):
    return replace(network, normalization=kind)


def random_points(network, count, seed=5):
    """Parameters whose biases, gains and shifts are not those of a start, so that an error in them shows."""
    rng = np.random.RandomState(seed)
    flat = stack_of_starts(network, range(count))
    flat[:, : network.trained] += 0.3 * rng.randn(count, network.trained)
    return flat


def data_of(network, m=17, seed=7):
    rng = np.random.RandomState(seed)
    return rng.randn(network.sizes[0], m), labels_of(network, rng, m)


def plain_normalized(y, kind, gain, shift):
    axis = 1 if kind == "batch" else 0
    centred = y - y.mean(axis=axis, keepdims=True)
    return gain * centred / np.sqrt(np.mean(centred**2, axis=axis, keepdims=True) + EPSILON) + shift


def plain_forward(network, flat, X):
    """The textbook's way forward of one run, one layer at a time; returns the logits and each layer's y."""
    named, a, ys = named_parameters(network, flat), X, []
    for number in range(1, len(network.sizes) - 1):
        ys.append(named[f"W{number}"] @ a + named[f"b{number}"])
        z = plain_normalized(ys[-1], network.normalization, named[f"gain{number}"], named[f"shift{number}"])
        skip = network.residual and number > 1 and a.shape == z.shape
        a = PHI[network.activation_name](z) + (a if skip else 0)
    last = len(network.sizes) - 1
    return named[f"W{last}"] @ a + named[f"b{last}"], ys


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.activation_name)
def test_the_way_forward_is_the_textbooks(network, kind):
    network = scaled_network(network, kind)
    flat, (X, _) = random_points(network, 3), data_of(network)
    tape = Tape(network, flat, X.shape[1])
    tape.read(with_ones(X))
    tape.forward()
    for run in range(3):
        logits, _ = plain_forward(network, flat[run], X)
        np.testing.assert_allclose(tape.output.z[run], logits, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.activation_name)
def test_gradients_equal_central_differences_of_the_cost(network, kind):
    network = scaled_network(network, kind)
    points, (X, Y) = random_points(network, 2), data_of(network)
    X1, targets = with_ones(X), network.output.targets(Y)

    def cost(flat):
        tape = Tape(network, flat, X.shape[1])
        tape.load(X1, targets)
        tape.forward()
        return tape.cost()

    gradients = gradients_at(network, points, X1, targets)
    assert gradients.shape == (2, network.trained)
    for number in range(network.trained):
        step = np.zeros(network.size)
        step[number] = 1e-5
        expected = (cost(points + step) - cost(points - step)) / 2e-5
        np.testing.assert_allclose(gradients[:, number], expected, rtol=2e-6, atol=2e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.activation_name)
def test_hessian_products_are_central_differences_of_the_gradient(network, kind):
    network = scaled_network(network, kind)
    points, (X, Y) = random_points(network, 4), data_of(network)
    X1, targets = with_ones(X), network.output.targets(Y)
    directions = np.random.RandomState(1).randn(4, network.trained)
    step = np.zeros_like(points)
    step[:, : network.trained] = 1e-6 * directions
    ahead, behind = (gradients_at(network, points + s, X1, targets) for s in (step, -step))
    expected = (ahead - behind) / 2e-6
    products = hessian_products(network, points, directions, X1, targets)
    np.testing.assert_allclose(products, expected, atol=1e-7 * np.abs(expected).max(), rtol=0)
    one_point = hessian_products(network, points[:1], directions, X1, targets)
    np.testing.assert_allclose(one_point[0], products[0], rtol=1e-10, atol=1e-13)


def function_of_one_input(network, flat, X):
    """The logits of each column of new inputs, with the statistics of X held fixed."""
    if network.normalization == "layer":
        return lambda new: plain_forward(network, flat, new)[0]
    named, held, a = named_parameters(network, flat), [], X
    for number in range(1, len(network.sizes) - 1):
        y = named[f"W{number}"] @ a + named[f"b{number}"]
        held.append((y.mean(axis=1, keepdims=True), np.sqrt(y.var(axis=1, keepdims=True) + EPSILON)))
        a = PHI[network.activation_name](
            named[f"gain{number}"] * (y - held[-1][0]) / held[-1][1] + named[f"shift{number}"]
        )

    def function(new, flat=flat):
        named, a = named_parameters(network, flat), new
        for number, (mean, std) in enumerate(held, start=1):
            y = named[f"W{number}"] @ a + named[f"b{number}"]
            z = named[f"gain{number}"] * (y - mean) / std + named[f"shift{number}"]
            a = PHI[network.activation_name](z)
        return named[f"W{len(held) + 1}"] @ a + named[f"b{len(held) + 1}"]

    return function


@pytest.mark.parametrize("kind", KINDS)
def test_the_jacobian_is_that_of_the_function_of_one_input(kind):
    network = Network((3, 7, 5, 2), "tanh", "softmax", normalization=kind)
    flat, (X, _) = random_points(network, 1), data_of(network, m=11)
    function = function_of_one_input(network, flat[0], X)
    found = input_jacobians(network, flat, with_ones(X))
    for n in range(3):
        step = np.zeros((3, 1))
        step[n] = 1e-6
        expected = (function(X + step) - function(X - step)) / 2e-6
        np.testing.assert_allclose(found[0, :, :, n].T, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_the_tangent_kernel_is_that_of_all_trained_numbers(kind):
    network = Network((3, 7, 5, 2), "tanh", "softmax", normalization=kind)
    flat, (X, _) = random_points(network, 1), data_of(network, m=5)
    held = function_of_one_input(network, flat[0], X)
    function = held if kind == "batch" else lambda new, at: plain_forward(network, at, new)[0]
    rows = []
    for number in range(network.trained):
        step = np.zeros(network.size)
        step[number] = 1e-6
        rows.append((function(X, flat[0] + step) - function(X, flat[0] - step)).ravel() / 2e-6)
    J = np.stack(rows, axis=1)
    np.testing.assert_allclose(kernel_matrix(network, flat, with_ones(X))[0], J @ J.T, rtol=1e-6, atol=1e-7)


# ---- training


CASES = [
    (Network((3, 7, 5, 2), "relu", "softmax", normalization="batch"), 8, "float64"),
    (Network((3, 5, 5, 1), "gelu", "sigmoid", residual=True, l2=0.1, normalization="batch"), None, "float32"),
    (Network((3, 7, 5, 2), "tanh", "linear", normalization="layer"), 8, "float32"),
    (Network((3, 5, 5, 1), "relu", "sigmoid", residual=True, normalization="layer"), None, "float64"),
]


@pytest.mark.parametrize(("network", "batch_size", "precision"), CASES)
def test_stacked_runs_equal_lone_runs_bit_for_bit_with_every_diagnostic(network, batch_size, precision):
    seeds = [3, 5, 11]
    X, Y = data_of(network, m=37)
    X, Y = X.astype(precision), Y.astype(precision)

    def trained(seeds):
        rates = np.array([[0.1 / seed] for seed in seeds], precision)
        batches = minibatches(seeds, 37, batch_size) if batch_size else None
        update = partial(adam, learning_rate=rates, beta1=0.9, beta2=0.99, epsilon=1e-8)
        start = stack_of_starts(network, seeds).astype(precision)
        probes = [every(7, *DIAGNOSTICS)]
        return list(
            fit_and_measure(network, start, X, Y, update, iterations=7, batches=batches, probes=probes)
        )

    together = trained(seeds)
    for run, seed in enumerate(seeds):
        for one, lone in zip(together, trained([seed]), strict=True):
            assert one.cost[run] == lone.cost[0]
            np.testing.assert_array_equal(one.parameters[run], lone.parameters[0])
            for name, values in one.measured[0].items():
                np.testing.assert_array_equal(values[run], lone.measured[0][name][0], name)


def test_statistics_are_kept_as_a_moving_average_with_an_unbiased_variance():
    network = Network((3, 7, 5, 1), "relu", normalization="batch")
    X, Y = data_of(network, m=37)
    start = stack_of_starts(network, [3])
    means = [np.zeros((n, 1)) for n in (7, 5)]
    spreads = [np.ones((n, 1)) for n in (7, 5)]
    orders, before = minibatches([3], 37, 8), start[0].copy()
    update = partial(gd, learning_rate=np.array([[0.1]]))
    for record in fit_and_measure(
        network, start, X, Y, update, iterations=9, batches=minibatches([3], 37, 8)
    ):
        examples = next(orders)[0]
        _, ys = plain_forward(network, before, X[:, examples])
        for layer, y in enumerate(ys):
            means[layer] = 0.9 * means[layer] + 0.1 * y.mean(axis=1, keepdims=True)
            spreads[layer] = 0.9 * spreads[layer] + 0.1 * y.var(axis=1, ddof=1, keepdims=True)
        before = record.parameters[0]
        named = named_parameters(network, before)
        for layer in (0, 1):
            np.testing.assert_allclose(named[f"mean{layer + 1}"], means[layer], rtol=1e-11, atol=1e-13)
            np.testing.assert_allclose(named[f"variance{layer + 1}"], spreads[layer], rtol=1e-11)


def test_a_test_uses_the_kept_statistics_and_so_sees_one_example_at_a_time():
    network = Network((3, 7, 5, 1), "relu", normalization="batch")
    X, _ = data_of(network, m=37)
    flat = random_points(network, 2)
    kept = network.normalizations(flat)
    for scales in kept:
        scales["mean"][:], scales["variance"][:] = 0.3, 1.7
    alone = np.concatenate([predict(network, flat, X[:, n : n + 1]) for n in range(37)], axis=-1)
    np.testing.assert_allclose(predict(network, flat, X), alone, rtol=1e-12)
    a = X
    for number in (1, 2):
        named = named_parameters(network, flat[0])
        y = named[f"W{number}"] @ a + named[f"b{number}"]
        z = named[f"gain{number}"] * (y - 0.3) / np.sqrt(1.7 + EPSILON) + named[f"shift{number}"]
        a = np.maximum(z, 0)
    logits = named["W3"] @ a + named["b3"]
    np.testing.assert_allclose(predict(network, flat, X)[0], 1 / (1 + np.exp(-logits)), rtol=1e-11)


def test_weight_decay_leaves_the_kept_statistics_alone():
    network = Network((3, 7, 1), "relu", normalization="batch")
    X, Y = data_of(network, m=37)
    hypers = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8}
    runs = []
    for decay in (0.0, 3.0):
        update = partial(adamw, weight_decay=decay, **hypers)
        start = stack_of_starts(network, [3])
        runs += [one.parameters for one in fit_and_measure(network, start, X, Y, update, iterations=1)]
    assert np.any(runs[0][:, : network.trained] != runs[1][:, : network.trained])
    np.testing.assert_array_equal(runs[0][:, network.trained :], runs[1][:, network.trained :])


def test_a_run_that_diverges_keeps_its_parameters_and_statistics():
    network = Network((3, 7, 1), "relu", "linear", normalization="batch")
    X, Y = data_of(network, m=37)
    rates = np.array([[1e200], [0.01]])
    start, update = stack_of_starts(network, [3, 5]), partial(gd, learning_rate=rates)
    with np.errstate(all="ignore"):
        records = list(fit_and_measure(network, start, X, Y, update, iterations=9))
    stopped = next(record.iteration for record in records if record.diverged)
    np.testing.assert_array_equal(records[-1].parameters[0], records[stopped].parameters[0])
    assert np.isfinite(records[-1].cost[1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("init", ["he", "lsuv", "metainit", "zero_last", "orthogonal"])
def test_every_kind_of_start_begins_with_gain_1_and_shift_0(kind, init):
    network = Network((3, 7, 5, 1), "relu", normalization=kind)
    X, _ = data_of(network, m=37)
    options = {"steps": 31} if init == "metainit" else {}
    start = initializers.initial_parameters(partial(getattr(initializers, init), **options), network, 3, X=X)
    named = named_parameters(network, start)
    for number in (1, 2):
        assert np.all(named[f"gain{number}"] == 1)
        assert np.all(named[f"shift{number}"] == 0)
        if kind == "batch":
            assert np.all(named[f"mean{number}"] == 0)
            assert np.all(named[f"variance{number}"] == 1)


@pytest.mark.parametrize("init", ["he", "xavier", "small_random", "orthogonal"])
def test_the_weights_of_a_start_are_those_it_has_without_normalization(init):
    bare = Network((3, 7, 5, 1), "relu")
    options = {"scale": 0.01} if init == "small_random" else {}
    expected = plain_layers(lone_start(bare, 3, getattr(initializers, init), **options), bare.sizes)
    for kind in KINDS:
        network = scaled_network(bare, kind)
        start = lone_start(network, 3, getattr(initializers, init), **options)
        for block, (W, b) in zip(network.blocks(start[np.newaxis]), expected, strict=True):
            np.testing.assert_array_equal(block[0], np.hstack([W, b]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_scale_of_a_start_changes_nothing_but_its_last_layer(kind):
    network = Network((3, 31, 17, 1), "relu", normalization=kind)
    X, Y = data_of(network, m=37)
    small, large = (lone_start(network, 3, initializers.random, scale=scale) for scale in (3.0, 300.0))
    last = network.blocks(large[np.newaxis])[-1]
    last /= 100
    steps = [step_of(network, flat[np.newaxis], X, Y) for flat in (small, large)]
    measures = [measure(step, DIAGNOSTICS[5:8]) for step in steps]
    for name in measures[0]:
        np.testing.assert_allclose(measures[0][name], measures[1][name], rtol=1e-4)


@pytest.mark.parametrize("size", [1, 23, 299])
def test_a_batch_of_one_example_cannot_be_normalized(config, size):
    overrides = ("tracking.uri=null", "train.iterations=2", f"train.batch_size={size}")
    with pytest.raises(
        ConfigError, match=rf"^train.batch_size={size}: makes a batch of one of the 300 train"
    ):
        build(config(*overrides, "model.normalization=batch"), {})
    assert build(config(*overrides, "model.normalization=layer"), {})
    assert build(config(*overrides[:2], "train.batch_size=7", "model.normalization=batch"), {})


# ---- PyTorch


def torch_network(network, flat):
    torch = pytest.importorskip("torch")
    named, layers = named_parameters(network, flat), []
    for number, (n_out, n_in) in enumerate(network.shapes, start=1):
        linear = torch.nn.Linear(n_in, n_out, dtype=torch.float64)
        layers.append(linear)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(named[f"W{number}"]))
            linear.bias.copy_(torch.from_numpy(named[f"b{number}"][:, 0]))
        if number < len(network.shapes):
            of = torch.nn.BatchNorm1d if network.normalization == "batch" else torch.nn.LayerNorm
            norm = of(n_out, dtype=torch.float64)
            with torch.no_grad():
                norm.weight.copy_(torch.from_numpy(named[f"gain{number}"][:, 0]))
                norm.bias.copy_(torch.from_numpy(named[f"shift{number}"][:, 0]))
            layers += [norm, torch.nn.Tanh()]
    return torch.nn.Sequential(*layers)


@pytest.mark.parametrize("kind", KINDS)
def test_training_and_testing_equal_pytorchs(kind):
    torch = pytest.importorskip("torch")
    network = Network((3, 7, 5, 1), "tanh", normalization=kind)
    X, Y = data_of(network, m=37)
    start = random_points(network, 1)
    model = torch_network(network, start[0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    inputs, labels = torch.from_numpy(X.T.copy()), torch.from_numpy(Y.T.copy())
    orders = minibatches([3], 37, 8)
    records = fit_and_measure(
        network, start, X, Y, partial(gd, learning_rate=0.5), iterations=43, batches=minibatches([3], 37, 8)
    )
    for record in records:
        some = next(orders)[0].copy()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(inputs[some]), labels[some])
        assert record.cost[0] == pytest.approx(loss.item(), rel=1e-9)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        expected = torch.sigmoid(model(inputs)).numpy().T
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(inputs), labels).item()
    np.testing.assert_allclose(predict(network, start, X)[0], expected, rtol=1e-8)
    assert evaluate(network, start, X, Y)[0][0] == pytest.approx(loss, rel=1e-8)


# ---- theory


def test_batch_normalized_relu_layers_explode_by_pi_over_pi_minus_1():
    for sigma_w2, sigma_b2 in ((2.0, 0.0), (0.1, 0.7), (1e4, 0.0)):
        found = normalized_phase("batch", ACTIVATIONS["relu"], sigma_w2, sigma_b2)
        assert found.chi == pytest.approx(math.pi / (math.pi - 1), rel=1e-9)  # Yang et al. 2019
        assert (found.verdict, found.mean_square) == ("chaotic", 1.0)
        assert found.correlation == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", ["tanh", "gelu", "sigmoid", "softplus", "elu", "erf"])
def test_batch_normalized_layers_never_let_gradients_vanish(name):
    # Poincaré's inequality for Gaussians: Var φ(z) is at most E φ'(z)², and equal for lines only.
    assert normalized_phase("batch", ACTIVATIONS[name], 1.3, 0.2).chi > 1
    assert normalized_phase("batch", ACTIVATIONS["linear"], 1.3, 0.2).chi == pytest.approx(1, rel=1e-12)


def test_layer_normalized_relu_layers_are_critical_at_every_scale_without_biases():
    for sigma_w2 in (1e-4, 2.0, 1e4):
        found = normalized_phase("layer", ACTIVATIONS["relu"], sigma_w2, 0.0)
        assert (found.chi, found.verdict) == (pytest.approx(1, rel=1e-12), "critical")
    assert normalized_phase("layer", ACTIVATIONS["relu"], 2.0, 1.0).chi == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_wide_normalized_networks_do_what_the_theory_says(kind, residual):
    width, depth = 101, 4
    network = Network((width, *[width] * depth, 1), "tanh", normalization=kind, residual=residual)
    parts = []
    for seeds in (range(40, 80), range(80, 120), range(120, 160), range(160, 200)):
        flat = stack_of_starts(network, seeds, initializers.mean_field, sigma_w=1.7, sigma_b=0.4)
        X = pairs_of_inputs(seeds, width, 1.3, 0.6)
        if kind == "batch":
            others = math.sqrt(1.3) * np.random.RandomState(1).randn(len(seeds), width, 211)
            X = np.concatenate([X, others], axis=-1)
        parts.append(propagate(network, flat, X, gradients_from_above(seeds, width)))
    measured = Measured.joined(parts)
    predicted = theory_of(network, variances(network, measured), 1.3, 0.6)
    for of_nets, of_theory, tolerance in (
        (measured.mean_squares, predicted.mean_squares, 0.03),
        (measured.correlations, predicted.correlations, 0.03),
        (measured.gradients, predicted.gradients, 0.1),
    ):
        np.testing.assert_allclose(of_nets.mean(axis=0), of_theory, rtol=tolerance, atol=0.02)
    assert np.isnan(predicted.mean_squares_low).all()
