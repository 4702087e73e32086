import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from initlab.activations import ACTIVATIONS
from initlab.initializers.gains import gain_of as gain

WITHOUT_GAIN = ["tanh", "sigmoid", "erf", "sin", "softsign", "exponential"]


def second_moment_by_quad(name, scale):
    """Returns E[φ(scale z)²], z ~ N(0, 1)."""

    def integrand(z):
        out = np.empty(1)
        ACTIVATIONS[name].value(np.array([scale * z]), out)
        return out[0] ** 2 * norm.pdf(z)

    return sum(quad(integrand, *ends, epsabs=1e-13, epsrel=1e-13)[0] for ends in [(-15, 0), (0, 15)])


@pytest.mark.parametrize(("name", "exact"), [
    ("relu", np.sqrt(2)),
    ("leaky_relu", np.sqrt(2 / (1 + 0.01**2))),
    ("selu", 1),
    ("linear", 1),
    ("erf", (2 / np.pi * np.arcsin(2 / 3)) ** -0.5),  # Williams 1997
    ("sin", ((1 - np.exp(-2)) / 2) ** -0.5),
])  # fmt: skip
def test_the_gain_equals_its_closed_form(name, exact):
    assert gain(name) == pytest.approx(exact, rel=1e-13)


def test_elu_keeps_a_unit_second_moment_by_its_closed_form():
    g = gain("elu")  # E[(exp(gz) − 1)²; z < 0] by completing the square
    left = np.exp(2 * g**2) * norm.cdf(-2 * g) - 2 * np.exp(g**2 / 2) * norm.cdf(-g) + 1 / 2
    assert g**2 / 2 + left == pytest.approx(1, rel=1e-13)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name not in WITHOUT_GAIN])
def test_the_activations_keep_a_unit_second_moment(name):
    assert second_moment_by_quad(name, gain(name)) == pytest.approx(1, rel=1e-11)


@pytest.mark.parametrize("name", WITHOUT_GAIN)
def test_the_pre_activations_of_activations_without_such_a_gain_keep_a_unit_second_moment(name):
    assert gain(name) ** 2 * second_moment_by_quad(name, 1) == pytest.approx(1, rel=1e-11)


@pytest.mark.parametrize(("name", "digits"), [("relu", 1.41421), ("silu", 1.55876), ("gelu", 1.46801)])
def test_the_gain_equals_known_digits(name, digits):
    assert gain(name) == pytest.approx(digits, abs=5e-6)


def test_the_gains_of_pytorch_that_keep_a_second_moment_are_the_same():
    theirs = pytest.importorskip("torch").nn.init.calculate_gain
    for name in ("relu", "linear"):
        assert gain(name) == pytest.approx(theirs(name), rel=1e-13)
    assert gain("leaky_relu") == pytest.approx(theirs("leaky_relu", 0.01), rel=1e-13)
