import math

import numpy as np
import pytest

from initlab.activations import ACTIVATIONS
from initlab.networks.network import Network
from initlab.propagation.signals import gradients_from_above, pairs_of_inputs, propagate
from initlab.theory.finite_width import LayerLaw, draw_chain, quantiles

STARTS = {
    "relu": (2.0, 0.0), "leaky_relu": (2.0, 0.0), "elu": (1.2, 0.1), "selu": (1.0, 0.0), "gelu": (2.155, 0.0),
    "silu": (2.43, 0.0), "softplus": (1.0, 0.1), "tanh": (1.6, 0.05), "sigmoid": (2.0, 0.3),
    "erf": (1.2, 0.05), "sin": (1.5, 0.1), "linear": (1.0, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("name", STARTS)
def test_nine_of_ten_networks_as_deep_as_wide_are_in_the_bands(name):
    width, draws, (w2, b2) = 11, 1009, STARTS[name]
    network = Network((width,) * (width + 1) + (1,), name)
    flat = np.random.RandomState(23).standard_normal((draws, network.size))
    for block in network.blocks(flat):
        block[..., :-1] *= math.sqrt(w2 / width)
        block[..., -1] *= math.sqrt(b2)
    X = pairs_of_inputs(range(draws), width, 1.0, 0.5)
    found = propagate(network, flat, X, gradients_from_above(range(draws), width))
    chain = draw_chain(ACTIVATIONS[name], [LayerLaw(width, width, w2, b2)] * width, 1.0, 0.5)
    for values, drawn in zip((found.mean_squares, found.correlations, found.gradients), chain, strict=True):
        low, _, high = quantiles(drawn[:, :-1])
        inside = np.mean((values[:, :-1] >= low) & (values[:, :-1] <= high), axis=0)
        assert inside.mean() == pytest.approx(0.9, abs=0.035)
        assert np.all((inside > 0.85) & (inside < 0.96))


def test_the_variance_of_relu_networks_is_the_exact_product():
    # Given the layers below, the mean of n squares of Gaussians adds a factor 1 + 2/n.
    widths = (29, 19, 23)
    layers = [LayerLaw(n_in, n, 2.0, 0.0) for n_in, n in zip((7, *widths), widths, strict=False)]
    squares = (draw_chain(ACTIVATIONS["relu"], layers, 1.3, 0.4).mean_squares / 2.6 - 1) ** 2
    expected = np.cumprod([1, 1 + 5 / 29, 1 + 5 / 19]) * (1 + 2 / np.array(widths)) - 1
    errors = squares.std(axis=0) / math.sqrt(len(squares))
    assert np.all(np.abs(squares.mean(axis=0) - expected) < 4 * errors)


def test_a_rotation_keeps_lengths_and_angles_exactly():
    layers = [LayerLaw(13, 13, 1.0, 0.0, orthogonal=True)] * 5
    chain = draw_chain(ACTIVATIONS["linear"], layers, 1.3, 0.4)
    np.testing.assert_allclose(chain.mean_squares, 1.3, rtol=1e-12)
    np.testing.assert_allclose(chain.correlations, 0.4, rtol=1e-12)
    np.testing.assert_allclose(chain.gradients, 1, rtol=1e-12)


def test_quantiles_leave_out_what_is_no_number_and_keep_infinities():
    values = np.array([[1.0, np.nan, np.inf], [3.0, np.nan, np.inf], [np.nan, np.nan, 1.0]])
    low, middle, high = quantiles(values, (0.0, 0.5, 1.0))
    assert (low[0], middle[0], high[0]) == (1, 2, 3)
    assert np.isnan([low[1], middle[1], high[1]]).all()
    assert (low[2], middle[2], high[2]) == (1, math.inf, math.inf)
