import math

import numpy as np
import pytest

from benchmarks.bands import VARIANCES, coverage
from initlab.activations import ACTIVATIONS
from initlab.theory.finite_width import LayerLaw, draw_chain, quantiles


@pytest.mark.parametrize(
    ("name", "rotations"), [*((name, False) for name in VARIANCES), ("relu", True), ("sin", True)]
)
def test_nine_of_ten_networks_as_deep_as_wide_are_in_the_bands(name, rotations):
    for inside in coverage(name, 11, rotations, 1009).values():
        inside = inside[~np.isnan(inside)]  # error of one: 0.01
        assert inside.mean() == pytest.approx(0.9, abs=0.035)
        assert np.all((inside > 0.85) & (inside < 0.96))


def test_of_networks_that_are_all_alike_there_is_no_coverage():
    assert all(np.isnan(inside).all() for inside in coverage("linear", 7, True, 11).values())


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
