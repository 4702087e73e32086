import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_circles, make_moons

from initlab.datasets import blobs, circles, moons

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
def test_the_data_are_scikit_learns_with_seed_and_the_next_seed(dataset):
    data = drawn(dataset, seed=7, n_train=101, n_test=53)
    for part, (m, seed) in {"train": (101, 7), "test": (53, 8)}.items():
        X, y = MAKERS[dataset](m, seed)
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


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_test_part_of_the_largest_seed_is_drawn_with_seed_0(dataset):
    data = drawn(dataset, seed=2**32 - 1)
    np.testing.assert_array_equal(data.X_test, MAKERS[dataset](100, 0)[0].T)


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
