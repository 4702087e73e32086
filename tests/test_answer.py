"""What a sweep answers: every sentence is a claim, so each has cases in which it would be false."""

import math
from itertools import product

import numpy as np
import pytest

from initlab.report.answer import answer_of
from initlab.report.entrants import combinations_of
from initlab.report.table import table_of
from initlab.report.words import verdict
from initlab.runs.outcome import Outcome
from initlab.runs.summary import Summary

SEEDS = range(23)


def run(score, seed, cost=0.3, output="sigmoid", validation=None, **settings):
    """A finished job; ``score=None`` diverged."""
    there = score is not None
    summary = Summary(
        name="run",
        tags={"init": settings.get("init", "he"), "seed": str(seed)},
        output=output,
        iterations=7,
        seconds=0.1,
        initial_cost=1.0,
        final_cost=cost if there else None,
        score_train=score,
        score_test=score,
        score_validation=validation,
        diverged_at=None if there else 5,
    )
    return Outcome([*(f"{key}={value}" for key, value in settings.items()), f"seed={seed}"], summary)


def starts(scores, seeds=SEEDS, **more):
    """The runs of several starts, whose score on a seed is ``scores[name](seed)``."""
    return [run(scores[init](seed), seed, init=init, **more) for init, seed in product(scores, seeds)]


def sentences(outcomes, **question):
    return verdict(answer_of(outcomes, **question))


def wobble(seed):
    return 0.01 * ((7 * seed) % 11) / 11


def test_a_start_that_wins_on_every_seed_is_better():
    [sentence] = sentences(starts({"zeros": lambda s: 0.5 + wobble(s), "he": lambda s: 0.9 + wobble(s)}))
    assert sentence == (
        "he is better than zeros (+40.0 points [+40.0, +40.0]) in test accuracy, "
        "in the median of 23 paired seeds."
    )


def test_the_order_of_the_jobs_does_not_turn_the_verdict_round():
    scores = {"zeros": lambda s: 0.5 + wobble(s), "he": lambda s: 0.9 + wobble(s)}
    assert sentences(starts(scores)) == sentences(starts(dict(reversed(scores.items()))))


def test_starts_that_differ_by_less_than_matters_are_practically_equal():
    [sentence] = sentences(starts({"xavier": lambda s: 0.9 + wobble(s), "he": lambda s: 0.903 + wobble(s)}))
    assert sentence == (
        "he and xavier are practically equal: the median difference in test accuracy is within 1 point, "
        "in the median of 23 paired seeds."
    )


def test_what_matters_can_be_set():
    scores = {"xavier": lambda s: 0.9 + wobble(s), "he": lambda s: 0.903 + wobble(s)}
    [sentence] = sentences(starts(scores), equal_within=0.001)
    assert sentence.startswith("he is better than xavier (+0.3 points [+0.3, +0.3])")


def test_a_start_that_wins_on_half_of_the_seeds_is_undecided():
    [sentence] = sentences(starts({"he": lambda s: 0.9, "xavier": lambda s: 0.8 if s % 2 else 0.97}))
    assert "is undecided after 23 seeds" in sentence
    assert "better" not in sentence
    assert "equal" not in sentence


@pytest.mark.parametrize(("pairs", "fewest"), [(2, 7), (3, 9)])
def test_few_seeds_decide_nothing_and_it_is_said_how_many_could(pairs, fewest):
    names = ["zeros", "xavier", "he"][:pairs]
    scores = {name: (lambda s, k=k: 0.5 + 0.2 * k) for k, name in enumerate(names)}
    for seeds in range(1, fewest):
        [sentence] = sentences(starts(scores, range(seeds)))
        assert sentence.endswith(f"it takes at least {fewest}.")
    assert "is better than" in sentences(starts(scores, range(fewest)))[0]


def test_runs_that_diverged_are_the_worst_and_two_of_them_are_alike():
    better = sentences(starts({"random": lambda s: None, "he": lambda s: 0.7}))
    assert better[0].startswith("he is better than random (+70.0 points")
    both = sentences(starts({"random": lambda s: None, "ones": lambda s: None}))
    assert "practically equal" in both[0]


def test_a_diverged_regression_is_worse_than_any_score():
    outcomes = starts({"random": lambda s: None, "he": lambda s: -2.5 + wobble(s)}, output="linear")
    assert sentences(outcomes)[0].startswith("he is better than random (+∞ [+∞, +∞]) in test R²")


def test_costs_are_compared_by_their_ratio():
    outcomes = [
        run(0.9, seed, cost=cost, init=init)
        for seed in SEEDS
        for init, cost in (("he", 0.1), ("xavier", 0.2))
    ]
    assert sentences(outcomes, by="cost") == [
        "he is better than xavier (0.5 × [0.5, 0.5]) in final cost, in the median of 23 paired seeds."
    ]
    near = [
        run(0.9, seed, cost=cost, init=init)
        for seed in SEEDS
        for init, cost in (("he", 0.1), ("xavier", 0.1005))
    ]
    assert (
        "practically equal: the median difference in final cost is within 1 %"
        in sentences(near, by="cost")[0]
    )


def test_a_leader_of_the_better_median_that_loses_seed_by_seed_does_not_lead():
    # a has the higher median, and yet b beats it on 16 of 23 seeds, by little.
    a = [0.9 if seed < 12 else 0.1 for seed in SEEDS]
    b = [0.85 if seed < 12 and seed % 3 == 0 else (0.92 if seed < 12 else 0.2) for seed in SEEDS]
    outcomes = [run(values[seed], seed, init=name) for name, values in (("a", a), ("b", b)) for seed in SEEDS]
    answer = answer_of(outcomes)
    [pair] = answer.contests[0].pairs
    if pair.verdict == "worse":
        assert verdict(answer)[0].startswith("b is better than a")
    else:
        assert "better" not in verdict(answer)[0]


def test_nothing_is_compared_where_only_the_seed_was_swept():
    outcomes = [run(0.9 + wobble(seed), seed) for seed in SEEDS]
    middle = np.median([0.9 + wobble(seed) for seed in SEEDS])
    assert sentences(outcomes) == [
        f"Nothing is compared: he has a test accuracy of {middle:.1%}, the median of 23 seeds."
    ]


def test_what_was_swept_instead_of_the_start_is_compared():
    outcomes = [
        run(0.5 + rate, seed, **{"optimizer.learning_rate": rate}) for rate in (0.1, 0.3) for seed in SEEDS
    ]
    assert sentences(outcomes)[0].startswith(
        "learning_rate=0.3 is better than learning_rate=0.1 (+20.0 points"
    )


def test_hyper_parameters_of_starts_belong_to_the_start():
    outcomes = [
        run(0.5, 0, **{"init": "normal", "init.scale": scale, "model.hidden": hidden})
        for scale in (1, 2)
        for hidden in ("[3]", "[5]")
    ]
    found = [(one.entrant, dict(one.setting)) for one in combinations_of(outcomes)]
    assert found == [
        (f"normal scale={scale}", {"model.hidden": hidden}) for scale in (1, 2) for hidden in ("[3]", "[5]")
    ]


def over_rates(score, **validation):
    """Two starts at two rates, with 23 seeds each."""
    return [
        run(
            score(init, rate, seed),
            seed,
            **{"init": init, "optimizer.learning_rate": rate},
            **{key: value(init, rate) for key, value in validation.items()},
        )
        for init in ("xavier", "he")
        for rate in (0.1, 0.3)
        for seed in SEEDS
    ]


def test_over_settings_it_is_counted_in_how_many_the_better_is_better():
    words = sentences(over_rates(lambda init, rate, seed: 0.9 if (init == "he") == (rate == 0.1) else 0.8))
    assert words == ["xavier against he: better in 1 and worse in 1 of 2 settings."]
    words = sentences(over_rates(lambda init, rate, seed: 0.9 if init == "he" else 0.8))
    assert words == ["he against xavier: better in 2 of 2 settings."]


def test_a_rate_is_chosen_by_validation_and_reported_by_test():
    outcomes = over_rates(
        lambda init, rate, seed: {("he", 0.1): 0.9, ("xavier", 0.3): 0.8}.get((init, rate), 0.99),
        validation=lambda init, rate: 0.95 if (init, rate) in {("he", 0.1), ("xavier", 0.3)} else 0.5,
    )
    chosen, compared = sentences(outcomes)
    assert chosen == "Each at its best by validation: xavier learning_rate=0.3 and he learning_rate=0.1."
    assert compared.startswith("he is better than xavier (+10.0 points")


def test_three_starts_are_ranked_over_settings():
    scores = {"a": 0.5, "b": 0.7, "c": 0.9}
    outcomes = [
        run(scores[init] + 0.001 * k, seed, init=init, **{"model.width": k})
        for init in scores
        for k in range(5)
        for seed in SEEDS
    ]
    words = sentences(outcomes)
    assert words[0] == "Over 5 settings c has the best average rank, 1.0 of 3."
    assert words[1:] == ["c against b: better in 5 of 5 settings.", "c against a: better in 5 of 5 settings."]


def test_the_table_has_medians_and_shares_by_an_independent_count():
    scores = [0.9, 0.5, None, 0.7, 0.8, 0.6, 0.4]
    outcomes = [run(score, seed, cost=1 - (score or 0), init="he") for seed, score in enumerate(scores)]
    outcomes += [run(0.1, seed, init="zeros") for seed in range(7)]
    he, zeros = table_of(answer_of(outcomes))
    assert he.scores["test"].median == np.median([score or 0.0 for score in scores])
    assert he.cost.median == pytest.approx(np.sort([1 - s for s in scores if s] + [math.inf])[3])
    assert he.diverged == pytest.approx(1 / 7)
    assert zeros.diverged == 0
    assert "validation" not in he.scores
