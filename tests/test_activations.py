import numpy as np
import pytest
from scipy.special import erf, erfc, expit
from scipy.stats import norm

from initlab.activations import ACTIVATIONS, sigmoid

Z = np.concatenate([np.linspace(-37, 37, 1009), [-0.0, 0.0, 1e-300, -1e-300]])

ALPHA, LAMBDA = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017, section 2

VALUES = {
    "relu": lambda z: np.clip(z, 0, None),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "selu": lambda z: LAMBDA * np.where(z > 0, z, ALPHA * np.expm1(z)),
    "gelu": lambda z: z * erfc(-z / np.sqrt(2)) / 2,
    "silu": lambda z: z * expit(z),
    "softplus": lambda z: np.logaddexp(0, z),
    "tanh": lambda z: 2 * expit(2 * z) - 1,
    "sigmoid": expit,
    "erf": erf,
    "sin": np.sin,
    "softsign": lambda z: z / (1 + np.abs(z)),
    "exponential": lambda z: 10 ** (z * np.log10(np.e)),
    "linear": lambda z: z,
}
DERIVATIVES = {
    "relu": lambda z: np.heaviside(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, 1, 0.01),
    "elu": lambda z: np.where(z > 0, 1, np.exp(z)),
    "selu": lambda z: LAMBDA * np.where(z > 0, 1, ALPHA * np.exp(z)),
    "gelu": lambda z: erfc(-z / np.sqrt(2)) / 2 + z * norm.pdf(z),
    "silu": lambda z: expit(z) * (1 + z * expit(-z)),
    "softplus": expit,
    "tanh": lambda z: 1 / np.cosh(z) ** 2,
    "sigmoid": lambda z: expit(z) * expit(-z),
    "erf": lambda z: 2 / np.sqrt(np.pi) * np.exp(-(z**2)),
    "sin": np.cos,
    "softsign": lambda z: (1 + np.abs(z)) ** -2.0,
    "exponential": np.exp,
    "linear": np.ones_like,
}

# φ and φ' at −∞, −10⁴, 10⁴ and ∞.
ENDS = {
    "relu": ([0, 0, 1e4, np.inf], [0, 0, 1, 1]),
    "leaky_relu": ([-np.inf, -1e2, 1e4, np.inf], [0.01, 0.01, 1, 1]),
    "elu": ([-1, -1, 1e4, np.inf], [0, 0, 1, 1]),
    "selu": ([-LAMBDA * ALPHA] * 2 + [LAMBDA * 1e4, np.inf], [0, 0, LAMBDA, LAMBDA]),
    "gelu": ([0, 0, 1e4, np.inf], [0, 0, 1, 1]),
    "silu": ([0, 0, 1e4, np.inf], [0, 0, 1, 1]),
    "softplus": ([0, 0, 1e4, np.inf], [0, 0, 1, 1]),
    "tanh": ([-1, -1, 1, 1], [0, 0, 0, 0]),
    "sigmoid": ([0, 0, 1, 1], [0, 0, 0, 0]),
    "erf": ([-1, -1, 1, 1], [0, 0, 0, 0]),
    "softsign": ([-1, -1e4 / 10001, 1e4 / 10001, 1], [0, 1e-8 / 1.0001**2, 1e-8 / 1.0001**2, 0]),
    "exponential": ([0, 0, np.inf, np.inf], [0, 0, np.inf, np.inf]),
    "linear": ([-np.inf, -1e4, 1e4, np.inf], [1, 1, 1, 1]),
}


def value_of(name, z):
    out = np.full_like(z, np.nan)
    ACTIVATIONS[name].value(z, out)
    return out


def derivative_of(name, z):
    """Returns the derivative by the one of z and a that it may be computed from; the other is nan."""
    activation, a, out = ACTIVATIONS[name], value_of(name, z), np.full_like(z, np.nan)
    nan = np.full_like(z, np.nan)
    activation.derivative(*((nan, a) if activation.from_value else (z, nan)), out)
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
    rounded = z.astype(np.float64)
    np.testing.assert_allclose(value, VALUES[name](rounded), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(derivative, DERIVATIVES[name](rounded), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if ACTIVATIONS[name].from_value])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_value_that_suffices_for_the_derivative_may_take_the_place_of_the_input(name, dtype):
    z = np.random.RandomState(5).randn(3, 11, 7).astype(dtype)
    place = np.ones((3, 12, 7), dtype)[:, :-1]  # as a layer's activations lie above its row of ones
    np.copyto(place, z)
    ACTIVATIONS[name].value(place, place)
    np.testing.assert_array_equal(place, value_of(name, z), strict=True)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ENDS)
def test_very_large_inputs_give_the_limits(name, dtype):
    z = np.array([-np.inf, -1e4, 1e4, np.inf], dtype)
    values, derivatives = ENDS[name]
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(value_of(name, z), values, rtol=1e-6, atol=0)
        np.testing.assert_allclose(derivative_of(name, z), derivatives, rtol=1e-6, atol=0)


def test_only_the_sine_has_no_limits():
    assert set(ACTIVATIONS) - set(ENDS) == {"sin"}
    with np.errstate(invalid="ignore"):
        assert np.isnan(value_of("sin", np.array([np.inf]))).all()
    z = np.array([-1e4, 1e4])
    assert value_of("sin", z) == pytest.approx([0.30561438888825215, -0.30561438888825215], rel=1e-12)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"sin"}))
def test_nothing_between_small_and_very_large_inputs_is_nan(name):
    z = np.concatenate([sign * np.logspace(-300, 300, 601) for sign in (-1, 1)])
    with np.errstate(over="ignore"):
        values, derivatives = value_of(name, z), derivative_of(name, z)
    assert not np.isnan([values, derivatives]).any()
    assert name == "exponential" or np.isfinite([values, derivatives]).all()


@pytest.mark.parametrize("name", ["gelu", "silu", "softplus"])
def test_the_tail_of_a_smooth_rectifier_keeps_its_digits(name):
    z = np.linspace(-35, -2, 101)
    np.testing.assert_allclose(value_of(name, z), VALUES[name](z), rtol=1e-12, atol=0)
    np.testing.assert_allclose(derivative_of(name, z), DERIVATIVES[name](z), rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", ["elu", "selu"])
def test_the_slope_of_an_exponential_unit_keeps_its_digits_where_the_value_has_saturated(name):
    z = np.linspace(-700, -40, 101)
    np.testing.assert_allclose(derivative_of(name, z), DERIVATIVES[name](z), rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_slopes_equal_pytorchs_at_kinks_too(name):
    torch = pytest.importorskip("torch")
    theirs = {"linear": lambda z: z * 1, "erf": torch.erf, "sin": torch.sin, "exponential": torch.exp}
    function = theirs.get(name) or getattr(torch.nn.functional, name)
    z = np.concatenate([np.linspace(-19, 19, 101), [0.0, -0.0]])
    tensor = torch.tensor(z, requires_grad=True)
    values = function(tensor)
    values.sum().backward()
    # From 20 on, PyTorch takes the softplus to be z.
    np.testing.assert_allclose(value_of(name, z), values.detach().numpy(), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(derivative_of(name, z), tensor.grad.numpy(), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("name", "slope"), [("leaky_relu", 0.01), ("elu", 1), ("selu", LAMBDA * ALPHA)])
def test_the_slope_at_0_is_the_left_one(name, slope):
    assert derivative_of(name, np.array([0.0, -0.0])) == pytest.approx([slope, slope], rel=1e-15)


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
