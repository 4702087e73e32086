import numpy as np
import pytest
from scipy.special import expit

from initlab.activations import ACTIVATIONS, sigmoid

Z = np.concatenate([np.linspace(-37, 37, 1009), [-0.0, 0.0, 1e-300, -1e-300]])

VALUES = {
    "relu": lambda z: np.clip(z, 0, None),
    "tanh": lambda z: 2 * expit(2 * z) - 1,
    "sigmoid": expit,
    "linear": lambda z: z,
}
DERIVATIVES = {
    "relu": lambda z: np.heaviside(z, 0),
    "tanh": lambda z: 1 / np.cosh(z) ** 2,
    "sigmoid": lambda z: expit(z) * expit(-z),
    "linear": np.ones_like,
}


def value_of(name, z):
    out = np.full_like(z, np.nan)
    ACTIVATIONS[name].value(z, out)
    return out


def derivative_of(name, z):
    out = np.full_like(z, np.nan)
    ACTIVATIONS[name].derivative(z, value_of(name, z), out)
    return out


def test_every_activation_is_tested():
    assert set(ACTIVATIONS) == set(VALUES) == set(DERIVATIVES)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_value_equals_its_formula(name):
    np.testing.assert_allclose(value_of(name, Z), VALUES[name](Z), rtol=1e-14, atol=2e-16)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_derivative_equals_its_formula(name):
    np.testing.assert_allclose(derivative_of(name, Z), DERIVATIVES[name](Z), rtol=1e-14, atol=4e-16)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_derivative_equals_central_differences(name):
    z, h = np.linspace(-3, 3, 100), 1e-5  # an even number of points leaves out the kink at 0
    slope = (value_of(name, z + h) - value_of(name, z - h)) / (2 * h)
    np.testing.assert_allclose(derivative_of(name, z), slope, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_input_is_left_as_it_was_and_float32_stays_float32(name):
    z = Z.astype(np.float32)
    before = z.copy()
    value, derivative = value_of(name, z), derivative_of(name, z)
    np.testing.assert_array_equal(z, before, strict=True)
    assert value.dtype == derivative.dtype == np.float32
    np.testing.assert_allclose(value, VALUES[name](Z), rtol=1e-5, atol=1e-6)


def test_the_slope_of_relu_is_0_at_0():
    assert derivative_of("relu", np.array([0.0, -0.0])).tolist() == [0, 0]


def test_relu_passes_nan_on():
    assert np.isnan(value_of("relu", np.array([np.nan]))).all()


def test_only_relu_can_leave_a_unit_dead():
    assert [name for name, activation in ACTIVATIONS.items() if activation.rectifies] == ["relu"]


def test_the_sigmoid_saturates_at_exactly_0_and_1():
    out = np.empty(4)
    with np.errstate(over="ignore"):
        sigmoid(np.array([-np.inf, -1e4, 1e4, np.inf]), out)
    assert out.tolist() == [0, 0, 1, 1]
