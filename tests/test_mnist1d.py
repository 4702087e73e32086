"""MNIST-1D, by numbers of its published file (mnist1d_data.pkl of github.com/greydanus/mnist1d)."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from initlab.datasets import mnist1d
from initlab.datasets.mnist1d import _resampled

SMALL = {"examples": 300, "test_share": 0.2}


@pytest.fixture(scope="module")
def published():
    return mnist1d(examples=5000, test_share=0.2, seed=42)


def test_seed_42_draws_the_published_data(published):
    first = [
        [-0.33200566736939013, 1.9654808817629648, -0.019303033743480726],
        [-0.4719103656557236, 2.3002125374724076, 0.07863307842652813],
        [-0.778697076293495, 2.213392782800504, 0.6248890859923062],
    ]
    np.testing.assert_allclose(published.X_train[:3, :3], first, rtol=1e-12)
    assert published.X_train.shape == (40, 4000)
    assert published.X_test.shape == (40, 1000)
    assert np.sum(published.X_train) == pytest.approx(-51.78746787509533, rel=1e-9)
    assert published.Y_train.argmax(axis=0)[:10].tolist() == [2, 6, 4, 5, 6, 6, 6, 0, 3, 1]
    assert published.task == "classes"
    assert published.classes == tuple("0123456789")


def test_logistic_regression_gets_a_third_of_the_test_examples_right(published):
    # The paper reports 32 %.
    line = LogisticRegression(max_iter=15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        line.fit(published.X_train.T, published.Y_train.argmax(axis=0))
    assert line.score(published.X_test.T, published.Y_test.argmax(axis=0)) == pytest.approx(0.32, abs=0.03)


def test_other_seeds_draw_other_data_of_the_same_scale():
    made = [mnist1d(**SMALL, seed=seed) for seed in (1, 2, 43, 1)]
    values = [np.concatenate([data.X_train, data.X_test], axis=1) for data in made]
    np.testing.assert_array_equal(values[0], values[3])
    for one in values[:3]:
        assert np.mean(one) == pytest.approx(0, abs=1e-12)
        assert np.std(one) == pytest.approx(1, rel=1e-12)
    assert len(np.unique(np.concatenate(values[:3]))) == 3 * 40 * 300
    assert (
        np.bincount(np.concatenate([made[0].Y_train, made[0].Y_test], axis=1).argmax(axis=0)).tolist()
        == [30] * 10
    )


def test_a_validation_part_changes_no_other_but_what_is_left_to_train_on():
    data, without = (mnist1d(**SMALL, validation_share=share, seed=5) for share in (0.1, 0.0))
    np.testing.assert_array_equal(data.X_test, without.X_test)
    np.testing.assert_array_equal(np.concatenate([data.X_train, data.X_validation], axis=1), without.X_train)
    assert data.X_validation.shape == (40, 30)
    assert without.X_validation is None


def test_a_signal_is_resampled_along_straight_lines():
    np.testing.assert_allclose(_resampled(np.array([0.0, 2.0, 1.0]), 5), [0, 1, 2, 1.5, 1], rtol=1e-15)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"examples": 90, "test_share": 0.2}, "^examples=90: must be a multiple of 10, and at least 100$"),
        ({"examples": 101, "test_share": 0.2}, "^examples=101: must be a multiple of 10"),
        ({**SMALL, "test_share": 0.6, "validation_share": 0.4}, "^test_share=0.6: leaves no training part"),
    ],
)
def test_what_cannot_be_made_is_told(settings, words):
    with pytest.raises(ValueError, match=words):
        mnist1d(**settings, seed=1)
