import numpy as np
import pytest

from initlab.statistics.forecast import count_kinds, decides, forecast_seeds
from initlab.statistics.pairs import verdict_on
from initlab.statistics.sequence import excluded, median_sequence


def test_the_five_kinds_of_differences():
    found = np.array([-np.inf, -2, -1, -0.5, 0, 0, 0, 0.5, 1, 1, 1.01, np.inf])
    assert count_kinds(found, 1.0).tolist() == [2, 2, 3, 3, 2]
    assert count_kinds(found, 0.0).tolist() == [4, 0, 3, 0, 5]


@pytest.mark.parametrize("within", [0.0, 0.5, 1.0])
def test_the_counts_decide_exactly_where_the_interval_does(within):
    rng = np.random.default_rng(7)
    seen = set()
    for n in range(5, 60):
        found = rng.choice([0, 0.25, 0.5, 0.75, 1, 1.25], n) + rng.choice([-1.5, -0.5, 0.0, 0.2])
        decided = decides(count_kinds(found, within), excluded(n, 0.05))
        verdict = verdict_on(median_sequence(found, 0.05), within)
        assert decided == (verdict != "undecided")
        seen.add(verdict)
    assert len(seen) >= 3


def test_what_is_still_missing_to_the_least_number_is_forecast():
    assert forecast_seeds(np.arange(1.0, 7.0), 0.0, 0.05) == 1
    assert forecast_seeds(np.arange(1.0, 9.0), 0.0, 0.05 / 3) == 1


def test_the_smaller_the_effect_the_more_seeds():
    signs = [np.repeat([1.0, -1.0], [wins, 20 - wins]) for wins in (15, 14, 13, 12)]
    forecasts = [forecast_seeds(found, 0.0, 0.05) for found in signs]
    assert forecasts == sorted(forecasts)
    assert forecasts[0] * 4 < forecasts[-1]


def test_the_wider_the_region_of_equivalence_the_fewer_seeds():
    found = np.random.default_rng(1).normal(size=15)
    forecasts = [forecast_seeds(found, within, 0.05) for within in (1.5, 0.7, 0.4)]
    assert forecasts == sorted(forecasts)


def test_the_side_does_not_matter():
    found = np.repeat([1.0, -1.0], [12, 8])
    there, back = forecast_seeds(found, 0.0, 0.05), forecast_seeds(-found, 0.0, 0.05)
    assert there == pytest.approx(back, rel=0.3)


def test_no_number_is_told_where_none_is_known():
    assert forecast_seeds(np.array([]), 0.0, 0.05) is None
    assert forecast_seeds(np.array([1.0]), 0.0, 0.05) is None
    even = np.tile([1.0, -1.0], 5000)
    assert forecast_seeds(even, 0.0, 0.05) is None
    assert forecast_seeds(even[:400], 0.0, 0.05, most=2000) is None
    assert forecast_seeds(even, 0.0, 0.05, most=10_000) is None


def test_the_same_differences_have_the_same_forecast():
    found = np.random.default_rng(2).normal(0.4, 1, 12)
    assert forecast_seeds(found, 0.0, 0.05) == forecast_seeds(found[::-1], 0.0, 0.05)
