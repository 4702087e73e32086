"""What is attainable on a dataset, against scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from initlab.datasets import blobs, circles, diabetes, gaussian_quantiles
from initlab.datasets.dataset import Dataset
from initlab.verdicts import reference
from initlab.verdicts.reference import attainable, input_scale, outlying

CIRCLES = circles(n_train=101, n_test=53, noise=0.1, seed=5)
RINGS = gaussian_quantiles(n_train=101, n_test=53, classes=3, seed=5)


@pytest.mark.parametrize("k", [1, 7])
def test_the_vote_of_neighbours_equals_scikit_learns_each_example_left_out(monkeypatch, k):
    monkeypatch.setattr(reference, "NEIGHBOURS", (k,))
    best = attainable.__wrapped__(CIRCLES).best
    vote = KNeighborsClassifier(k)
    ends = np.quantile(CIRCLES.X_train, [0.01, 0.99], axis=1, keepdims=True)
    std = np.clip(CIRCLES.X_train, *ends).std(axis=1, keepdims=True)
    X, X_test, y = CIRCLES.X_train / std, CIRCLES.X_test / std, CIRCLES.Y_train[0]
    said = cross_val_predict(vote, X.T, y, cv=LeaveOneOut())
    assert best.train == pytest.approx(np.mean(said == y))
    assert best.test == pytest.approx(vote.fit(X.T, y).score(X_test.T, CIRCLES.Y_test[0]))
    assert str(k) in best.by or "the nearest neighbour" in best.by


def test_the_linear_model_equals_scikit_learns_each_example_left_out(monkeypatch):
    monkeypatch.setattr(reference, "RIDGE", 1e-12)
    data = diabetes(test_share=0.25, seed=1)
    y = data.Y_train[0]
    said = cross_val_predict(Ridge(1e-10), data.X_train.T, y, cv=LeaveOneOut())
    r2 = 1 - np.sum((said - y) ** 2) / np.sum((y - y.mean()) ** 2)
    assert attainable.__wrapped__(data).best.train == pytest.approx(r2, rel=1e-6)


def test_distances_and_trees_find_the_same_neighbours(monkeypatch):
    trees = attainable.__wrapped__(RINGS)
    monkeypatch.setattr(reference, "FLAT", 0)
    assert attainable.__wrapped__(RINGS) == trees
    assert trees.best.train > 0.8


def test_where_nothing_can_be_learned_the_best_is_little_better_than_one_answer_for_all():
    rng = np.random.RandomState(3)
    X, Y = rng.standard_normal((5, 211)), (rng.uniform(size=(1, 211)) < 0.1).astype(float)
    found = attainable.__wrapped__(Dataset(X, Y, X, Y, "noise"))
    assert found.baseline.train == pytest.approx(1 - Y.mean())
    assert found.best.train - found.baseline.train < 0.02


def test_an_outlier_does_not_blind_the_reference():
    data = blobs(n_train=101, n_test=53, noise=0.5, seed=5)
    X = data.X_train.copy()
    X[0, 7] = 1e6
    spoilt = Dataset(X, data.Y_train, data.X_test, data.Y_test, "spoilt")
    assert attainable.__wrapped__(spoilt).best.test == pytest.approx(
        attainable.__wrapped__(data).best.test, abs=0.03
    )
    assert outlying.__wrapped__(spoilt) > 0.999
    assert outlying.__wrapped__(data) < 0.1


def test_a_rare_category_is_no_outlier():
    rows = np.vstack([np.arange(101) == 3, np.linspace(-1, 1, 101)]).astype(float)
    Y = (np.arange(101) % 2)[np.newaxis].astype(float)
    assert outlying.__wrapped__(Dataset(rows, Y, rows, Y, "rare")) < 0.1


def test_the_scale_of_the_inputs_is_the_largest_features():
    X = np.vstack([np.full(7, 3.0), np.full(7, -5.0)])
    Y = np.array([[0, 1, 0, 1, 0, 1, 0]], float)
    assert input_scale.__wrapped__(Dataset(X, Y, X, Y, "flat")) == 5
