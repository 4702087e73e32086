import numpy as np
import pytest
from builders import gradients_at, labels_of, step_of
from oracles import calm, lone_start, plain_layers, stack_of_starts

from initlab.activations import ACTIVATIONS
from initlab.datasets import circles
from initlab.diagnostics import gradient_quotient, hessian
from initlab.diagnostics.sharpness import hutchinson_trace, lanczos_top, whole_hessian
from initlab.networks.hessian import hessian_products
from initlab.networks.network import Network
from initlab.networks.tape import with_ones

NOTEBOOK = Network((2, 10, 5, 1), "relu")
OUTPUTS = {"sigmoid": 1, "softmax": 3, "linear": 2}


def data_of(network, m=17, seed=7):
    rng = np.random.RandomState(seed)
    X, Y = rng.randn(network.sizes[0], m), labels_of(network, rng, m)
    return X, Y, with_ones(X), network.output.targets(Y)


def random_point(network, seed=5):
    return np.random.RandomState(seed).randn(1, network.offsets[-1])


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hessian_products_are_central_differences_of_the_gradient(activation, output, residual):
    network = Network((3, 5, 5, 4, OUTPUTS[output]), activation, output, residual, l2=0.03)
    _, _, X1, targets = data_of(network)
    rng = np.random.RandomState(1)
    points, directions = 0.7 * calm(network) * rng.randn(2, 4, network.offsets[-1])
    ahead = gradients_at(network, points + 1e-6 * directions, X1, targets)
    behind = gradients_at(network, points - 1e-6 * directions, X1, targets)
    expected = (ahead - behind) / 2e-6
    products = hessian_products(network, points, directions, X1, targets)
    np.testing.assert_allclose(products, expected, atol=3e-8 * np.abs(expected).max(), rtol=0)
    one_point = hessian_products(network, points[:1], directions, X1, targets)
    np.testing.assert_allclose(one_point[0], products[0], rtol=1e-12)


def logistic_hessian(theta, X):
    X1 = np.vstack([X, np.ones(X.shape[1])])
    p = 1 / (1 + np.exp(-theta @ X1))
    return (X1 * p * (1 - p)) @ X1.T / X.shape[1]


def test_the_hessian_of_a_logistic_regression_is_the_textbooks():
    network = Network((5, 1), "relu")
    X, Y, X1, targets = data_of(network, m=31)
    point = random_point(network)
    expected = logistic_hessian(point[0], X)
    np.testing.assert_allclose(whole_hessian(network, point[0], X1, targets), expected, rtol=1e-12)
    measured = hessian(step_of(network, point, X, Y))
    assert measured["top"][0] == pytest.approx(np.linalg.eigvalsh(expected)[-1], rel=1e-12)
    assert measured["trace"][0] == pytest.approx(np.trace(expected), rel=1e-12)


def test_the_hessian_of_a_linear_regression_is_the_inputs_second_moment_and_the_penalty():
    network = Network((5, 2), "relu", "linear", l2=0.3)
    X, Y, X1, _ = data_of(network, m=31)
    moments = X1 @ X1.T / 31 + 0.3 * np.diag([1, 1, 1, 1, 1, 0])
    measured = hessian(step_of(network, random_point(network), X, Y))
    assert measured["top"][0] == pytest.approx(np.linalg.eigvalsh(moments)[-1], rel=1e-12)
    assert measured["trace"][0] == pytest.approx(2 * np.trace(moments), rel=1e-12)


def gauss_newton_trace(flat, X):
    """Returns the mean over examples of p (1 − p) |∇z|²: the trace for ReLUs, which bend nowhere."""
    layers = plain_layers(flat, NOTEBOOK.sizes)
    inputs, masks = [X], []
    for W, b in layers[:-1]:
        z = W @ inputs[-1] + b
        masks.append(z > 0)
        inputs.append(z * masks[-1])
    p = 1 / (1 + np.exp(-(layers[-1][0] @ inputs[-1] + layers[-1][1])))
    delta, squares = np.ones_like(p), 0
    for number in (2, 1, 0):
        squares = squares + np.sum(delta**2, axis=0) * (1 + np.sum(inputs[number] ** 2, axis=0))
        if number:
            delta = (layers[number][0].T @ delta) * masks[number - 1]
    return np.mean(p[0] * (1 - p[0]) * squares)


def test_the_kinks_at_which_relus_start_with_biases_of_0_do_not_count():
    data = circles(n_train=128, n_test=10, noise=0.05, seed=1)
    parameters = stack_of_starts(NOTEBOOK, [3, 5, 7])
    trace = hessian(step_of(NOTEBOOK, parameters, data.X_train, data.Y_train))["trace"]
    expected = [gauss_newton_trace(flat, data.X_train) for flat in parameters]
    np.testing.assert_allclose(trace, expected, rtol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_lanczos_finds_the_top_and_hutchinson_estimates_the_trace(activation):
    network = Network((3, 11, 7, 1), activation)
    points = stack_of_starts(network, [3, 5, 7])
    _, _, X1, targets = data_of(network, m=53)
    whole = np.stack([whole_hessian(network, point, X1, targets) for point in points])
    values = np.linalg.eigvalsh(whole)
    np.testing.assert_allclose(lanczos_top(network, points, X1, targets), values[:, -1], rtol=1e-5)
    # The variance of v·Hv for random signs v is twice the sum of the squares off the diagonal.
    off_diagonal = np.sum(values**2, axis=-1) - np.sum(np.diagonal(whole, axis1=1, axis2=2) ** 2, axis=-1)
    error = hutchinson_trace(network, points, X1, targets) - np.trace(whole, axis1=1, axis2=2)
    assert np.all(np.abs(error) < 4 * np.sqrt(2 * off_diagonal / 16))


def test_lanczos_finds_the_largest_eigenvalue_where_a_negative_one_is_larger_in_size():
    network = Network((3, 7, 1), "tanh", "linear")
    _, _, X1, targets = data_of(network)
    point = lone_start(network, 7)[np.newaxis]
    targets = -30 * targets  # residuals that outweigh the Gauss-Newton part, which has no negative ones
    values = np.linalg.eigvalsh(whole_hessian(network, point[0], X1, targets))
    assert -values[0] > 2 * values[-1]
    assert lanczos_top(network, point, X1, targets)[0] == pytest.approx(values[-1], rel=1e-3)


def test_a_network_with_more_parameters_is_measured_by_products_of_its_hessian():
    network = Network((3, 31, 7, 1), "tanh")
    X, Y, X1, targets = data_of(network, m=53)
    points = stack_of_starts(network, [3, 5])
    assert network.offsets[-1] > 300
    measured = hessian(step_of(network, points, X, Y))
    whole = np.stack([whole_hessian(network, point, X1, targets) for point in points])
    np.testing.assert_allclose(measured["top"], np.linalg.eigvalsh(whole)[:, -1], rtol=1e-5)
    np.testing.assert_array_equal(measured["trace"], hutchinson_trace(network, points, X1, targets))


def test_only_the_first_128_examples_count():
    network = Network((2, 3, 1), "tanh")
    X, Y, _, _ = data_of(network, m=149)
    point = random_point(network)
    first, all_of_them = (step_of(network, point, X[:, :m], Y[:, :m]) for m in (128, 149))
    assert hessian(first)["top"] == hessian(all_of_them)["top"]
    assert gradient_quotient(first)["global"] == gradient_quotient(all_of_them)["global"]


def test_gradient_quotient_is_its_formula_with_the_whole_hessian():
    network = Network((3, 5, 1), "tanh")
    X, Y, X1, targets = data_of(network)
    point = random_point(network)
    g = gradients_at(network, point, X1, targets)[0]
    H = whole_hessian(network, point[0], X1, targets)
    expected = np.mean(np.abs((g - H @ g) / (g + 1e-5 * np.where(g >= 0, 1, -1)) - 1))
    assert gradient_quotient(step_of(network, point, X, Y))["global"][0] == pytest.approx(expected, rel=1e-5)
