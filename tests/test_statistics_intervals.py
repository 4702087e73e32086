import math

import numpy as np
import pytest

from initlab.statistics.intervals import median, median_interval, quantile, quartiles, share_interval

INF = math.inf


@pytest.mark.parametrize("n", [1, 2, 5, 8, 13])
def test_quantiles_of_finite_values_are_numpys(n):
    values = np.random.default_rng(n).normal(size=n)
    for share in (0, 0.1, 0.25, 0.5, 0.75, 1):
        assert quantile(values, share) == pytest.approx(np.quantile(values, share), rel=1e-14)
    assert quartiles(values) == pytest.approx(np.quantile(values, [0.25, 0.75]))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([-INF], -INF),
        ([-INF, -INF], -INF),
        ([1, -INF], -INF),
        ([1, -INF, 2], 1),
        ([1, INF, 2, INF], INF),
        ([-INF, INF], 0),
        ([-INF, -INF, INF, INF], 0),
    ],
)
def test_a_median_bears_infinite_values(values, expected):
    assert median(values) == expected


def test_a_quantile_between_opposite_infinities_is_the_nearer_one():
    assert quantile([-INF, INF], 0.25) == -INF
    assert quantile([-INF, INF], 0.75) == INF


def test_a_quantile_of_nothing_is_refused_in_words():
    with pytest.raises(ValueError, match="a quantile needs at least one value; got none"):
        median([])


@pytest.mark.parametrize("n", range(6))
def test_fewer_than_six_values_have_no_interval_of_95_percent(n):
    assert 1 - 2 * 0.5**n < 0.95  # not even from the smallest to the largest
    assert median_interval(np.arange(n)) is None


@pytest.mark.parametrize(
    ("n", "d", "missed"),
    # 2 P(Binomial(n, 1/2) < d), in units of 2^-n
    [(6, 1, 2), (8, 2, 2 * (1 + 8)), (9, 2, 2 * (1 + 9)), (12, 3, 2 * (1 + 12 + 66))],
)
def test_at_the_probability_of_order_statistics_the_interval_is_theirs(n, d, missed):
    values = np.random.default_rng(n).permutation(np.arange(n) ** 3.0)
    interval = median_interval(values, level=1 - missed / 2**n)
    assert interval == pytest.approx(((d - 1) ** 3, (n - d) ** 3))


def test_between_them_the_interval_lies_between_theirs():
    wide, narrow = median_interval(range(8), 1 - 2 / 256), median_interval(range(8), 1 - 18 / 256)
    low, high = median_interval(range(8))
    assert wide == (0, 7)
    assert narrow == (1, 6)
    assert wide[0] < low < narrow[0]
    assert low + high == 7


def test_the_interpolation_is_that_of_the_paper():
    # Hettmansperger & Sheather 1986: n = 10, d = 2 covers 0.9785, d = 3 covers 0.8906
    part = (0.978515625 - 0.95) / (0.978515625 - 0.890625)
    weight = 8 * part / (2 + 6 * part)
    low, high = median_interval(range(10))
    assert (low, high) == pytest.approx((1 + weight, 8 - weight))


def test_an_interval_reaches_to_infinity_only_where_values_do():
    values = [-INF, -INF, 1, 2, 3, 4, 5, 6, 7, 8]
    assert median_interval(values) == (-INF, median_interval(range(-1, 9))[1])
    assert median_interval([-INF, *range(100)])[0] > 0
    assert median_interval([-INF] * 9) == (-INF, -INF)


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (3, 7), (11, 11)])
def test_the_interval_of_a_share_is_wilsons(successes, n):
    z, p = 1.959963984540054, successes / n
    center = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert share_interval(successes, n) == pytest.approx((center - reach, center + reach), abs=1e-9)


def test_no_trial_has_no_interval():
    assert share_interval(0, 0) is None
