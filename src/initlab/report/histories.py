"""How the runs of each set went: their costs and what was measured layer by layer, thinned as it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initlab.report.entrants import Combination
from initlab.runs.stored import HISTORY, Read
from initlab.runs.summary import Summary
from initlab.tracking.client import in_flight
from initlab.types import Array

MEASURED = ("grad_norm", "activation_mean_square", "dead_units")
POINTS = 150  # iterations of a median
LINE_POINTS = 75  # of one run
LAYER_POINTS = 40
MOST_LINES = 100  # of a set of runs
MOST_LINES_IN_ALL = 400
MOST_READ = 1000  # histories of a set of runs: of more, medians and quartiles hardly change
MOST_READ_IN_ALL = 4000
NOTHING = np.empty(0)

Steps = NDArray[np.int64]


@dataclass(frozen=True)
class Line:
    """The cost (t,) of one run after ``steps`` (t,) updates, up to where it diverged."""

    run: Summary
    steps: Steps
    costs: Array


@dataclass(frozen=True)
class Layers:
    """A measurement by layer and iteration: the medians (L, t) over the runs that had not diverged by then,
    NaN where there is none, of ``names`` (L,) at ``steps`` (t,).
    """

    names: Sequence[str]
    steps: Steps
    medians: Array


@dataclass(frozen=True)
class Course:
    """How a set of runs went: median and quartiles (t,) of the cost after ``steps`` (t,) updates, where a
    diverged run counts as infinite, some of its runs, and its measurements by their names. They are of as
    many runs as were ``read``.
    """

    combination: Combination
    read: int
    steps: Steps
    median: Array
    low: Array
    high: Array
    lines: Sequence[Line]
    layers: Mapping[str, Layers]


def courses_of(combinations: Sequence[Combination], read: Read) -> list[Course]:
    """Returns the course of each combination. Every history is opened once, and kept thinned only; of a large
    set some are read, evenly from that of the lowest final cost to that of the highest.
    """
    sets = max(1, len(combinations))
    lines = max(1, min(MOST_LINES, MOST_LINES_IN_ALL // sets))
    most = max(MOST_LINES, min(MOST_READ, MOST_READ_IN_ALL // sets))
    return [_course(one, _evenly(one.runs, most), read, lines) for one in combinations]


def log_spaced(last: int, points: int) -> Steps:
    """Returns 0 and at most so many whole numbers from 1 to last: all, or log-spaced with both ends."""
    if last <= points:
        return np.arange(last + 1)
    return np.unique(np.append(0, np.geomspace(1, last, points).round()).astype(np.int64))


def _course(one: Combination, runs: Sequence[Summary], read: Read, most_lines: int) -> Course:
    longest = max(runs, key=lambda run: run.iterations)
    steps = log_spaced(longest.iterations, POINTS)
    layout = _layout(read(longest).arrays(HISTORY))
    thinned = in_flight(partial(_thinned, read=read, steps=steps, layout=layout), runs)
    costs = np.sort([costs for costs, _ in thinned], axis=0)
    low, median, high = (_quantile(costs, share) for share in (0.25, 0.5, 0.75))
    costs_of = {id(run): costs for run, (costs, _) in zip(runs, thinned, strict=True)}
    lines = [_line(run, steps, costs_of[id(run)]) for run in _evenly(runs, most_lines)]
    layers = {
        name: Layers(keys, at, _medians([tables[name] for _, tables in thinned]))
        for name, (_, keys, at, _) in layout.items()
    }
    return Course(one, len(runs), steps, median, low, high, lines, layers)


def _evenly(runs: Sequence[Summary], most: int) -> Sequence[Summary]:
    """Returns at most so many runs, evenly from that of the lowest final cost to that of the highest."""
    if len(runs) <= most:
        return runs
    ordered = sorted(runs, key=lambda run: run.objective)
    return [ordered[round(i)] for i in np.linspace(0, len(runs) - 1, most)]


_Layout = Mapping[str, tuple[str, Sequence[str], Steps, Steps]]
"""By measurement: the array of its iterations, its arrays by layer, which iterations are shown, and which
entries of the arrays those are.
"""


def _layout(arrays: Mapping[str, NDArray[Any]]) -> _Layout:
    """Returns where a history holds what is shown: each array of iterations is followed by what was measured
    then.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    at = ""
    for key in arrays:
        if key.endswith("measured_at"):
            at = key
        name, _, layer = key.partition("/")
        if name in MEASURED and layer.startswith("layer"):
            found.setdefault(name, (at, []))[1].append(key)
    layout = {}
    for name, (at, keys) in found.items():
        steps = arrays[at].astype(np.int64)
        if not len(steps):  # diverged before the first measurement, as did all others
            continue
        shown = np.unique(np.searchsorted(steps, log_spaced(int(steps[-1]), LAYER_POINTS)))
        layout[name] = (at, keys, steps[shown], shown)
    return layout


def _thinned(run: Summary, read: Read, steps: Steps, layout: _Layout) -> tuple[Array, dict[str, Array]]:
    """Returns a run's costs (t,) and its measurements (L, t), NaN after its end."""
    members = [key for _, keys, _, _ in layout.values() for key in keys]
    arrays = read(run).arrays(HISTORY, "cost", *members)
    costs = np.append(arrays["cost"], np.inf if run.final_cost is None else run.final_cost)
    costs = np.where(np.isfinite(costs), costs, np.inf)[np.minimum(steps, len(costs) - 1)]
    tables = {}
    for name, (_, keys, _, shown) in layout.items():
        tables[name] = np.array([_at(arrays.get(key, NOTHING), shown) for key in keys])
    return costs, tables


def _at(values: NDArray[Any], places: Steps) -> Array:
    found: Array = np.append(values, np.nan)[np.minimum(places, len(values))]
    return found


def _quantile(ordered: Array, share: float) -> Array:
    """Returns a quantile (t,) of ordered values (n, t) by linear interpolation; between a number and an
    infinity it is the infinity.
    """
    at = share * (len(ordered) - 1)
    low, high, weight = ordered[int(np.floor(at))], ordered[int(np.ceil(at))], at % 1
    found: Array = low if weight == 0 else low * (1 - weight) + high * weight
    return found


def _medians(tables: Sequence[Array]) -> Array:
    """Returns the median over tables (L, t) of what is finite in each place, NaN where nothing is."""
    ordered = np.sort(np.where(np.isfinite(tables), tables, np.nan), axis=0)  # NaN come last
    count = np.isfinite(ordered).sum(axis=0)
    low, high = np.maximum(count - 1, 0) // 2, np.maximum(count, 1) // 2
    middle = [np.take_along_axis(ordered, at[np.newaxis], 0)[0] for at in (low, high)]
    medians: Array = (middle[0] + middle[1]) / 2
    return medians


def _line(run: Summary, steps: Steps, costs: Array) -> Line:
    places = np.unique(np.linspace(0, len(steps) - 1, LINE_POINTS).round().astype(int))
    shown = places[np.isfinite(costs[places])]
    return Line(run, steps[shown], costs[shown])
