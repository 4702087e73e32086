from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn import datasets as sklearns
from sklearn.datasets import make_blobs, make_circles, make_gaussian_quantiles, make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from initlab import datasets
from initlab.config.targets import load_component
from initlab.config.trust import trusting
from initlab.datasets import (
    Dataset,
    blobs,
    breast_cancer,
    circles,
    diabetes,
    digits,
    gaussian_quantiles,
    linear,
    moons,
    spirals,
    wine,
    xor,
)
from initlab.datasets.dataset import split, standardised
from initlab.errors import ConfigError
from initlab.runs.job import build

ARRAYS = ("X_train", "Y_train", "X_test", "Y_test")
DATASETS = [circles, moons, blobs]

CENTERS = [[-1, -1], [1, 1]]
MAKERS = {
    circles: lambda m, seed: make_circles(m, noise=0.05, random_state=seed),
    moons: lambda m, seed: make_moons(m, noise=0.05, random_state=seed),
    blobs: lambda m, seed: make_blobs(m, centers=CENTERS, cluster_std=0.05, random_state=seed),
}


def drawn(dataset, seed=1, n_train=300, n_test=100):
    return dataset(n_train=n_train, n_test=n_test, noise=0.05, seed=seed)


def test_the_circles_are_the_notebooks():
    data = drawn(circles)
    expected = [[-0.07741354, 0.4318696, 0.07916502], [0.85260226, -0.87214504, 0.8406611]]
    np.testing.assert_allclose(data.X_train[:, :3], expected, atol=5e-9, rtol=0)
    assert data.Y_train[0, :10].tolist() == [1, 0, 1, 1, 0, 0, 1, 0, 1, 1]
    assert np.sum(data.X_train) == pytest.approx(0.10318058999808777, rel=1e-12)
    assert np.sum(data.X_test) == pytest.approx(-0.418253070660783, rel=1e-12)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_data_are_scikit_learns_of_a_stream_for_each_part(dataset):
    data = drawn(dataset, seed=7, n_train=101, n_test=53)
    for part, (m, purpose) in {"train": (101, 4), "test": (53, 8)}.items():
        X, y = MAKERS[dataset](m, np.random.RandomState([7, purpose]))
        np.testing.assert_array_equal(getattr(data, f"X_{part}"), X.T, strict=True)
        np.testing.assert_array_equal(getattr(data, f"Y_{part}")[0], y)


@pytest.mark.parametrize("dataset", DATASETS)
def test_columns_are_examples_in_float64(dataset):
    data = drawn(dataset, n_train=101, n_test=53)
    assert [getattr(data, name).shape for name in ARRAYS] == [(2, 101), (1, 101), (2, 53), (1, 53)]
    for name in ARRAYS:
        assert getattr(data, name).dtype == np.float64
        assert getattr(data, name).flags.c_contiguous


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_classes_are_0_and_1_and_balanced(dataset):
    data = drawn(dataset)
    assert np.unique(data.Y_train, return_counts=True)[1].tolist() == [150, 150]
    assert np.unique(data.Y_test, return_counts=True)[1].tolist() == [50, 50]
    assert set(np.unique(data.Y_train)) == {0.0, 1.0}


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_same_seed_gives_the_same_data(dataset):
    first = drawn(dataset, seed=5)
    np.random.rand()  # the global stream must not matter
    second = drawn(dataset, seed=5)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


@pytest.mark.parametrize("dataset", DATASETS)
def test_another_seed_and_the_test_part_give_other_examples(dataset):
    data, other = drawn(dataset, seed=5, n_test=300), drawn(dataset, seed=7)
    assert not np.intersect1d(data.X_train, data.X_test).size
    assert not np.intersect1d(data.X_train, other.X_train).size


@pytest.mark.parametrize(("dataset", "source"), [
    (circles, "sklearn.datasets.make_circles"),
    (moons, "sklearn.datasets.make_moons"),
    (blobs, "sklearn.datasets.make_blobs"),
])  # fmt: skip
def test_a_dataset_names_its_source(dataset, source):
    assert drawn(dataset).source == source


def test_without_noise_the_circles_have_radius_1_and_four_fifths():
    data = circles(n_train=23, n_test=7, noise=0, seed=1)
    radius = np.where(data.Y_train[0] == 1, 0.8, 1)
    np.testing.assert_allclose(np.hypot(*data.X_train), radius, rtol=1e-14)


def test_blobs_lie_round_their_centres():
    data = blobs(n_train=2000, n_test=7, noise=0.3, seed=1)
    for label, centre in ((0, -1), (1, 1)):
        cloud = data.X_train[:, data.Y_train[0] == label]
        np.testing.assert_allclose(cloud.mean(axis=1), [centre, centre], atol=0.04)
        assert np.std(cloud - centre) == pytest.approx(0.3, rel=0.05)


def spirals_of(noise=0.03, turns=1.5, seed=1, n_train=307):
    return spirals(n_train=n_train, n_test=101, noise=noise, turns=turns, seed=seed)


def xor_of(noise=0.05, seed=1, n_train=307):
    return xor(n_train=n_train, n_test=101, noise=noise, seed=seed)


def linear_of(margin=0.3, seed=1, n_train=307):
    return linear(n_train=n_train, n_test=101, margin=margin, seed=seed)


def rings_of(classes=3, seed=1, n_train=307):
    return gaussian_quantiles(n_train=n_train, n_test=101, classes=classes, seed=seed)


OUR_OWN = {spirals: spirals_of, xor: xor_of, linear: linear_of}
DRAWN = [spirals_of, xor_of, linear_of, rings_of]


@pytest.mark.parametrize("dataset", DRAWN)
def test_the_drawn_problems_have_columns_in_float64(dataset):
    data = dataset()
    rows = 3 if dataset is rings_of else 1
    assert [getattr(data, name).shape for name in ARRAYS] == [(2, 307), (rows, 307), (2, 101), (rows, 101)]
    for name in ARRAYS:
        assert getattr(data, name).dtype == np.float64
        assert getattr(data, name).flags.c_contiguous
        assert set(np.unique(getattr(data, name))) == {0.0, 1.0} or name.startswith("X")


@pytest.mark.parametrize("dataset", DRAWN)
def test_the_drawn_problems_are_their_seeds(dataset):
    first = dataset(seed=5)
    np.random.rand()  # the global stream must not matter
    again, other = dataset(seed=5), dataset(seed=7)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert not np.intersect1d(first.X_train, other.X_train).size
    assert not np.intersect1d(first.X_train, first.X_test).size


@pytest.mark.parametrize("dataset", [*DATASETS, *DRAWN])
def test_no_part_of_one_seed_is_part_of_another(dataset):
    seeds = (0, 1, 2, 3, 2**32 - 1)
    made = [dataset(seed=seed, **({"n_train": 53, "n_test": 53, "noise": 0.1} if dataset in DATASETS else {}))
            for seed in seeds]  # fmt: skip
    parts = np.concatenate([np.unique(X) for data in made for X in (data.X_train, data.X_test)])
    assert len(np.unique(parts)) == len(parts)


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("dataset", [*DATASETS, *DRAWN])
def test_no_weight_of_any_seed_is_one_of_the_datas_draws(dataset, seed):
    # Of circles, moons and blobs the noise is what is drawn.
    weights = np.sort(
        np.concatenate([np.random.RandomState(run).standard_normal(20011) for run in (seed, 1, 2)])
    )
    make = {"n_train": 300, "n_test": 100, "seed": seed}
    if dataset in DATASETS:
        noisy, plain = dataset(noise=1.0, **make), dataset(noise=0.0, **make)
        drawn_ = [noisy.X_train - plain.X_train, noisy.X_test - plain.X_test]
    else:
        drawn_ = [dataset(seed=seed).X_train, dataset(seed=seed).X_test]
    for X in drawn_:
        near = weights[np.searchsorted(weights, X.ravel()).clip(1, len(weights) - 1)[:, None] - [0, 1]]
        assert np.abs(near - X.reshape(-1, 1)).min() > 1e-13


def test_the_lessons_seed_draws_what_it_drew():
    for make, theirs in ((circles, make_circles), (moons, make_moons)):
        data = make(n_train=101, n_test=53, noise=0.05, seed=1)
        for X, m, seed in ((data.X_train, 101, 1), (data.X_test, 53, 2)):
            np.testing.assert_array_equal(X, theirs(m, noise=0.05, random_state=seed)[0].T)


@pytest.mark.parametrize("function", OUR_OWN)
def test_our_own_problems_are_binary_and_name_themselves(function):
    data = OUR_OWN[function]()
    assert data.task == "binary"
    assert data.source == f"initlab.datasets.{function.__name__}"


@pytest.mark.parametrize("function", [spirals, linear])
def test_the_two_classes_of_the_arms_and_of_the_sides_are_balanced_and_shuffled(function):
    labels = OUR_OWN[function]().Y_train[0]
    assert labels.sum() == 153
    changes = np.sum(labels[1:] != labels[:-1])
    assert 120 < changes < 190  # 153 expected, with a standard deviation below 9


@pytest.mark.parametrize("turns", [0.7, 2.3])
def test_without_noise_the_spirals_lie_on_two_archimedean_arms(turns):
    data = spirals_of(noise=0, turns=turns)
    point = data.X_train[0] + 1j * data.X_train[1]
    radius = np.abs(point)
    arm = np.where(data.Y_train[0] == 1, -1, 1)
    np.testing.assert_allclose(point, arm * radius * np.exp(2j * np.pi * turns * radius), rtol=0, atol=1e-13)
    assert radius.max() <= 1


def test_the_spirals_are_as_dense_outside_as_inside():
    radius = np.hypot(*spirals_of(noise=0, n_train=10007).X_train)
    np.testing.assert_allclose(np.quantile(radius**2, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.02)


@pytest.mark.parametrize("dataset", [spirals_of, xor_of])
def test_noise_moves_the_same_points_by_a_gaussian(dataset):
    still, moved, further = (dataset(noise=noise, n_train=5003) for noise in (0, 0.1, 0.2))
    step = moved.X_train - still.X_train
    assert step.std() == pytest.approx(0.1, rel=0.03)
    assert abs(step.mean()) < 0.005
    np.testing.assert_allclose(further.X_train - still.X_train, 2 * step, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(moved.Y_train, still.Y_train)


def test_xor_is_told_by_the_product_of_the_features_and_by_no_line():
    data = xor_of(noise=0, n_train=5003)
    np.testing.assert_array_equal(data.Y_train[0] == 1, np.prod(np.sign(data.X_train), axis=0) == -1)
    line = LogisticRegression().fit(data.X_train.T, data.Y_train[0])
    assert line.score(data.X_train.T, data.Y_train[0]) < 0.54
    assert data.Y_train.mean() == pytest.approx(0.5, abs=0.03)


def test_xor_fills_its_square_evenly():
    X = xor_of(noise=0, n_train=10007).X_train
    cells, _, _ = np.histogram2d(*X, bins=4, range=[[-1, 1], [-1, 1]])
    assert cells.sum() == 10007
    assert np.abs(cells - 10007 / 16).max() < 110  # 4.5 standard deviations


def test_a_line_parts_the_linear_problem_by_the_margin():
    data = linear_of(margin=0.3, n_train=5003)
    side = 2 * data.Y_train[0] - 1
    distance = side * data.X_train.sum(axis=0) / np.sqrt(2)
    assert 0.3 * (1 - 1e-12) <= distance.min() < 0.302
    # Beyond the margin it is the half normal law, of mean √(2/π); along the line the normal one.
    assert distance.mean() == pytest.approx(0.3 + np.sqrt(2 / np.pi), abs=0.03)
    along = (data.X_train[1] - data.X_train[0]) / np.sqrt(2)
    assert [along.mean(), along.std()] == pytest.approx([0, 1], abs=0.04)


def test_logistic_regression_solves_the_linear_problem_and_its_test_part():
    data = linear_of()
    line = LogisticRegression(C=1e4).fit(data.X_train.T, data.Y_train[0])
    assert line.score(data.X_train.T, data.Y_train[0]) == 1
    assert line.score(data.X_test.T, data.Y_test[0]) == 1


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_gaussian_quantiles_are_scikit_learns(classes):
    data = rings_of(classes, seed=7)
    for part, m, purpose in (("train", 307, 4), ("test", 101, 8)):
        rng = np.random.RandomState([7, purpose])
        X, y = make_gaussian_quantiles(n_samples=m, n_classes=classes, random_state=rng)
        Y = getattr(data, f"Y_{part}")
        np.testing.assert_array_equal(getattr(data, f"X_{part}"), X.T)
        np.testing.assert_array_equal(Y[0] if classes == 2 else Y.argmax(axis=0), y)
        assert Y.shape == (1 if classes == 2 else classes, m)
        assert classes == 2 or (Y.sum(axis=0) == 1).all()
    assert data.task == ("binary" if classes == 2 else "classes")
    assert data.source == "sklearn.datasets.make_gaussian_quantiles"


@pytest.mark.parametrize("dataset", [*DATASETS, *DRAWN])
def test_fewer_examples_than_classes_are_refused_by_name(dataset):
    least = 3 if dataset is rings_of else 2
    some = {"noise": 0.1, "seed": 1} if dataset in DATASETS else {}
    if dataset in DATASETS:
        made = dataset(n_train=2, n_test=2, **some)
        assert made.X_train.shape == made.X_test.shape == (2, 2)
        with pytest.raises(ValueError, match=r"^n_test=1: must be at least 2, one example of each class$"):
            dataset(n_train=2, n_test=1, **some)
    with pytest.raises(
        ValueError, match=rf"^n_train=1: must be at least {least}, one example of each class$"
    ):
        dataset(n_train=1, **({"n_test": 7, **some} if some else {}))


def test_more_classes_than_examples_are_refused_by_name():
    with pytest.raises(ValueError, match=r"^n_train=307: must be at least 1000, one example of each class$"):
        rings_of(classes=1000)
    with pytest.raises(ValueError, match=r"^n_test=101: must be at least 103, one example of each class$"):
        rings_of(classes=103)


def test_examples_of_one_class_only_are_no_problem_to_train_on():
    signs = {seed: np.sign(np.random.RandomState([seed, 4]).uniform(-1, 1, (2, 2))) for seed in range(7)}
    classes = {seed: np.unique(np.prod(both, axis=0)) for seed, both in signs.items()}
    assert {len(found) for found in classes.values()} == {1, 2}
    for seed, found in classes.items():
        if len(found) == 2:
            assert set(xor_of(noise=0, seed=seed, n_train=2).Y_train[0]) == {0, 1}
        else:
            with pytest.raises(ValueError, match=f"^seed={seed}: draws one class only to train on"):
                xor_of(noise=0, seed=seed, n_train=2)


REAL = {
    digits: (sklearns.load_digits, 64, 10, 1797),
    breast_cancer: (sklearns.load_breast_cancer, 30, 2, 569),
    wine: (sklearns.load_wine, 13, 3, 178),
    diabetes: (sklearns.load_diabetes, 10, 0, 442),
}
CLASSIFIED = [digits, breast_cancer, wine]


def labels_of(Y):
    return Y[0] if len(Y) == 1 else Y.argmax(axis=0)


@pytest.mark.parametrize("function", REAL)
def test_the_real_ones_have_their_sizes_names_and_source(function):
    load, n_x, classes, m = REAL[function]
    data = function(test_share=0.25, seed=1)
    rows = classes if classes > 2 else 1
    m_test = data.X_test.shape[1]
    assert abs(m_test - m / 4) <= max(classes, 1) / 2
    shapes = [(n_x, m - m_test), (rows, m - m_test), (n_x, m_test), (rows, m_test)]
    assert [getattr(data, name).shape for name in ARRAYS] == shapes
    assert all(getattr(data, name).dtype == np.float64 for name in ARRAYS)
    assert all(getattr(data, name).flags.c_contiguous for name in ARRAYS)
    assert data.task == {0: "regression", 2: "binary"}.get(classes, "classes")
    assert len(data.features) == n_x
    assert len(data.classes) == classes
    assert data.source == f"sklearn.datasets.{load.__name__}"


@pytest.mark.parametrize("function", REAL)
def test_the_features_are_standardised_by_the_training_part(function):
    load, _, classes, m = REAL[function]
    data = function(test_share=0.3, seed=5)
    loaded = load()
    groups = loaded.target if classes else np.zeros(m, int)
    train, _, test = split(groups, 0.3, 5)
    scaler = StandardScaler().fit(loaded.data[train])
    varying = np.ptp(loaded.data[train], axis=0) > 0
    np.testing.assert_allclose(data.X_train.T, scaler.transform(loaded.data[train]), rtol=0, atol=1e-11)
    np.testing.assert_allclose(
        data.X_test[varying].T, scaler.transform(loaded.data[test])[:, varying], rtol=0, atol=1e-11
    )
    np.testing.assert_allclose(data.X_train.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(data.X_train.std(axis=1), varying, atol=1e-12)
    assert not data.X_test[~varying].any()
    assert varying.sum() < 64  # the digits' corner pixels are always 0
    if classes:
        np.testing.assert_array_equal(labels_of(data.Y_train), loaded.target[train])
        np.testing.assert_array_equal(labels_of(data.Y_test), loaded.target[test])


def test_the_regression_target_is_standardised_by_the_training_part():
    data = diabetes(test_share=0.25, seed=3)
    target = sklearns.load_diabetes().target
    train, _, test = split(np.zeros(442, int), 0.25, 3)
    mean, std = target[train].mean(), target[train].std()
    np.testing.assert_allclose(data.Y_train[0] * std + mean, target[train], rtol=1e-13)
    np.testing.assert_allclose(data.Y_test[0] * std + mean, target[test], rtol=1e-13)


@pytest.mark.parametrize("function", CLASSIFIED)
@pytest.mark.parametrize("share", [0.1, 0.25, 0.7])
def test_each_class_gives_the_test_part_its_share(function, share):
    data = function(test_share=share, seed=2)
    kept, held_out = (np.bincount(labels_of(Y).astype(int)) for Y in (data.Y_train, data.Y_test))
    np.testing.assert_array_equal(kept + held_out, np.bincount(REAL[function][0]().target))
    assert np.abs(held_out - share * (kept + held_out)).max() <= 0.5


@pytest.mark.parametrize("function", [digits, wine])
def test_one_hot_columns_sum_to_1(function):
    data = function(test_share=0.25, seed=1)
    for Y in (data.Y_train, data.Y_test):
        assert set(np.unique(Y)) == {0.0, 1.0}
        assert (Y.sum(axis=0) == 1).all()


@pytest.mark.parametrize("function", REAL)
def test_the_same_seed_gives_the_same_split_and_another_another(function):
    first, again, other = (function(test_share=0.25, seed=seed) for seed in (1, 1, 2))
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.X_test, other.X_test)


def test_the_names_of_the_classes_are_in_the_labels_order():
    data = breast_cancer(test_share=0.25, seed=1)
    assert data.classes == ("malignant", "benign")
    assert data.Y_train.mean() == pytest.approx(357 / 569, abs=0.002)  # more are benign
    assert digits(test_share=0.25, seed=1).classes == tuple("0123456789")


def test_a_split_has_every_example_once_and_no_order():
    groups = np.repeat([0, 1, 2], [61, 31, 2])
    train, _, test = split(groups, 0.25, 1)
    assert sorted([*train, *test]) == list(range(94))
    assert np.bincount(groups[test]).tolist() == [15, 8, 1]
    for part in (train, test):
        assert (np.diff(part) < 0).any()
        assert (np.diff(groups[part]) < 0).any()


@pytest.mark.parametrize("share", [1e-9, 1 - 1e-9])
def test_every_class_is_in_both_parts_whatever_the_share(share):
    groups = np.repeat([0, 1], [2, 53])
    train, _, test = split(groups, share, 1)
    for part in (train, test):
        assert set(groups[part]) == {0, 1}


@pytest.mark.parametrize("scale", [1e-300, 0.1, 1e300])
def test_a_feature_of_any_scale_is_standardised_and_a_constant_one_is_0(scale):
    rows = scale * np.array([[3.0, 5, 7, 2], [0.1, 0.1, 0.1, 7]])
    expected = (np.array([3, 5, 7, 2]) - 5) / np.sqrt(8 / 3)
    found = standardised(rows, np.arange(3))
    np.testing.assert_allclose(found, [expected, np.zeros(4)], rtol=1e-14, atol=1e-15)


def test_a_dataset_that_says_nothing_of_its_task_is_binary_and_nameless():
    empty = np.zeros((1, 0))
    data = Dataset(empty, empty, empty, empty, "nowhere")
    assert (data.task, data.classes, data.features) == ("binary", (), ())


PAIR, ROW = np.zeros((2, 13)), np.zeros((1, 13))
OWN = {"X_train": PAIR, "Y_train": ROW, "X_test": PAIR, "Y_test": ROW, "source": "mine"}
THREE, SCALE = ("a", "b", "c"), (0.0, 1.0)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({"features": THREE}, "features: has 3 items; it must have 2, one for each row of X_train, or none"),
        ({"features": ("a",)}, "features: has 1 item; it must have 2, one for each row of X_train, or none"),
        ({"features": "ab"}, "features: is a str; it must be a tuple"),
        ({"scales": (SCALE,) * 3}, "scales: has 3 items; it must have 2, one for each row of X_train"),
        ({"scales": SCALE}, r"scales: has 0.0; each must be a mean and a standard .* such as \(0.0, 1.0\)"),
        ({"scales": (SCALE, (0.0, -1.0))}, r"scales: has \(0.0, -1.0\); each must be"),
        ({"scales": (SCALE, (np.nan, 1.0))}, r"scales: has \(nan, 1.0\); each must be"),
        ({"scales": (SCALE, ("0", "1"))}, r"scales: has \('0', '1'\); each must be"),
        (
            {"task": "regression", "target_scales": (SCALE,) * 2},
            "target_scales: has 2 items; it must have 1, one for each row of Y_train, or none",
        ),
        ({"classes": THREE}, "classes: has 3 items; it must have 2, one for each class, or none"),
        ({"task": "multi"}, "task=multi: must be one of binary, classes, regression"),
        ({"task": "classes"}, "Y_train: has 1 row; task=classes has a row for each of at least 3 classes"),
        ({"Y_train": PAIR, "Y_test": PAIR}, "Y_train: has 2 rows; task=binary has 1 row, of 0 and 1"),
        ({"X_test": ROW}, "X_test: has 1 row; it must have 2, as X_train has"),
        ({"Y_test": ROW[:, 1:]}, "Y_test: has 12 columns; it must have 13, one for each example, as X_test"),
        ({"Y_train": ROW[0]}, r"Y_train: has the shape \(13,\); it must have rows, and a column per example"),
        ({"X_train": PAIR.tolist()}, "X_train: is a list; it must be a NumPy array"),
        ({"X_validation": PAIR}, "X_validation, Y_validation: one of them is None; give both, or none"),
        ({"X_validation": ROW, "Y_validation": ROW}, "X_validation: has 1 row; it must have 2, as X_train"),
    ],
)
def test_a_dataset_whose_parts_do_not_agree_says_so_in_one_line(what, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Dataset(**OWN | what)


def test_a_dataset_may_name_and_scale_all_its_rows():
    about = {"features": ["a", "b"], "scales": ((np.float32(7), 0), SCALE), "classes": ("no", "yes")}
    assert Dataset(**OWN | about, X_validation=PAIR, Y_validation=ROW).features == ["a", "b"]


def test_a_config_whose_dataset_does_not_agree_names_the_group(config, tmp_path, monkeypatch):
    (tmp_path / "own_data.py").write_text(
        "import numpy as np\n"
        "from initlab.datasets import Dataset\n"
        "def arrays(): return np.zeros((2, 13)), np.zeros((1, 13))\n"
        "def named(): return Dataset(*arrays(), *arrays(), 'mine', features=('a', 'b', 'c'))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    cfg = config()
    for name, message in (
        ("named", "dataset: features: has 3 items; it must have 2, one for each row of X_train, or none"),
        ("arrays", "dataset: arrays returned a tuple; it must be an initlab.datasets.Dataset"),
    ):
        cfg.dataset = {"_target_": f"own_data.{name}", "_partial_": True}
        with trusting(["own_data"]), pytest.raises(ConfigError) as told:
            build(cfg, {})
        assert str(told.value) == message


CONF = Path(datasets.__file__).parents[3] / "conf" / "dataset"


@pytest.mark.parametrize("file", sorted(CONF.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_config_names_its_function_and_its_settings_and_can_be_made(file):
    values = yaml.safe_load(file.read_text())
    if file.stem == "table":
        values |= {"path": "some.csv", "target": "label"}
    made = load_component({"dataset": values}, "dataset", [])
    assert made.func.__name__ == file.stem
    if file.stem != "table":
        assert isinstance(made(), Dataset)


@pytest.mark.parametrize(("name", "setting", "value", "allowed"), [
    ("digits", "test_share", 0, "greater than 0 and less than 1"),
    ("digits", "test_share", 1.0, "greater than 0 and less than 1"),
    ("wine", "test_share", True, "greater than 0 and less than 1"),
    ("gaussian_quantiles", "classes", 1, "a whole number of at least 2"),
    ("linear", "margin", 0, "greater than 0"),
    ("spirals", "turns", 0, "greater than 0"),
    ("table", "task", "guess", "null, classification or regression"),
    ("table", "target", 3, "a non-empty text"),
    ("table", "path", "", "a non-empty text"),
])  # fmt: skip
def test_a_setting_that_cannot_be_is_refused_with_what_may_be(name, setting, value, allowed):
    values = yaml.safe_load((CONF / f"{name}.yaml").read_text()) | {setting: value}
    with pytest.raises(ConfigError, match=rf"^dataset\.{setting}=.*: must be .*{allowed}"):
        load_component({"dataset": values}, "dataset", [])
