"""Short versions of `make proof`: the statistics hold what they say where the truth is known."""

import numpy as np
import pytest

from benchmarks.proof import (
    CENTERED,
    FORECASTS,
    bootstrap_coverage,
    family_misses,
    forecast_beside_truth,
    improvement_coverage,
    median_coverage,
    misses,
    power,
    wilcoxon_alarms,
)
from initlab.statistics.pairs import verdict_on
from initlab.statistics.sequence import median_sequence


@pytest.mark.parametrize("name", ["normal", "heavy tails (Cauchy)", "skewed (log-normal)"])
@pytest.mark.parametrize("n", [6, 7, 11, 24])
def test_the_interval_of_a_median_covers_95_percent_from_six_seeds_on(n, name):
    assert 0.935 < median_coverage(CENTERED[name], n, repeats=4000) < 0.965  # error of one: 0.0034


def test_the_percentile_bootstrap_does_not():
    assert bootstrap_coverage(CENTERED["normal"], 7, repeats=1000) < 0.9


@pytest.mark.parametrize("name", ["six in ten are ties", "one in five diverged"])
def test_ties_and_infinite_values_do_not_lower_it(name):
    assert median_coverage(CENTERED[name], 12, repeats=4000) > 0.935


@pytest.mark.parametrize("ties", [0.0, 0.2, 0.5])
def test_the_interval_of_improvement_covers_95_percent(ties):
    truths = np.linspace(0.1, 0.9, 81)
    wins = truths - ties / 2
    wins = wins[(wins >= 0) & (wins <= 1 - ties)]
    few, more, many = (improvement_coverage(n, wins, ties) for n in (15, 50, 90))
    assert 0.945 < few.mean() < 0.965
    assert few.min() > 0.91
    assert more.min() > 0.93
    assert more.max() < 0.975
    assert many.min() > 0.93
    assert many.max() < 0.97


@pytest.mark.parametrize("name", CENTERED)
def test_looking_after_every_seed_raises_fewer_false_alarms_than_it_may(name):
    differences = CENTERED[name](np.random.default_rng(1), (6000, 200))
    assert misses(differences, 0.05).mean() < 0.05


def test_a_usual_test_could_not_bear_that():
    differences = CENTERED["normal"](np.random.default_rng(1), (300, 100))
    assert wilcoxon_alarms(differences) > 0.2
    assert misses(differences, 0.05).mean() < 0.06


def test_the_simulation_looks_at_the_interval_that_the_verdict_uses():
    draw = CENTERED["six in ten are ties"]
    for one in draw(np.random.default_rng(2), (40, 30)) + np.random.default_rng(3).choice(
        [0.0, 1.0], (40, 1)
    ):
        looks = [verdict_on(median_sequence(one[:n], 0.05), 0.0) in ("better", "worse") for n in range(2, 31)]
        assert misses(one, 0.05) == any(looks)


def test_several_pairs_together_are_within_the_same_five_percent():
    assert family_misses(starts=4, seeds=200, repeats=2000) < 0.05


@pytest.mark.parametrize(("effect", "n"), [(1.0, 8), (1.0, 16), (0.5, 32)])
def test_pairing_finds_more_than_the_unpaired_test(effect, n):
    found = power(effect, n, repeats=2000)
    assert found["by n"] > found["mann-whitney"] + 0.05
    assert found["wilcoxon"] > found["mann-whitney"] + 0.2


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("normal, median 0.5", 20),
        ("heavy tails (t, 2 degrees), median 0.5", 30),
        ("skewed (exponential), median 0.3", 30),
        ("accuracies in steps, one in five tied", 40),
        ("equal: normal, within 0.7", 20),
    ],
)
def test_the_forecast_of_seeds_is_within_a_factor_of_one_and_a_half(name, known):
    draw, within = FORECASTS[name]
    forecast, needed = forecast_beside_truth(draw, within, known, repeats=100, most=800, seed=2)
    assert needed < 800
    assert needed / 1.5 < forecast < needed * 1.5
