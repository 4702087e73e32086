import math

import numpy as np
import pytest
from scipy.integrate import quad

from initlab.statistics import sequence
from initlab.statistics.sequence import excluded, fewest_seeds, log_capital, median_sequence

ALPHA = 0.05
INF = math.inf


def alive(p, alpha, n):
    """Returns the exact probability that 0 has not been excluded after 0, 1, …, n seeds, if each difference
    is positive with probability p and else negative: a walk that is stopped at the boundary.
    """
    cuts = excluded(np.arange(n + 1), alpha)
    mass, found = np.zeros(n + 2), [1.0]
    mass[0] = 1
    for step in range(1, n + 1):
        mass[1:] = mass[1:] * (1 - p) + mass[:-1] * p
        mass[0] *= 1 - p
        if cuts[step] >= 0:
            mass[: cuts[step] + 1] = 0
            mass[step - cuts[step] :] = 0
        found.append(mass.sum())
    return np.array(found)


@pytest.mark.parametrize(("above", "n"), [(0, 0), (7, 7), (3, 7), (0, 7), (19, 23), (150, 211)])
def test_the_capital_is_the_bets_averaged_over_the_density(above, n):
    def bet(p):
        return 24 / 7 * p**2 * (2 * p) ** above * (2 * (1 - p)) ** (n - above)

    assert math.exp(log_capital(above, n)) == pytest.approx(quad(bet, 0.5, 1, epsrel=1e-12)[0], rel=1e-9)


@pytest.mark.parametrize("n", [0, 1, 7, 101, 1009])
def test_a_fair_coin_leaves_the_capital_as_it_is_on_average(n):
    above = np.arange(n // 3, n + 1)
    after = np.logaddexp(log_capital(above, n + 1), log_capital(above + 1, n + 1)) - math.log(2)
    assert after == pytest.approx(log_capital(above, n), abs=1e-9)


@pytest.mark.parametrize("above", [50_000, 50_500, 51_000, 60_000, 100_000])
def test_the_capital_is_exact_for_a_hundred_thousand_seeds(above):
    n, p = 100_000, np.linspace(0.5, 1, 2_000_001)[1:-1]
    logs = math.log(24 / 7) + 2 * np.log(p) + above * np.log(2 * p) + (n - above) * np.log(2 * (1 - p))
    if above < n:
        oracle = np.logaddexp.reduce(logs) + math.log(p[1] - p[0])
    else:  # ∫ p^(n + 2) dp
        oracle = math.log(24 / 7) + n * math.log(2) - math.log(n + 3)
    assert log_capital(above, n) == pytest.approx(oracle, abs=1e-3)


def test_far_behind_the_capital_is_nothing_and_no_number_breaks():
    assert log_capital(0, 100_000) == -INF
    assert log_capital(np.array([0, 1]), np.array([5000, 5000])) == pytest.approx([-INF, -INF])


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 45, 0.3])
def test_what_is_excluded_is_the_most_that_the_capital_allows(alpha):
    for n in [*range(60), 199, 100_000]:
        enough = log_capital(n - np.arange(n + 1), n) >= math.log(2 / alpha)
        assert excluded(n, alpha) == np.sum(enough) - 1
        assert enough[: np.sum(enough)].all()


@pytest.mark.parametrize(("pairs", "seeds"), [(1, 7), (3, 9), (45, 14)])
def test_so_many_differences_of_one_sign_decide(pairs, seeds):
    alpha = ALPHA / pairs
    assert fewest_seeds(alpha) == seeds
    differences = np.arange(1.0, seeds + 1)
    assert median_sequence(differences, alpha) == (1, seeds)
    assert median_sequence(differences[1:], alpha) == (-INF, INF)


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 3, 0.2])
def test_the_exact_probability_of_ever_missing_is_within_alpha(alpha):
    missed = 1 - alive(0.5, alpha, 600)[-1]
    assert 0.5 * alpha < missed <= alpha


def test_the_seeds_needed_are_those_that_the_module_says():
    [row] = [line for line in sequence.__doc__.splitlines() if "as here" in line]
    said = [int(cell) for cell in row.split("|")[2:-1]]
    shares = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6)
    assert [int(np.argmax(alive(p, ALPHA, 300) <= 0.5)) for p in shares] == said


def test_no_other_bet_could_decide_with_fewer_than_six_seeds():
    assert 2**5 < 2 / ALPHA < 2**6  # who stakes everything on one side doubles it with each seed


def test_the_interval_leaves_out_as_many_at_each_end_in_any_order():
    differences = np.random.default_rng(3).normal(size=23)
    cut = int(excluded(23, ALPHA))
    assert cut == 4
    ordered = np.sort(differences)
    assert median_sequence(differences, ALPHA) == (ordered[4], ordered[18])
    assert median_sequence(differences[::-1], ALPHA) == (ordered[4], ordered[18])


def test_ties_keep_zero_in_the_interval():
    assert median_sequence(np.array([0.0] * 3 + [1.0] * 8), ALPHA)[0] == 0
    assert median_sequence(np.zeros(7), ALPHA) == (0, 0)


def test_infinite_differences_are_the_largest():
    assert median_sequence(np.full(7, INF), ALPHA) == (INF, INF)
    assert median_sequence(np.array([INF] + [1.0] * 11), ALPHA) == (1, 1)


def test_without_a_difference_nothing_is_excluded():
    assert median_sequence(np.array([]), ALPHA) == (-INF, INF)
