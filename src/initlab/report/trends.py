"""Scores over the numbers that a sweep has swept: medians and quartiles of each start."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from initlab.runs.outcome import Outcome
from initlab.statistics.intervals import median, quartiles
from initlab.types import Array

MOST_CURVES = 10  # in one picture


class Scored(NamedTuple):
    """A finished run: the values of what was swept by key, its start by name, and its test score."""

    settings: Mapping[str, str]
    start: str
    score: float


def scored(outcomes: Sequence[Outcome]) -> list[Scored]:
    """Returns the finished runs by what was swept and what they scored, the worst for one that diverged."""
    runs = []
    for outcome in outcomes:
        if run := outcome.summary:
            score = run.rules.worst_score if run.score_test is None else run.score_test
            settings = {key: value for key, value in outcome.settings.items() if key != "seed"}
            if {"init", "init._target_"} & settings.keys():
                settings["init"] = run.tags["init"]
            runs.append(Scored(settings, run.tags["init"], score))
    return runs


def swept(runs: Sequence[Scored]) -> dict[str, list[str]]:
    """Returns the values of every key that all runs have and in which they differ, in the order given."""
    keys = [key for key in runs[0].settings if all(key in run.settings for run in runs)]
    values = {key: list(dict.fromkeys(run.settings[key] for run in runs)) for key in keys}
    return {key: different for key, different in values.items() if len(different) > 1}


def numbers_of(values: Mapping[str, Sequence[str]]) -> dict[str, list[float]]:
    """Returns the keys whose values are all numbers, with these in rising order."""
    numbers: dict[str, list[float]] = {}
    for key, different in values.items():
        with suppress(ValueError):
            numbers[key] = sorted({float(value) for value in different})
    return numbers


def scores_over(key: str, numbers: Sequence[float], runs: Sequence[Scored]) -> dict[str, Array]:
    """Returns by start the median and the quartiles (3, n) of the scores at each value of a key."""
    found: dict[str, dict[float, list[float]]] = {}
    for run in runs:
        by_value = found.setdefault(run.start, {})
        by_value.setdefault(float(run.settings[key]), []).append(run.score)
    return {
        start: np.array([_spread(by_value.get(value, [])) for value in numbers]).T
        for start, by_value in list(found.items())[:MOST_CURVES]
    }


def _spread(scores: Sequence[float]) -> list[float]:
    return [median(scores), *quartiles(scores)] if scores else [np.nan] * 3
