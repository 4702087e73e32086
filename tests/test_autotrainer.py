"""AutoTrainer's two problems are scikit-learn's with the published seeds; its first 700 examples train."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_circles

from initlab.datasets import autotrainer_blob, autotrainer_circle


@pytest.mark.parametrize(("dataset", "seed", "drawn"), [
    (autotrainer_circle, 1, make_circles(1000, noise=0.1, random_state=1)),
    (autotrainer_blob, 2, make_blobs(1000, centers=3, cluster_std=2, random_state=2)),
])  # fmt: skip
def test_the_examples_are_the_published_ones(dataset, seed, drawn):
    data, (X, labels) = dataset(scale=100.0, seed=seed), drawn
    np.testing.assert_array_equal(data.X_train, 100 * X[:700].T)
    np.testing.assert_array_equal(data.X_test, 100 * X[700:].T)
    kinds = np.array([[1]]) if labels.max() == 1 else np.arange(3)[:, np.newaxis]
    np.testing.assert_array_equal(data.Y_train, labels[:700] == kinds)
    np.testing.assert_array_equal(data.Y_test, labels[700:] == kinds)


def test_the_scale_multiplies_the_features_alone():
    large, small = autotrainer_circle(scale=100.0, seed=1), autotrainer_circle(scale=0.5, seed=1)
    np.testing.assert_allclose(large.X_train, 200 * small.X_train, rtol=1e-15)
    np.testing.assert_array_equal(large.Y_train, small.Y_train)
