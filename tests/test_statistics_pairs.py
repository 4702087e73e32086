import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar

from initlab.statistics.differences import differences, paired_values, variance_factor
from initlab.statistics.improvement import improvement, lead_variance
from initlab.statistics.intervals import share_interval
from initlab.statistics.pairs import compare_pairs, verdict_on
from initlab.statistics.sequence import median_sequence
from initlab.statistics.signed_ranks import holm, signed_rank_p

INF = math.inf


def array(*values):
    return np.array(values, dtype=float)


def by_seed(values):
    return dict(enumerate(values))


def shifted(gap, n, seed=0):
    """Returns two entrants of which the first is better by ``gap`` on each seed, give or take 10 %."""
    rng = np.random.default_rng(seed)
    base = rng.normal(size=n)
    return {"he": by_seed(base + gap * rng.uniform(0.9, 1.1, n)), "zeros": by_seed(base)}


def test_the_room_is_there_before_scipys_tests_are_loaded():
    rooms = "choosing, differences, forecast, improvement, intervals, pairs, ranks, sequence, specification"
    code = (
        f"import sys; from initlab.statistics import {rooms}; print([m for m in sys.modules if 'scipy' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# Differences


def test_only_seeds_that_both_have_are_compared():
    first, second = paired_values({3: 30.0, 1: 10.0, 2: 20.0}, {1: 1.0, 4: 4.0, 3: 3.0})
    assert first.tolist() == [10, 30]
    assert second.tolist() == [1, 3]


def test_a_difference_has_no_rounding_errors():
    assert 0.95 - 0.94 > 0.01
    assert differences(array(0.95, 0.5, 1e6 + 0.3), array(0.94, 0.5, 1e6)).tolist() == [0.01, 0, 0.3]
    assert differences(array(0.9, 0.8), array(0.8, 0.7)).tolist() == [0.1, 0.1]


def test_a_small_difference_beside_a_large_one_is_kept():
    assert differences(array(-1e30, 1e-9), array(1e30, -2e-9)).tolist() == pytest.approx([-2e30, 3e-9])


def test_runs_that_both_diverged_are_tied():
    found = differences(array(-INF, -INF, 1), array(-INF, 1, -INF))
    assert found.tolist() == [0, -INF, INF]


def test_the_variance_factor_of_a_shared_part():
    shared, a, b = np.random.default_rng(0).normal(size=(3, 200_000))
    assert variance_factor(3**0.5 * shared + a, 3**0.5 * shared + b) == pytest.approx(4, rel=0.02)
    assert variance_factor(a, b) == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(
    ("first", "second"), [([1, 2], [2, 1]), ([1, 2, 3], [2, 3, 4]), ([1, 2, -INF, 3], [4, 3, 2, 1])]
)
def test_no_variance_factor_where_it_is_not_defined(first, second):
    assert variance_factor(array(*first), array(*second)) is None


# Probability of improvement


@pytest.mark.parametrize(("wins", "losses"), [(5, 3), (0, 6), (9, 0), (1, 1)])
def test_without_ties_the_interval_of_improvement_is_wilsons(wins, losses):
    found = improvement(np.repeat([1.0, -1.0], [wins, losses]))
    assert found.probability == wins / (wins + losses)
    assert found[1:] == pytest.approx(share_interval(wins, wins + losses), abs=1e-7)


@pytest.mark.parametrize(("wins", "losses", "ties"), [(5, 2, 4), (4, 0, 3), (0, 7, 6), (11, 12, 30)])
def test_with_ties_its_ends_are_where_the_score_test_rejects(wins, losses, ties):
    n = wins + losses + ties
    found = improvement(np.repeat([2.0, -3.0, 0.0], [wins, losses, ties]))
    assert found.probability == pytest.approx((wins + ties / 2) / n)
    for end in found[1:]:
        lead = 2 * end - 1

        def unlikelihood(loss, lead=lead):
            shares = np.array([loss + lead, loss, 1 - 2 * loss - lead]).clip(1e-300)
            return -np.dot([wins, losses, ties], np.log(shares))

        bounds = (max(0, -lead), (1 - lead) / 2)
        best = minimize_scalar(unlikelihood, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        variance = 2 * best + lead - lead**2
        assert lead_variance(lead, wins, losses, n) == pytest.approx(variance, abs=1e-5)
        assert abs(wins - losses - n * lead) / math.sqrt(n * variance) == pytest.approx(1.96, abs=1e-3)


def test_improvement_is_the_mirror_image_for_the_other_one():
    given = array(1, 2, -1, 0, 0, 3)
    there, back = improvement(given), improvement(-given)
    assert (1 - back.probability, 1 - back.high, 1 - back.low) == pytest.approx(there)


def test_improvement_where_everything_or_nothing_is_known():
    assert improvement(array()) is None
    assert improvement(array(1, INF, 2)).high == 1
    tied = improvement(np.zeros(10))
    assert tied == pytest.approx((0.5, 0.5 - 0.5 * 3.8415 / 13.8415, 0.5 + 0.5 * 3.8415 / 13.8415), abs=1e-4)


# Wilcoxon and Holm


def sign_flips(found):
    """Returns the two-sided p-value of the signed ranks, zeros ranked and without a sign, over all signs."""
    ranks = stats.rankdata(np.abs(found))
    signed = ranks[found != 0]
    seen = abs(np.sum(np.sign(found) * ranks))
    sums = [abs(np.dot(signs, signed)) for signs in itertools.product([1, -1], repeat=len(signed))]
    return np.mean(np.array(sums) >= seen - 1e-9)


@pytest.mark.parametrize(
    "found",
    [
        [0.3, -0.1, 0.7, 1.9, -0.2, 2.2],
        [1, 1, 1, -1, 2, 2, -3],
        [0, 0, 1, -2, 3, 3, 4, 5],
        [INF, INF, -1, 2, 0, 3, -INF],
        [INF] * 7,
    ],
)
def test_wilcoxons_p_is_that_of_all_signs(found):
    assert signed_rank_p(array(*found)) == pytest.approx(sign_flips(array(*found)), abs=1e-9)


def test_with_more_ties_it_is_that_of_all_signs_too():
    found = np.random.default_rng(2).choice([-2, -1, 0, 1, 2, 3, 4], 18).astype(float)
    assert signed_rank_p(found) == pytest.approx(sign_flips(found), abs=1e-9)


def test_without_ties_it_is_scipys_exact_one():
    found = np.random.default_rng(3).normal(0.3, 1, 50)
    assert signed_rank_p(found) == pytest.approx(stats.wilcoxon(found, method="exact").pvalue, rel=1e-9)


def test_of_more_seeds_than_fifty_it_is_near_the_one_of_fifty():
    found = np.tile([1.0, 2, 3, -1, -2], 10)
    assert signed_rank_p(np.append(found, 0)) == pytest.approx(signed_rank_p(found), abs=0.005)


def test_equal_starts_have_a_p_value_of_one_and_no_seeds_none():
    assert signed_rank_p(np.zeros(5)) == 1
    assert signed_rank_p(array()) is None


def test_holms_correction():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


# Verdicts


@pytest.mark.parametrize(
    ("interval", "within", "verdict"),
    [
        ((0.1, 0.3), 0.05, "better"),
        ((-0.3, -0.1), 0.05, "worse"),
        ((-0.1, 0.1), 0.05, "undecided"),
        ((-0.04, 0.03), 0.05, "practically equal"),
        ((0.01, 0.03), 0.05, "practically equal"),
        ((-0.05, 0.05), 0.05, "practically equal"),
        ((0.01, 0.06), 0.05, "better"),
        ((0.0, 0.06), 0.05, "undecided"),
        ((0.0, 0.0), 0.0, "practically equal"),
        ((INF, INF), 0.05, "better"),
        ((-INF, INF), 0.05, "undecided"),
    ],
)
def test_the_verdict_on_an_interval(interval, within, verdict):
    assert verdict_on(interval, within) == verdict


def test_a_start_that_is_better_on_every_seed_is_better_from_the_seventh_on():
    for n, verdict in ((6, "undecided"), (7, "better"), (20, "better")):
        [pair] = compare_pairs(shifted(1.0, n), equal_within=0.01)
        assert (pair.first, pair.second, pair.n, pair.verdict) == ("he", "zeros", n, verdict)
        assert pair.median_difference == pytest.approx(1, abs=0.1)
        assert pair.improvement.probability == 1
        assert pair.wilcoxon_p == pytest.approx(2 * 0.5**n if n < 14 else 0, abs=1e-4)
    assert pair.variance_factor > 100
    assert pair.interval[0] > 0.9


def test_the_other_way_round_it_is_worse():
    values = shifted(1.0, 9)
    [pair] = compare_pairs(dict(reversed(values.items())), equal_within=0.01)
    assert pair.verdict == "worse"
    assert pair.median_difference < 0


def test_a_real_difference_that_does_not_matter_is_practical_equality():
    [pair] = compare_pairs(shifted(0.01, 20), equal_within=0.05)
    assert pair.interval[0] > 0
    assert pair.verdict == "practically equal"
    assert pair.more_seeds is None


def test_accuracies_that_differ_by_just_the_limit_are_practically_equal():
    [pair] = compare_pairs({"a": by_seed([0.95] * 8), "b": by_seed([0.94] * 8)}, equal_within=0.01)
    assert pair.verdict == "practically equal"


def test_each_pair_has_its_share_of_alpha():
    values = shifted(1.0, 8)
    [alone] = compare_pairs(values, equal_within=0)
    among, *_ = compare_pairs({**values, "random": by_seed(np.zeros(8))}, equal_within=0)
    assert (alone.verdict, among.verdict) == ("better", "undecided")
    assert among.more_seeds == 1
    assert among.interval == median_sequence(np.zeros(8), 0.05 / 3) == (-INF, INF)


def test_all_pairs_are_there_in_order_and_their_p_values_are_corrected_together():
    rng = np.random.default_rng(5)
    values = {name: by_seed(rng.normal(shift, 1, 15)) for name, shift in (("a", 0), ("b", 1), ("c", 3))}
    pairs = compare_pairs(values, equal_within=0)
    assert [pair[:2] for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    raw = [stats.wilcoxon(*paired_values(values[a], values[b])).pvalue for a, b in [p[:2] for p in pairs]]
    assert [pair.wilcoxon_p for pair in pairs] == pytest.approx(holm(raw))
    assert raw != pytest.approx(holm(raw))


def test_a_start_that_always_diverged_is_worse_and_two_such_are_equal():
    good, bad = by_seed(range(12)), by_seed([-INF] * 12)
    better, also, equal = compare_pairs({"he": good, "large": bad, "huge": bad}, equal_within=0.01)
    assert better.verdict == also.verdict == "better"
    assert better.median_difference == INF
    assert better.variance_factor is None
    assert equal.verdict == "practically equal"
    assert equal.wilcoxon_p == 1


def test_one_seed_decides_nothing_and_forecasts_nothing():
    [pair] = compare_pairs({"a": {3: 1.0}, "b": {3: 0.0}}, equal_within=0)
    assert (pair.n, pair.verdict, pair.more_seeds) == (1, "undecided", None)
    assert pair.median_difference == 1
    assert pair.wilcoxon_p == 1


def test_entrants_without_a_common_seed_are_a_pair_of_which_nothing_is_known():
    values = {"a": {1: 1.0}, "b": {2: 1.0}, "c": {1: 0.0}}
    ab, ac, _ = compare_pairs(values, equal_within=0)
    assert ab == ("a", "b", 0, None, (-INF, INF), None, None, None, "undecided", None)
    assert ac.wilcoxon_p == 1


def test_fewer_than_two_entrants_make_no_pair():
    assert compare_pairs({"a": {1: 1.0}}, equal_within=0) == []
    assert compare_pairs({}, equal_within=0) == []


@pytest.mark.parametrize(
    ("values", "within", "alpha", "message"),
    [
        ({"he": {3: math.nan}}, 0.0, 0.05, "he, seed 3: nan is no value; a diverged run counts as -inf"),
        ({}, -0.1, 0.05, "equal_within=-0.1: must be 0 or a positive number"),
        ({}, math.nan, 0.05, "equal_within=nan: must be 0 or a positive number"),
        ({}, 0.0, 1.5, "alpha=1.5: must be between 0 and 1"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(values, within, alpha, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        compare_pairs(values, within, alpha)
