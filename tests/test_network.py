from dataclasses import replace

import numpy as np
import pytest
from oracles import PHI, calm, flatten, plain_cost, plain_forward, plain_layers, stack_of_starts
from scipy.special import expit, log_expit, softmax
from sklearn.metrics import log_loss, mean_squared_error, r2_score
from sklearn.neural_network import MLPClassifier

from initlab.activations import ACTIVATIONS
from initlab.networks.network import Network, deep, mlp, named_parameters
from initlab.networks.outputs import OUTPUTS
from initlab.networks.tape import Tape, evaluate, predict, with_ones

RUNS, EXAMPLES = 3, 7
SHAPES = [(2, 5, 1), (3, 11, 5, 1), (5, 2, 13, 3, 1)]
SHARED = [pytest.param(True, id="shared"), pytest.param(False, id="own")]


def random_parameters(network, seed):
    # Biases that are not 0, so that an error in them shows.
    rng = np.random.RandomState(seed)
    drawn = stack_of_starts(network, range(RUNS)) + 0.3 * rng.randn(RUNS, network.offsets[-1])
    return calm(network) * drawn


def random_data(n_x, shared, seed=43, examples=EXAMPLES):
    rng = np.random.RandomState(seed)
    runs = () if shared else (RUNS,)
    X, Y = rng.randn(*runs, n_x, examples), rng.rand(*runs, 1, examples) > 0.5
    return X, Y.astype(np.float64)


def of_run(values, run):
    return values if values.ndim == 2 else values[run]


def passed(network, parameters, X, Y):
    tape = Tape(network, parameters, X.shape[-1])
    tape.load(with_ones(X), network.output.targets(Y))
    tape.forward()
    return tape


def gradient_and_cost(network, parameters, X, Y):
    tape = passed(network, parameters, X, Y)
    value = tape.cost()
    tape.backward()
    return tape.gradient, value


def central_differences(function, point, h=1e-5):
    steps = h * np.eye(len(point))
    return np.array([(function(point + s) - function(point - s)) / (2 * h) for s in steps])


def logistic_cost(logits, labels):
    """Returns the cost of given logits, by a network of one weight 1 and bias 0."""
    logits, labels = (np.array(v, float)[np.newaxis] for v in (logits, labels))
    return passed(Network((1, 1), "linear"), np.array([[1.0, 0.0]]), logits, labels).cost()[0]


@pytest.mark.parametrize("shared", SHARED)
@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_equals_central_differences(activation, sizes, shared):
    network = Network(sizes, activation)
    parameters, (X, Y) = random_parameters(network, 23), random_data(sizes[0], shared)
    gradient, _ = gradient_and_cost(network, parameters, X, Y)
    for run, flat in enumerate(parameters):
        data = of_run(X, run), of_run(Y, run)
        zs, _ = plain_forward(flat, sizes, activation, data[0])
        if activation in ("relu", "leaky_relu"):  # no step may cross their kink
            assert min(np.abs(z).min() for z in zs[:-1]) > 2e-5
        expected = central_differences(lambda p, d=data: plain_cost(p, sizes, activation, *d), flat)
        # Where a step crosses 0, the kink in the slope of elu and selu leaves an error of the step's size.
        atol = 3e-8 if activation in ("elu", "selu") else 5e-11
        np.testing.assert_allclose(gradient[run], expected, rtol=1e-7, atol=atol)


@pytest.mark.parametrize("shared", SHARED)
@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_forward_equals_a_plain_forward_pass(activation, sizes, shared):
    network = Network(sizes, activation)
    parameters, (X, Y) = random_parameters(network, 29), random_data(sizes[0], shared)
    arrays = passed(network, parameters, X, Y)
    for run, flat in enumerate(parameters):
        zs, hidden = plain_forward(flat, sizes, activation, of_run(X, run))
        np.testing.assert_allclose(arrays.z[-1][run], zs[-1], rtol=1e-12, atol=1e-14)
        for number, expected in enumerate(hidden):
            np.testing.assert_allclose(arrays.hidden[number][run], expected, rtol=1e-12, atol=1e-14)
            assert np.all(arrays.inputs[number + 1][run, -1] == 1)


@pytest.mark.parametrize("shared", SHARED)
def test_evaluate_equals_scikit_learn_on_the_predicted_probabilities(shared):
    network = mlp(3, hidden=[11, 5], activation="tanh")
    parameters, (X, Y) = random_parameters(network, 31), random_data(3, shared, examples=41)
    probabilities = predict(network, parameters, X)
    costs, accuracies = evaluate(network, parameters, X, Y)
    assert probabilities.shape == (RUNS, 1, 41)
    for run in range(RUNS):
        logits = plain_forward(parameters[run], network.sizes, "tanh", of_run(X, run))[0][-1]
        labels = of_run(Y, run)[0]
        np.testing.assert_allclose(probabilities[run], expit(logits), rtol=1e-13)
        assert costs[run] == pytest.approx(log_loss(labels, probabilities[run, 0]), rel=1e-13)
        assert accuracies[run] == np.mean((logits[0] > 0) == (labels == 1))


def test_the_cost_equals_the_log_likelihood_of_logits_from_tiny_to_large():
    logits = np.concatenate([sign * np.logspace(-300, 2.8, 101) for sign in (-1, 1)])
    for label, expected in ((1, -log_expit(logits)), (0, -log_expit(-logits))):
        single = [logistic_cost([z], [label]) for z in logits]
        np.testing.assert_allclose(single, expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize(("logit", "label", "expected"), [
    (1e4, 1, 0.0), (-1e4, 0, 0.0), (-1e4, 1, 1e4), (1e4, 0, 1e4),
    (1e308, 0, 1e308), (-1e308, 1, 1e308), (0, 0, np.log(2)), (0, 1, np.log(2)),
])  # fmt: skip
def test_a_saturated_example_costs_exactly_its_logit_or_nothing(logit, label, expected):
    assert logistic_cost([logit], [label]) == expected


def test_the_mean_cost_of_saturated_examples_is_exact():
    assert logistic_cost([1e4, -1e4, -1e4, 1e4, 1e4], [0, 0, 1, 1, 0]) == 3e4 / 5


def test_the_gradient_of_saturated_examples_is_exact():
    network, logits = Network((1, 1), "linear"), np.array([[1e4, -1e4, -1e4, 1e4, 1e4]])
    labels = np.array([[0.0, 0, 1, 1, 0]])
    gradient, _ = gradient_and_cost(network, np.array([[1.0, 0.0]]), logits, labels)
    np.testing.assert_allclose(gradient[0], [3e4 / 5, 1 / 5], rtol=1e-15)


def test_the_derivative_by_a_logit_keeps_its_relative_precision():
    network, logits = Network((1, 1), "linear"), np.linspace(-600, 600, 241)
    for label in (0, 1):
        for z in logits:
            arrays = (np.array([[z]]), np.array([[float(label)]]))
            gradient, _ = gradient_and_cost(network, np.array([[1.0, 0.0]]), *arrays)
            expected = expit(z) if label == 0 else -expit(-z)
            assert gradient[0, 1] == pytest.approx(expected, rel=2e-13)


def test_a_probability_of_exactly_one_half_is_class_0():
    network = mlp(2, hidden=[5, 3], activation="relu")
    X, Y = np.ones((2, 7)), np.array([[0, 1, 0, 0, 1, 0, 0.0]])
    parameters = np.zeros((2, network.offsets[-1]))
    assert np.all(predict(network, parameters, X) == 0.5)
    costs, accuracies = evaluate(network, parameters, X, Y)
    assert accuracies.tolist() == [5 / 7, 5 / 7]
    np.testing.assert_allclose(costs, np.log(2), rtol=1e-15)


def test_blocks_are_views_of_the_flat_parameters():
    network = Network((3, 5, 2, 1), "relu")
    flat = np.zeros((RUNS, network.offsets[-1]))
    for number, block in enumerate(network.blocks(flat), start=1):
        assert np.shares_memory(block, flat)
        block[...] = number
    assert flat.tolist() == [[1.0] * 20 + [2.0] * 12 + [3.0] * 3] * RUNS


def test_flatten_and_named_parameters_are_inverse():
    rng, network = np.random.RandomState(37), mlp(3, 2, hidden=[7, 5], activation="relu")
    weights = [rng.randn(*shape) for shape in ((7, 3), (5, 7), (2, 5))]
    biases = [rng.randn(n, 1) for n in (7, 5, 2)]
    flat = flatten(weights, biases)
    named = named_parameters(network, flat)
    assert flat.shape == (7 * 4 + 5 * 8 + 2 * 6,)
    assert list(named) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    for number in (1, 2, 3):
        np.testing.assert_array_equal(named[f"W{number}"], weights[number - 1], strict=True)
        np.testing.assert_array_equal(named[f"b{number}"], biases[number - 1], strict=True)


def test_mlp_puts_the_hidden_layers_between_input_and_output():
    network = mlp(2, hidden=[10, 5], activation="relu")
    assert network == Network((2, 10, 5, 1), "relu")
    assert network.shapes == [(10, 2), (5, 10), (1, 5)]
    assert network.offsets[-1] == 91


@pytest.mark.parametrize(("activation", "theirs"), [
    ("relu", "relu"), ("tanh", "tanh"), ("sigmoid", "logistic"), ("linear", "identity"),
])  # fmt: skip
def test_gradient_descent_follows_scikit_learns_loss_curve(activation, theirs):
    network, iterations, rate = mlp(2, hidden=[11, 5], activation=activation), 29, 0.3
    parameters, (X, Y) = random_parameters(network, 41), random_data(2, True, examples=31)
    expected = fitted_by_scikit_learn(theirs, parameters[0], X, Y, iterations, rate)
    ours = []
    for _ in range(iterations):
        gradient, costs = gradient_and_cost(network, parameters, X, Y)
        ours.append(costs[0])
        parameters -= rate * gradient
    np.testing.assert_allclose(ours, expected.loss_curve_[1:], rtol=1e-12)
    for number, block in enumerate(network.blocks(parameters)):
        np.testing.assert_allclose(block[0, :, :-1], expected.coefs_[number].T, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(block[0, :, -1], expected.intercepts_[number], rtol=1e-9, atol=1e-12)


def fitted_by_scikit_learn(activation, flat, X, Y, iterations, rate):
    model = MLPClassifier(
        [11, 5], activation=activation, solver="sgd", alpha=0, batch_size=X.shape[1],
        learning_rate_init=rate, momentum=0, nesterovs_momentum=False, shuffle=False,
    )  # fmt: skip
    model.partial_fit(X.T, Y[0], classes=[0, 1])  # makes the attributes that are overwritten here
    named = named_parameters(mlp(2, hidden=[11, 5], activation="relu"), flat)
    model.coefs_ = [named[f"W{number}"].T.copy() for number in (1, 2, 3)]
    model.intercepts_ = [named[f"b{number}"][:, 0].copy() for number in (1, 2, 3)]
    for _ in range(iterations):
        model.partial_fit(X.T, Y[0])
    return model


def residual_network(activation, output_name="sigmoid", l2=0.0):
    n_y = 1 if output_name == "sigmoid" else 2
    return Network((3, 5, 5, 5, 7, 7, n_y), activation, output_name, residual=True, l2=l2)


def labels_for(output_name, n_y, seed=47, examples=EXAMPLES):
    rng = np.random.RandomState(seed)
    if output_name == "softmax":
        return np.eye(n_y)[:, rng.randint(n_y, size=examples)]
    labels = rng.randn(n_y, examples)
    return (labels > 0).astype(float) if output_name == "sigmoid" else labels


def plain_residual_logits(network, flat, X):
    a, widths = X, network.sizes
    for number, (W, b) in enumerate(plain_layers(flat, widths)):
        z = W @ a + b
        if number == len(widths) - 2:
            return z
        skip = a if number > 0 and widths[number] == widths[number + 1] else 0
        a = PHI[network.activation_name](z) + skip
    raise AssertionError


@pytest.mark.parametrize("activation", ["tanh", "gelu", "softplus"])
@pytest.mark.parametrize("output_name", OUTPUTS)
def test_gradients_of_every_output_with_residuals_and_l2_equal_central_differences(activation, output_name):
    network = residual_network(activation, output_name, l2=0.3)
    parameters, Y = random_parameters(network, 53), labels_for(output_name, network.sizes[-1])
    X, _ = random_data(3, True)
    gradient, _ = gradient_and_cost(network, parameters, X, Y)
    for run, flat in enumerate(parameters):
        expected = central_differences(lambda p: evaluate(network, p[np.newaxis], X, Y)[0][0], flat)
        np.testing.assert_allclose(gradient[run], expected, rtol=3e-7, atol=1e-8)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_a_residual_layer_adds_the_layer_below_where_both_are_hidden_and_as_wide(activation):
    network = residual_network(activation)
    assert network.skips == [False, True, True, False, True]
    parameters, (X, _) = random_parameters(network, 59), random_data(3, True)
    logits = passed(network, parameters, X, labels_for("sigmoid", 1)).output.z
    for run, flat in enumerate(parameters):
        np.testing.assert_allclose(logits[run], plain_residual_logits(network, flat, X), rtol=1e-12)


def test_the_first_hidden_layer_adds_nothing_even_if_it_is_as_wide_as_the_input():
    assert Network((5, 5, 5, 1), "relu", residual=True).skips == [False, True]


def test_the_cost_of_softmax_is_scikit_learns_log_loss():
    network = Network((3, 5, 4), "tanh", "softmax")
    parameters, (X, _) = random_parameters(network, 61), random_data(3, True, examples=41)
    Y = labels_for("softmax", 4, examples=41)
    costs, accuracies = evaluate(network, parameters, X, Y)
    for run, shares in enumerate(predict(network, parameters, X)):
        np.testing.assert_allclose(shares.sum(axis=0), 1, rtol=1e-14)
        logits = plain_forward(parameters[run], network.sizes, "tanh", X)[0][-1]
        np.testing.assert_allclose(shares, softmax(logits, axis=0), rtol=1e-12)
        assert costs[run] == pytest.approx(log_loss(Y.argmax(axis=0), shares.T, labels=range(4)), rel=1e-12)
        assert accuracies[run] == np.mean(logits.argmax(axis=0) == Y.argmax(axis=0))


def test_softmax_neither_overflows_nor_loses_a_saturated_example():
    network = Network((3, 3), "linear", "softmax")
    flat = flatten([np.eye(3)], [np.zeros((3, 1))])[np.newaxis]
    logits, Y = np.array([[1e4, -1e4], [0.0, 0], [-1e4, 1e4]]), np.array([[0.0, 0], [1, 0], [0, 1]])
    gradient, costs = gradient_and_cost(network, flat, logits, Y)
    assert costs[0] == 1e4 / 2
    assert np.isfinite(gradient).all()


def test_squared_error_and_r2_are_scikit_learns():
    network = Network((3, 5, 2), "tanh", "linear")
    parameters, (X, _) = random_parameters(network, 67), random_data(3, True, examples=41)
    Y = labels_for("linear", 2, examples=41)
    costs, scores = evaluate(network, parameters, X, Y)
    for run, numbers in enumerate(predict(network, parameters, X)):
        assert costs[run] == pytest.approx(mean_squared_error(Y.T, numbers.T), rel=1e-12)  # two outputs, half
        expected = r2_score(Y.T, numbers.T, multioutput="variance_weighted")
        assert scores[run] == pytest.approx(expected, rel=1e-12)


def test_r2_of_labels_that_do_not_vary_is_0():
    network = Network((3, 1), "linear", "linear")
    parameters, (X, _) = random_parameters(network, 71), random_data(3, True)
    assert evaluate(network, parameters, X, np.ones((1, EXAMPLES)))[1].tolist() == [0, 0, 0]


def test_l2_adds_half_the_squared_weights_without_the_biases():
    plain, decayed = Network((3, 5, 1), "tanh"), Network((3, 5, 1), "tanh", l2=0.7)
    parameters, (X, Y) = random_parameters(plain, 73), random_data(3, True)
    more = evaluate(decayed, parameters, X, Y)[0] - evaluate(plain, parameters, X, Y)[0]
    for run, flat in enumerate(parameters):
        squares = sum(np.sum(W**2) for W, _ in plain_layers(flat, plain.sizes))
        assert more[run] == pytest.approx(0.35 * squares, rel=1e-12)


def test_gradient_descent_with_l2_on_many_classes_follows_scikit_learns_loss_curve():
    network = replace(mlp(3, 4, hidden=[7], activation="relu", l2=0.5 / 31), output_name="softmax")
    (X, _), Y = random_data(3, True, examples=31), labels_for("softmax", 4, examples=31)
    model = MLPClassifier(
        [7], solver="sgd", alpha=0.5, batch_size=31, learning_rate_init=0.3, momentum=0, shuffle=False,
    )  # fmt: skip
    model.partial_fit(X.T, Y.argmax(axis=0), classes=range(4))
    parameters = flatten([W.T for W in model.coefs_], [b[:, None] for b in model.intercepts_])[np.newaxis]
    ours = []
    for _ in range(23):
        model.partial_fit(X.T, Y.argmax(axis=0))
        gradient, costs = gradient_and_cost(network, parameters, X, Y)
        ours.append(costs[0])
        parameters = parameters - 0.3 * gradient
    np.testing.assert_allclose(ours, model.loss_curve_[1:], rtol=1e-12)


def test_deep_is_an_mlp_of_equal_layers():
    expected = mlp(2, 3, hidden=[7, 7, 7, 7], activation="erf", residual=True, l2=0.1)
    assert deep(2, 3, depth=4, width=7, activation="erf", residual=True, l2=0.1) == expected


def test_no_hidden_layer_is_logistic_regression():
    network, (X, Y) = mlp(2, hidden=[], activation="relu"), random_data(2, True)
    flat = np.array([[0.5, -0.3, 0.2]])
    expected = expit(np.array([[0.5, -0.3]]) @ X + 0.2)
    np.testing.assert_allclose(predict(network, flat, X)[0], expected, rtol=1e-14)
    gradient, _ = gradient_and_cost(network, flat, X, Y)
    by_hand = (expected - Y) @ np.vstack([X, np.ones(EXAMPLES)]).T / EXAMPLES
    np.testing.assert_allclose(gradient, by_hand, rtol=1e-13)
