import numpy as np
import pytest
from builders import gradients_at
from oracles import lone_start, stack_of_starts

from initlab import initializers
from initlab.networks.hessian import gradient_quotient, hessian_products
from initlab.networks.network import Network
from initlab.networks.tape import evaluate, with_ones

TANH = Network((3, 7, 5, 1), "tanh")
rng = np.random.RandomState(103)
X, Y = rng.randn(3, 53), rng.randint(0, 2, (1, 53)).astype(float)
X1, TARGETS = with_ones(X), TANH.output.targets(Y)
POINTS = stack_of_starts(TANH, (2, 3, 5)) + 0.1 * rng.randn(3, TANH.offsets[-1])
DIRECTIONS = rng.randn(*POINTS.shape)


def costs(points):
    return evaluate(TANH, points, X, Y)[0]


def test_gradients_equal_central_differences_of_the_cost():
    gradients = gradients_at(TANH, POINTS, X1, TARGETS)
    for number in range(POINTS.shape[1]):
        step = 1e-5 * np.eye(POINTS.shape[1])[number]
        expected = (costs(POINTS + step) - costs(POINTS - step)) / 2e-5
        np.testing.assert_allclose(gradients[:, number], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("length", [1e-9, 1.0, 1e9])
def test_the_hessian_of_linear_regression_is_exact(length):
    # The cost is ½ |W x − y|² on average, so each output's block of the Hessian is the mean of x xᵀ.
    network = Network((3, 2), "relu", "linear")
    targets, points = rng.randn(2, 53), rng.randn(5, 8)
    directions = length * rng.randn(5, 8)
    H = np.kron(np.eye(2), X1 @ X1.T / 53)
    products = hessian_products(network, points, directions, X1, targets)
    np.testing.assert_allclose(products, directions @ H, rtol=0, atol=1e-7 * length)


def test_hessian_products_equal_second_differences_of_the_cost():
    products = hessian_products(TANH, POINTS, DIRECTIONS, X1, TARGETS)
    step = 1e-4 * DIRECTIONS
    curvature = (costs(POINTS + step) - 2 * costs(POINTS) + costs(POINTS - step)) / 1e-8
    np.testing.assert_allclose(np.vecdot(products, DIRECTIONS), curvature, rtol=1e-5)


def test_the_hessian_is_symmetric():
    others = rng.randn(*POINTS.shape)
    there = np.vecdot(others, hessian_products(TANH, POINTS, DIRECTIONS, X1, TARGETS))
    back = np.vecdot(DIRECTIONS, hessian_products(TANH, POINTS, others, X1, TARGETS))
    np.testing.assert_allclose(there, back, rtol=1e-7)


def test_a_direction_of_0_has_a_product_of_0():
    directions = DIRECTIONS.copy()
    directions[1] = 0
    products = hessian_products(TANH, POINTS, directions, X1, TARGETS)
    assert not products[1].any()
    assert products[[0, 2]].all()


def test_the_penalty_of_large_weights_bends_the_cost_by_its_factor():
    bent = Network(TANH.sizes, "tanh", l2=0.7)
    difference = hessian_products(bent, POINTS, DIRECTIONS, X1, TARGETS) - hessian_products(
        TANH, POINTS, DIRECTIONS, X1, TARGETS
    )
    expected = 0.7 * DIRECTIONS
    for block in TANH.blocks(expected):
        block[..., -1] = 0
    np.testing.assert_allclose(difference, expected, rtol=0, atol=1e-7)


def plain_quotient(gradient, H):
    """Returns eq. 1 of Dauphin & Schoenholz 2019, a parameter at a time."""
    product = H @ gradient
    total = 0.0
    for g, p in zip(gradient, product, strict=True):
        total += abs((g - p) / (g + (1e-5 if g >= 0 else -1e-5)) - 1)
    return total / len(gradient)


def test_the_gradient_quotient_is_its_formula():
    count = POINTS.shape[1]
    quotients = gradient_quotient(TANH, POINTS, X1, TARGETS)
    for point, found in zip(POINTS, quotients, strict=True):
        steps = 1e-5 * np.eye(count)
        ahead, behind = (gradients_at(TANH, point + sign * steps, X1, TARGETS) for sign in (1, -1))
        gradient = gradients_at(TANH, point[np.newaxis], X1, TARGETS)[0]
        assert found == pytest.approx(plain_quotient(gradient, (ahead - behind) / 2e-5), rel=1e-5)


def test_a_cost_without_a_bend_has_a_quotient_near_0():
    # At ±40 a logistic cost is a straight line where it is wrong, and the gradient stays what it is.
    network = Network((1, 1), "relu")
    inputs, targets = with_ones(np.array([[40.0, 41, 43]])), network.output.targets(np.zeros((1, 3)))
    quotients = gradient_quotient(network, np.array([[1.0, 0.0]]), inputs, targets)
    assert quotients[0] < 1e-4


def test_a_point_has_the_same_bits_alone_and_in_a_stack():
    for function, more in ((gradients_at, ()), (hessian_products, (DIRECTIONS,)), (gradient_quotient, ())):
        stacked = function(TANH, POINTS, *more, X1, TARGETS)
        for one in range(3):
            lone = function(TANH, POINTS[one : one + 1], *(d[one : one + 1] for d in more), X1, TARGETS)
            np.testing.assert_array_equal(stacked[one], lone[0])


def test_in_a_deep_relu_network_the_quotient_is_that_of_automatic_differentiation():
    torch = pytest.importorskip("torch")
    network = Network((3, *[100] * 10, 1), "relu")
    flat = lone_start(network, 3, initializers.lecun_normal)
    expected = torchs_quotient(torch, network, flat)
    found = gradient_quotient(network, flat[np.newaxis], X1, TARGETS)[0]
    assert found == pytest.approx(expected, rel=1e-4)


def torchs_quotient(torch, network, flat):
    blocks = [torch.tensor(block[0], requires_grad=True) for block in network.blocks(flat[np.newaxis])]
    a = torch.tensor(X)
    for number, block in enumerate(blocks):
        z = block[:, :-1] @ a + block[:, -1:]
        a = torch.relu(z) if number < len(blocks) - 1 else z
    cost = torch.nn.functional.binary_cross_entropy_with_logits(a, torch.tensor(Y))
    gradients = torch.autograd.grad(cost, blocks, create_graph=True)
    products = torch.autograd.grad(sum((g**2).sum() / 2 for g in gradients), blocks)
    g, p = (torch.cat([one.detach().ravel() for one in ones]) for ones in (gradients, products))
    return float(((g - p) / (g + torch.where(g >= 0, 1e-5, -1e-5)) - 1).abs().mean())
