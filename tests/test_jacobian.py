import numpy as np
import pytest
from builders import labels_of, step_of
from oracles import plain_forward

from initlab.diagnostics import jacobian, tangent_kernel
from initlab.diagnostics.derivatives import input_jacobians, kernel_matrix
from initlab.networks.network import Network
from initlab.networks.tape import with_ones

NETWORKS = [
    Network((3, 7, 5, 1), "tanh"),
    Network((3, 7, 5, 2), "sin", "linear"),
    Network((3, 2), "relu", "linear"),
]


def random_step(network, runs=3, m=13, seed=5):
    rng = np.random.RandomState(seed)
    parameters, X = rng.randn(runs, network.offsets[-1]), rng.randn(network.sizes[0], m)
    return step_of(network, parameters, X, labels_of(network, rng, m)), X


def outputs(network, flat, X):
    return plain_forward(flat, network.sizes, network.activation_name, X)[0][-1]


def differences(function, at, step=1e-6):
    """Returns the central differences of a function by each number of ``at``, the last axis."""
    columns = []
    for index in np.ndindex(at.shape):
        moved = np.zeros_like(at)
        moved[index] = step
        columns.append((function(at + moved) - function(at - moved)) / (2 * step))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_the_jacobian_equals_central_differences_of_the_outputs_by_the_inputs(network):
    step, X = random_step(network)
    measured = input_jacobians(network, step.parameters, with_ones(X))
    for run, flat in enumerate(step.parameters):
        for example in range(13):
            x = X[:, [example]]
            expected = differences(lambda x, flat=flat: outputs(network, flat, x)[:, 0], x)
            np.testing.assert_allclose(measured[run, example], expected, rtol=1e-6, atol=1e-8)


def test_the_singular_values_are_numpys_averaged_over_the_examples():
    step, X = random_step(NETWORKS[1])
    matrices = input_jacobians(step.network, step.parameters, with_ones(X))
    measured = jacobian(step)
    for run in range(3):
        values = np.stack([np.linalg.svd(matrix, compute_uv=False) for matrix in matrices[run]])
        assert measured["largest"][run] == pytest.approx(values[:, 0].mean(), rel=1e-12)
        assert measured["smallest"][run] == pytest.approx(values[:, 1].mean(), rel=1e-12)
        assert measured["mean"][run] == pytest.approx(values.mean(), rel=1e-12)


def test_a_deep_linear_network_of_orthogonal_weights_has_singular_values_of_1():
    network, rng = Network((5,) * 31, "linear", "linear"), np.random.RandomState(5)
    parameters = np.zeros((1, network.offsets[-1]))
    for block in network.blocks(parameters):
        block[0, :, :-1] = np.linalg.qr(rng.randn(5, 5))[0]
    measured = jacobian(step_of(network, parameters, rng.randn(5, 7), rng.randn(5, 7)))
    assert {what: value[0] for what, value in measured.items()} == pytest.approx(
        {"largest": 1, "smallest": 1, "mean": 1}, abs=1e-13
    )


def test_identity_weights_in_residual_layers_double_the_signal_at_each():
    network = Network((3, 3, 3, 3, 3), "linear", "linear", residual=True)
    parameters = np.zeros((1, network.offsets[-1]))
    for block in network.blocks(parameters):
        block[0, :, :-1] = np.eye(3)
    measured = jacobian(step_of(network, parameters, np.ones((3, 2)), np.ones((3, 2))))
    assert measured["largest"][0] == measured["smallest"][0] == pytest.approx(4, rel=1e-15)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_the_tangent_kernel_is_the_gram_matrix_of_differences_by_the_parameters(network):
    step, X = random_step(network)
    matrices = kernel_matrix(network, step.parameters, with_ones(X))
    measured = tangent_kernel(step)
    for run, flat in enumerate(step.parameters):
        by_parameter = differences(lambda at: outputs(network, at, X).ravel(), flat)
        expected = by_parameter @ by_parameter.T
        np.testing.assert_allclose(matrices[run], expected, rtol=1e-6, atol=1e-7)
        assert measured["top"][run] == pytest.approx(np.linalg.eigvalsh(expected)[-1], rel=1e-6)


def test_the_condition_is_that_of_the_gram_matrix_and_the_inverse_precision_where_it_is_singular():
    network = Network((3, 1), "relu", "linear")
    X = np.random.RandomState(5).randn(3, 4)
    X1 = np.vstack([X, np.ones(4)])
    parameters = np.zeros((1, 4))
    measured = tangent_kernel(step_of(network, parameters, X, np.ones((1, 4))))["condition"][0]
    assert measured == pytest.approx(np.linalg.cond(X1) ** 2, rel=1e-9)
    twice = np.hstack([X, X])
    singular = tangent_kernel(step_of(network, parameters, twice, np.ones((1, 8))))["condition"][0]
    assert 1e14 < singular <= 1 / np.finfo(float).eps


def test_the_kernel_of_many_outputs_has_64_rows_at_most():
    network, rng = Network((3, 5, 7), "tanh", "linear"), np.random.RandomState(5)
    parameters, X, Y = rng.randn(1, network.offsets[-1]), rng.randn(3, 31), rng.randn(7, 31)
    few, all_of_them = (step_of(network, parameters, X[:, :m], Y[:, :m]) for m in (9, 31))
    assert tangent_kernel(few)["top"] == tangent_kernel(all_of_them)["top"]
