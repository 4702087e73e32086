from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml
from builders import labels_of, step_of
from oracles import lone_start, plain_forward, plain_gradient, plain_layers, stack_of_starts
from scipy.stats import binomtest

from initlab import conf, initializers
from initlab.datasets import circles
from initlab.diagnostics import (
    DIAGNOSTICS,
    activation_mean,
    activation_mean_square,
    activation_std,
    dead_units,
    diagnostics_named,
    distance,
    distinct_units,
    effective_rank,
    grad_norm,
    input_correlation,
    measure,
    preactivation_gradient,
    saturation,
    unit_similarity,
    update_ratio,
    weight_norm,
)
from initlab.networks.network import Network
from initlab.optimizers.rules import gd
from initlab.training.loop import fit
from initlab.training.standing import at_start

NOTEBOOK = Network((2, 10, 5, 1), "relu")


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
    for _ in fit(network, at_start(parameters), (X, Y), partial(gd, learning_rate=0.1), iterations=2000):
        pass
    assert np.all(np.any(parameters != before, axis=1))
    distinct = distinct_units(step_of(network, parameters, X, Y))
    assert distinct["layer1"].tolist() == [1, 1, 1]
    assert distinct["layer2"].tolist() == [1, 1, 1]


def test_activation_std_keeps_its_digits_where_activations_hardly_differ():
    network, rng = Network((1, 2, 1), "linear"), np.random.RandomState(3)
    X = 1000 + 1e-6 * rng.randn(1, 31)
    step = step_of(network, np.ones((2, 7)), X, np.ones((1, 31)))
    expected = np.std(1 + X.astype(np.longdouble))
    np.testing.assert_allclose(activation_std(step)["layer1"], float(expected), rtol=1e-6)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_activation_mean_and_mean_square_are_those_of_a_plain_forward_pass(activation):
    step, X, _ = random_step(activation=activation)
    means, squares = activation_mean(step), activation_mean_square(step)
    for run in range(7):
        zs, hidden = plain_forward(step.parameters[run], step.network.sizes, activation, X[run])
        for number, a in enumerate([*hidden, 1 / (1 + np.exp(-zs[-1]))], 1):
            assert means[f"layer{number}"][run] == pytest.approx(np.mean(a), rel=1e-11)
            assert squares[f"layer{number}"][run] == pytest.approx(np.mean(a**2), rel=1e-12)


def test_he_keeps_the_mean_square_of_the_signal_and_spreads_it_as_the_exact_law_says():
    runs, x = 20011, np.array([[0.3], [-1.7]])
    parameters = stack_of_starts(NOTEBOOK, [0]).repeat(runs, axis=0)
    rng = np.random.RandomState(7)
    for block in NOTEBOOK.blocks(parameters):
        block[..., :-1] = rng.randn(*block[..., :-1].shape) * np.sqrt(2 / (block.shape[-1] - 1))
    squares = activation_mean_square(step_of(NOTEBOOK, parameters, x, np.ones((1, 1))))
    for layer, variance in (("layer1", 0.5), ("layer2", 2.0)):
        ratios = squares[layer] / np.mean(x**2)
        assert np.mean(ratios) == pytest.approx(1, abs=4 * np.sqrt(variance / runs))
        assert np.var(ratios) == pytest.approx(variance, rel=0.15)


def test_preactivation_gradient_is_that_of_each_examples_own_cost():
    step, X, Y = random_step()
    measured = preactivation_gradient(step)
    for run in range(7):
        layers = plain_layers(step.parameters[run], step.network.sizes)
        zs, _ = plain_forward(step.parameters[run], step.network.sizes, "relu", X[run])
        delta = 1 / (1 + np.exp(-zs[-1])) - Y[run]
        for number in (3, 2, 1):
            expected = np.sqrt(np.mean(delta**2))
            assert measured[f"layer{number}"][run] == pytest.approx(expected, rel=1e-12)
            if number > 1:
                delta = (layers[number - 1][0].T @ delta) * (zs[number - 2] > 0)


def test_update_ratio_is_the_learning_rate_times_the_gradient_over_the_weights(notebook_data):
    X, Y = notebook_data.X_train, notebook_data.Y_train
    before = stack_of_starts(NOTEBOOK, [3, 5])
    gradient = step_of(NOTEBOOK, before, X, Y).gradient
    ratios = update_ratio(step_of(NOTEBOOK, before, X, Y, updated=before - 0.01 * gradient))
    for run in range(2):
        weights = plain_layers(before[run], NOTEBOOK.sizes)
        slopes = plain_layers(gradient[run], NOTEBOOK.sizes)
        for number, ((W, _), (dW, _)) in enumerate(zip(weights, slopes, strict=True), 1):
            expected = 0.01 * np.linalg.norm(dW) / np.linalg.norm(W)
            assert ratios[f"layer{number}"][run] == pytest.approx(expected, rel=1e-10)


def test_update_ratio_of_weights_that_are_0_is_0_while_they_stay_and_inf_when_they_move():
    network, before = Network((2, 3, 1), "tanh"), np.zeros((1, 13))
    after = before.copy()
    network.blocks(after)[0][0, 1] = [0, 0.1, 0]
    network.blocks(after)[1][0, 0, -1] = 0.1  # a bias
    with np.errstate(divide="ignore"):
        ratios = update_ratio(step_of(network, before, np.ones((2, 5)), np.ones((1, 5)), updated=after))
    assert only_run(ratios) == {"layer1": np.inf, "layer2": 0}


def test_distance_is_relative_to_the_start():
    network, rng = Network((3, 11, 5, 1), "relu"), np.random.RandomState(5)
    start, now = rng.randn(2, 2, network.offsets[-1])
    moved = distance(step_of(network, now, rng.randn(3, 7), np.ones((1, 7)), start=start))
    ends = [0, 44, 104, 110]
    parts = {f"layer{n}": slice(*span) for n, span in enumerate(pairwise(ends), 1)} | {"global": slice(110)}
    assert list(moved) == list(parts)
    for what, part in parts.items():
        for run in range(2):
            far = np.linalg.norm(now[run, part] - start[run, part])
            assert moved[what][run] == pytest.approx(far / np.linalg.norm(start[run, part]), rel=1e-12)
    assert set(only_run(distance(step_of(network, 0 * now, rng.randn(3, 7), np.ones((1, 7))))).values()) == {
        0
    }


SLOPES = {
    "tanh": (lambda z: 1 - np.tanh(z) ** 2, 1),
    "sigmoid": (lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2, 0.25),
    "erf": (lambda z: 2 / np.sqrt(np.pi) * np.exp(-(z**2)), 2 / np.sqrt(np.pi)),
    "elu": (lambda z: np.where(z > 0, 1, np.exp(z)), 1),
}


@pytest.mark.parametrize("activation", SLOPES)
def test_saturation_is_the_share_of_slopes_below_a_250th_of_the_largest(activation):
    step, X, _ = random_step(activation=activation)
    step = step_of(step.network, 3 * step.parameters, X, np.ones((7, 1, 37)))
    shares = saturation(step)
    slope, largest = SLOPES[activation]
    for run in range(7):
        with np.errstate(over="ignore"):  # of the plain exp(z) of a z that is not negative
            zs, _ = plain_forward(step.parameters[run], step.network.sizes, activation, X[run])
        for number, z in enumerate(zs[:-1], 1):
            assert shares[f"layer{number}"][run] == np.mean(slope(z) < 0.004 * largest)
        p = 1 / (1 + np.exp(-zs[-1]))
        certain = np.minimum(p, 1 - p) < 0.001001
        assert shares["layer3"][run] == pytest.approx(np.mean(certain), abs=0.03)
    assert 0.1 < shares["layer2"].mean() < 0.9
    assert 0.1 < shares["layer3"].mean() < 0.97


def test_a_unit_of_the_exponential_is_saturated_where_its_slope_is_below_a_250th_of_that_at_0():
    network, z = Network((1, 1, 1), "exponential"), np.array([[-7.0, -6, -5, 0, 3]])
    step = step_of(network, np.array([[1.0, 0, 0, 0]]), z, np.ones((1, 5)))
    assert saturation(step)["layer1"] == [0.4]  # exp(−6) < 0.004 < exp(−5)


def test_every_answer_of_the_large_random_start_is_saturated(notebook_data):
    parameters = stack_of_starts(NOTEBOOK, [3], initializers.random, scale=10)
    with np.errstate(over="ignore"):
        shares = saturation(step_of(NOTEBOOK, parameters, notebook_data.X_train, notebook_data.Y_train))
    assert only_run(shares) == {"layer1": 0, "layer2": 0, "layer3": 1}


@pytest.mark.parametrize("activation", ["leaky_relu", "linear"])
def test_what_is_linear_piece_by_piece_never_saturates_and_numbers_cannot(activation):
    network, rng = Network((3, 5, 2), activation, "linear"), np.random.RandomState(5)
    step = step_of(network, 1e3 * rng.randn(2, 32), rng.randn(3, 11), rng.randn(2, 11))
    assert {what: value.tolist() for what, value in saturation(step).items()} == {"layer1": [0, 0]}


def identity_of(n):
    """Returns a network whose hidden layer passes its n inputs on, and its parameters."""
    network = Network((n, n, 1), "linear")
    parameters = np.zeros((1, network.offsets[-1]))
    network.blocks(parameters)[0][0, :, :-1] = np.eye(n)
    return network, parameters


def test_effective_rank_of_orthonormal_activations_is_their_number_and_of_one_direction_1():
    network, parameters = identity_of(7)
    orthonormal = np.linalg.qr(np.random.RandomState(5).randn(13, 7))[0].T
    rank = effective_rank(step_of(network, parameters, orthonormal, np.ones((1, 13))))
    assert rank["layer1"][0] == pytest.approx(7, rel=1e-12)
    line = np.outer(np.arange(1, 8), np.linspace(-2, 3, 13))
    rank = effective_rank(step_of(network, parameters, line, np.ones((1, 13))))
    assert rank["layer1"][0] == pytest.approx(1, abs=1e-12)
    with np.errstate(invalid="ignore"):
        none = effective_rank(step_of(network, parameters, 0 * line, np.ones((1, 13))))
    assert none["layer1"] == 0


@pytest.mark.parametrize("examples", [5, 37])
def test_effective_rank_is_exp_of_the_entropy_of_numpys_singular_values(examples):
    step, X, _ = random_step(activation="tanh", examples=examples)
    ranks = effective_rank(step)
    assert list(ranks) == ["layer1", "layer2"]
    for run in range(7):
        _, hidden = plain_forward(step.parameters[run], step.network.sizes, "tanh", X[run])
        for number, a in enumerate(hidden, 1):
            shares = np.linalg.svd(a, compute_uv=False) / np.linalg.svd(a, compute_uv=False).sum()
            expected = np.exp(-np.sum(shares * np.log(shares)))
            assert ranks[f"layer{number}"][run] == pytest.approx(expected, rel=1e-9)


def test_unit_similarity_is_the_mean_size_of_the_cosines_of_all_pairs_of_units():
    step, _, _ = random_step()
    measured = unit_similarity(step)
    for run in range(7):
        for number, (W, b) in enumerate(plain_layers(step.parameters[run], step.network.sizes)[:-1], 1):
            rows = np.hstack([W, b])
            cosines = [
                abs(u @ v) / np.linalg.norm(u) / np.linalg.norm(v)
                for i, u in enumerate(rows)
                for v in rows[:i]
            ]
            assert measured[f"layer{number}"][run] == pytest.approx(np.mean(cosines), rel=1e-12)


@pytest.mark.parametrize("value", [0, 0.3])
def test_units_of_a_constant_start_are_one_and_the_same(value, notebook_data):
    parameters = stack_of_starts(NOTEBOOK, [3], initializers.constant, value=value)
    step = step_of(NOTEBOOK, parameters, notebook_data.X_train, notebook_data.Y_train)
    assert only_run(distinct_units(step)) == {"layer1": 1, "layer2": 1}
    assert only_run(unit_similarity(step)) == {"layer1": pytest.approx(1), "layer2": pytest.approx(1)}


def test_units_at_right_angles_are_not_similar():
    network, parameters = identity_of(5)
    step = step_of(network, parameters, np.ones((5, 3)), np.ones((1, 3)))
    assert only_run(unit_similarity(step)) == {"layer1": 0}
    assert only_run(distinct_units(step)) == {"layer1": 5}


def test_input_correlation_follows_the_arc_cosine_law_of_relus():
    network, rng = Network((2, 1009, 1009, 1), "relu"), np.random.RandomState(7)
    parameters = np.zeros((1, network.offsets[-1]))
    for block in network.blocks(parameters)[:-1]:
        block[..., :-1] = rng.randn(*block[..., :-1].shape) * np.sqrt(2 / (block.shape[-1] - 1))
    c = -0.3
    X = np.array([[1, c], [0, np.sqrt(1 - c**2)]])
    measured = input_correlation(step_of(network, parameters, X, np.ones((1, 2))))
    for layer in ("layer1", "layer2"):
        c = (np.sqrt(1 - c**2) + (np.pi - np.arccos(c)) * c) / np.pi
        assert measured[layer][0] == pytest.approx(c, abs=0.06)


def test_input_correlation_is_the_mean_cosine_of_an_example_and_the_next_one():
    step, X, _ = random_step(activation="tanh")
    measured = input_correlation(step)
    for run in range(7):
        zs, hidden = plain_forward(step.parameters[run], step.network.sizes, "tanh", X[run])
        for number, a in enumerate([*hidden, zs[-1]], 1):
            lengths = np.linalg.norm(a, axis=0)
            cosines = np.sum(a[:, 1:] * a[:, :-1], axis=0) / (lengths[1:] * lengths[:-1])
            assert measured[f"layer{number}"][run] == pytest.approx(np.mean(cosines), rel=1e-10, abs=1e-14)


def test_a_layer_that_is_0_for_every_input_cannot_tell_them_apart(notebook_data):
    parameters = stack_of_starts(NOTEBOOK, [3], initializers.zeros)
    step = step_of(NOTEBOOK, parameters, notebook_data.X_train, notebook_data.Y_train)
    assert only_run(input_correlation(step)) == {"layer1": 1, "layer2": 1, "layer3": 1}


# ---- all of them

CASES = [
    Network((3, 5, 5, 1), "relu", residual=True),
    Network((3, 7, 5, 3), "gelu", "softmax", l2=0.1),
    Network((3, 5, 2), "sigmoid", "linear"),
    Network((3, 31, 7, 1), "tanh"),  # so many parameters that the Hessian is not whole
    Network((3, 1), "relu"),
]


def stack_of(network, runs, own_data, dtype=np.float64):
    rng = np.random.RandomState(11)
    parameters, start, updated = rng.randn(3, runs, network.offsets[-1]).astype(dtype)
    shape = (runs,) if own_data else ()
    X = rng.randn(*shape, 3, 23).astype(dtype)
    Y = np.stack([labels_of(network, rng, 23) for _ in range(runs)]).astype(dtype)
    return network, parameters, X, Y if own_data else Y[0], start, updated


def run_of(run, stack):
    network, parameters, X, Y, start, updated = stack
    own = slice(run, run + 1)
    if X.ndim == 3:
        X, Y = X[run], Y[run]
    return network, parameters[own], X, Y, start[own], updated[own]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("own_data", [False, True])
@pytest.mark.parametrize("network", CASES, ids=str)
def test_a_run_is_measured_the_same_alone_and_in_a_stack(network, own_data, dtype):
    stack = stack_of(network, 5, own_data, dtype)
    together = measure(step_of(*stack), DIAGNOSTICS)
    for run in range(5):
        alone = measure(step_of(*run_of(run, stack)), DIAGNOSTICS)
        assert alone.keys() == together.keys()
        for name, values in alone.items():
            np.testing.assert_array_equal(values[0], together[name][run], name, strict=True)


@pytest.mark.parametrize("network", CASES, ids=str)
def test_a_run_that_has_diverged_disturbs_no_other_and_raises_nothing(network):
    stack = stack_of(network, 5, own_data=False)
    sound = measure(step_of(*stack), DIAGNOSTICS)
    stack[1][1], stack[1][3], stack[5][1] = np.nan, np.inf, np.nan
    with np.errstate(all="ignore"):
        measured = measure(step_of(*stack), DIAGNOSTICS)
    assert measured.keys() == sound.keys()
    for name, values in measured.items():
        assert values.shape == (5,)
        np.testing.assert_array_equal(values[[0, 2, 4]], sound[name][[0, 2, 4]], name)
    for name in ("grad_norm/global", "hessian/top", "hessian/trace", "jacobian/largest"):
        assert np.isnan(measured[name][1])


@pytest.mark.parametrize("network", CASES, ids=str)
def test_measures_are_arrays_of_their_own(network):
    step = step_of(*stack_of(network, 3, own_data=True))
    arrays = [step.parameters, step.gradient, *step.tape.inputs, *step.tape.delta, *step.tape.z]
    before = [a.copy() for a in arrays]
    for name, values in measure(step, DIAGNOSTICS).items():
        assert not any(np.shares_memory(values, a) for a in arrays), name
    for a, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, old)


def test_one_example_is_enough_for_all_but_a_correlation():
    network = CASES[0]
    parameters = np.random.RandomState(5).randn(2, network.offsets[-1])
    with np.errstate(invalid="ignore"):
        measured = measure(step_of(network, parameters, np.ones((3, 1)), np.ones((1, 1))), DIAGNOSTICS)
    assert {name for name, values in measured.items() if np.isnan(values).any()} == {
        f"input_correlation/layer{number}" for number in (1, 2, 3)
    }


def test_every_diagnostic_is_named_by_function_and_layer():
    step, _, _ = random_step(sizes=(3, 5, 1), runs=2)
    layers, hidden = ("layer1", "layer2"), ("layer1",)
    expected = {
        "grad_norm": (*layers, "global"), "preactivation_gradient": layers, "weight_norm": layers,
        "update_ratio": layers, "distance": (*layers, "global"), "activation_mean": layers,
        "activation_mean_square": layers, "activation_std": layers, "dead_units": hidden,
        "saturation": layers, "effective_rank": hidden, "distinct_units": hidden,
        "unit_similarity": hidden, "input_correlation": layers, "gradient_quotient": ("global",),
        "hessian": ("top", "trace"), "jacobian": ("largest", "smallest", "mean"),
        "tangent_kernel": ("top", "condition"),
    }  # fmt: skip
    measures = measure(step, DIAGNOSTICS)
    assert list(measures) == [f"{name}/{what}" for name, parts in expected.items() for what in parts]
    assert all(value.shape == (2,) for value in measures.values())
    assert list(measure(step, (weight_norm,))) == ["weight_norm/layer1", "weight_norm/layer2"]


def test_a_diagnostic_is_found_by_its_name():
    assert diagnostics_named(["dead_units", "grad_norm"]) == (dead_units, grad_norm)
    assert diagnostics_named([]) == ()
    with pytest.raises(ValueError, match=r"there is no diagnostic 'grad_nrom'; there are grad_norm, preact"):
        diagnostics_named(["grad_norm", "grad_nrom"])


@pytest.mark.parametrize("name", ["light", "full"])
def test_the_presets_name_diagnostics_and_each_once(name):
    preset = yaml.safe_load((Path(conf.__file__).parent / "diagnostics" / f"{name}.yaml").read_text())
    assert list(preset) == ["every", "names", "rare", "points"]
    chosen = preset["names"] + preset["rare"]
    assert len(set(chosen)) == len(diagnostics_named(chosen))
    if name == "full":
        assert set(diagnostics_named(chosen)) == set(DIAGNOSTICS)
