import itertools
import math

import numpy as np
import pytest

from initlab.statistics.ranks import (
    critical_difference,
    friedman,
    groups_within,
    rank_entrants,
    rank_p,
    ranks_within,
)

# Demšar 2006, Table 6: AUC of four variants of C4.5 on 14 data sets. On the 13th, voting, the last two are
# both printed as 0.975, but ranked 2 and 3.
AUC = {
    "C4.5": (0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1, 0.940, 0.619, 0.972, 0.957),
    "C4.5+m": (0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1, 0.962, 0.666, 0.981, 0.978),
    "C4.5+cf": (
        0.771,
        0.590,
        0.968,
        0.654,
        0.886,
        0.916,
        0.609,
        0.563,
        0.866,
        1,
        0.965,
        0.614,
        0.9751,
        0.946,
    ),
    "C4.5+m+cf": (
        0.798,
        0.569,
        0.967,
        0.657,
        0.898,
        0.931,
        0.685,
        0.625,
        0.875,
        1,
        0.962,
        0.669,
        0.975,
        0.970,
    ),
}
VALUES = {name: dict(enumerate(values)) for name, values in AUC.items()}
DEMSAR = rank_entrants(VALUES)


def test_demsars_average_ranks():
    assert DEMSAR.settings == 14
    assert list(DEMSAR.average_ranks) == ["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]
    assert list(DEMSAR.average_ranks.values()) == pytest.approx([1.964, 2.000, 2.893, 3.143], abs=5e-4)


def test_demsars_friedman_statistics():
    ranks = ranks_within(np.array(list(AUC.values())))
    ties = [np.unique(column, return_counts=True)[1] for column in ranks.T]
    untied = 1 - sum(np.sum(t**3 - t) for t in ties) / (14 * (4**3 - 4))  # he does not correct for ties
    chi2 = DEMSAR.chi2 * untied
    assert chi2 == pytest.approx(9.28, abs=0.005)
    assert 13 * chi2 / (14 * 3 - chi2) == pytest.approx(3.69, abs=0.005)
    assert DEMSAR.f == pytest.approx(13 * DEMSAR.chi2 / (14 * 3 - DEMSAR.chi2))
    assert 0.01 < DEMSAR.friedman_p < 0.03  # he rejects at 0.05: F(3, 39) needs 2.85


def test_demsars_critical_differences():
    assert DEMSAR.critical_difference == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, alpha=0.10) == pytest.approx(1.12, abs=0.005)
    error = math.sqrt(4 * 5 / (6 * 14))
    for entrants, q in ((3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)):  # his Table 5
        scale = math.sqrt(entrants * (entrants + 1) / (6 * 14))
        assert critical_difference(entrants, 14) / scale == pytest.approx(q, abs=1.1e-3)
    assert critical_difference(4, 14) / error == pytest.approx(2.569, abs=1e-3)


def test_demsars_p_values_against_the_plain_c45():
    for name, p in (("C4.5+m+cf", 0.016), ("C4.5+m", 0.019), ("C4.5+cf", 0.607)):
        found = rank_p(DEMSAR.average_ranks, ("C4.5", name), 14)
        assert found == pytest.approx(p, abs=1.5e-3)  # he computes with rounded z


def test_the_tests_against_the_best_are_corrected_for_all_pairs():
    p = rank_p(DEMSAR.average_ranks, ("C4.5+m+cf", "C4.5"), 14)
    assert list(DEMSAR.against_best) == ["C4.5+m", "C4.5+cf", "C4.5"]
    assert DEMSAR.against_best["C4.5"] == pytest.approx(6 * p)


def test_at_ten_percent_the_groups_are_those_of_demsars_figure_1():
    found = rank_entrants(VALUES, alpha=0.10)
    assert found.alike == [("C4.5+m+cf", "C4.5+m", "C4.5+cf"), ("C4.5+cf", "C4.5")]


def test_all_four_are_alike_since_the_largest_difference_is_below_the_critical_one():
    assert DEMSAR.alike == [("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")]


def test_groups_are_as_large_as_they_can_be_and_none_is_part_of_another():
    ranks = {"e": 5.0, "a": 1.0, "b": 1.5, "d": 3.0, "c": 2.1}
    assert groups_within(ranks, 1.2) == [("a", "b", "c"), ("c", "d")]
    assert groups_within(ranks, 0.1) == []
    assert groups_within(ranks, 9.0) == [("a", "b", "c", "d", "e")]


def test_friedmans_p_value_is_that_of_all_permutations():
    ranks = np.array([[1, 1, 2], [2, 3, 1], [3, 2, 3]], float)
    seen = np.sum(ranks.sum(axis=1) ** 2)
    every = list(itertools.permutations([1, 2, 3]))
    sums = [np.sum(np.sum(chosen, axis=0) ** 2) for chosen in itertools.product(every, repeat=3)]
    assert friedman(ranks)[2] == pytest.approx(np.mean(np.array(sums) >= seen))


def test_two_settings_that_agree_prove_little():
    chi2, f, p = friedman(np.array([[1, 1], [2, 2], [3, 3]], float))
    assert (chi2, f) == (pytest.approx(4), math.inf)
    assert p == pytest.approx(1 / 6)


def test_entrants_that_are_always_tied_do_not_differ():
    found = rank_entrants({name: {1: 0.5, 2: 0.7} for name in "abc"})
    assert (found.chi2, found.friedman_p) == (0, 1)
    assert set(found.average_ranks.values()) == {2}
    assert found.against_best == {"b": 1, "c": 1}


def test_a_diverged_setting_has_the_worst_rank_and_a_setting_that_one_lacks_does_not_count():
    found = rank_entrants(
        {
            "a": {"circles": 0.9, "moons": -math.inf, "digits": 1.0},
            "b": {"moons": 0.4, "circles": 0.8},
            "c": {"circles": 0.7, "moons": 0.3, "digits": 0.5},
        }
    )
    assert found.settings == 2
    assert found.average_ranks == {"b": 1.5, "a": 2, "c": 2.5}


@pytest.mark.parametrize(
    "values",
    [{}, {"a": {1: 1}, "b": {1: 2}}, {"a": {1: 1}, "b": {1: 2}, "c": {1: 3}}, {n: {n: 1} for n in "abc"}],
)
def test_there_is_no_ranking_of_two_entrants_or_in_one_setting(values):
    assert rank_entrants(values) is None
