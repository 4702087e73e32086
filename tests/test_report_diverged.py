"""Runs that diverged count as the worst wherever runs are summed up."""

import json
from dataclasses import replace

import numpy as np
import pytest

from initlab.face.show import table_of as closing_table
from initlab.report.answer import answer_of
from initlab.report.charts import trend_chart
from initlab.report.markdown import markdown_of
from initlab.report.summary_run import metrics_of
from initlab.report.table import table_of
from initlab.report.trends import scored, scores_over
from initlab.runs.outcome import Outcome
from initlab.runs.summary import Summary


def outcome(seed, rate, final, output="linear"):
    score = None if final is None else 1 - final
    tags = {"init": "he", "dataset": "diabetes", "seed": str(seed), "optimizer": "gd"}
    summary = Summary(
        "he", tags, output, 53, 0.1, 1.0, final, score, score, None if final is not None else 5,
        (), run_id=f"{seed}-{rate}", store="", place="",
    )  # fmt: skip
    return Outcome([f"optimizer.learning_rate={rate}", f"seed={seed}"], summary)


# Of seven runs at a rate of .9 three diverged: the median is finite, and the upper quartile is not.
FINALS = {0.1: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], 0.9: [0.2, 0.3, 0.4, 0.5, None, None, None]}


@pytest.fixture
def outcomes():
    return [
        outcome(seed, rate, final) for rate, finals in FINALS.items() for seed, final in enumerate(finals)
    ]


def test_the_upper_quartile_of_costs_and_the_lower_one_of_scores_are_infinite(outcomes):
    answer = answer_of(outcomes, "score", 0.01)
    sound, half = table_of(answer)
    assert sound.cost.quartiles == pytest.approx((0.25, 0.55))
    assert half.cost.median == 0.5
    assert half.cost.quartiles == (0.35, np.inf)
    assert half.scores["test"].quartiles[0] == -np.inf
    assert half.diverged == pytest.approx(3 / 7)


def test_the_note_and_the_closing_table_show_the_infinity_and_say_why(outcomes):
    answer = answer_of(outcomes, "score", 0.01)
    note = markdown_of(answer, "initlab", [])
    assert "A run that diverged counts as the worst (cost ∞, R² -∞); what is infinite is here alone" in note
    assert ", ∞] |" in note
    shown = str(closing_table(outcomes))
    assert "∞" in shown
    without = [one for one in outcomes if one.summary.final_cost is not None]
    assert "diverged counts" not in markdown_of(answer_of(without, "score", 0.01), "initlab", [])


def test_what_is_infinite_is_there_before_mlflow_leaves_it_out(outcomes):
    metrics = metrics_of(answer_of(outcomes, "score", 0.01))
    assert metrics["final_cost.q3/learning_rate 0.9"] == np.inf
    assert metrics["diverged.share/learning_rate 0.9"] == pytest.approx(3 / 7)


def test_a_trend_goes_down_to_the_edge_where_runs_diverged(outcomes):
    scores = scores_over("optimizer.learning_rate", [0.1, 0.9], scored(outcomes))
    worse = [
        replace(one, summary=replace(one.summary, score_test=None, final_cost=None)) for one in outcomes[7:]
    ]
    gone = scores_over("optimizer.learning_rate", [0.1, 0.9], scored([*outcomes[:7], *worse]))
    for table, below, lows in (
        (scores, "lower quartile −∞", None),
        (gone, "median and lower quartile −∞", 0.45),
    ):
        spec = trend_chart("rate", [0.1, 0.9], table, "R²", False, {"he": "red"})
        sound, diverged = spec["datasets"]["points"]
        assert sound["below"] == "nothing"
        assert diverged["below"] == below
        assert diverged["low"] == min(sound["low"], diverged["low"])
        assert diverged["low"] <= diverged["median"]
        assert lows is None or diverged["median"] == lows
        assert "below the axis" in json.dumps(spec, allow_nan=False)
