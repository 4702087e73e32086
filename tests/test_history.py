"""Frames and the arrays a stack leaves."""

import numpy as np
import pytest

from initlab.training.history import History
from initlab.training.loop import Record
from initlab.training.probe import Probe, log_spaced


@pytest.mark.parametrize(
    ("iterations", "frames", "expected"),
    [
        (15000, 5, [0, 10, 121, 1354, 14999]),
        (15000, 1, [14999]),
        (15000, 0, []),
        (1, 5, [0]),
        (3, 7, [0, 1, 2]),
    ],
)
def test_frames_are_log_spaced_and_end_with_the_last_iteration(iterations, frames, expected):
    assert log_spaced(iterations, frames) == expected


def norm(iteration):
    return {"global": np.array([iteration, -iteration])}


def rank(iteration):
    return {"global": np.array([10.0, 20]) + iteration}


def test_a_diverged_run_keeps_its_history_up_to_and_with_the_bad_cost():
    probes = [
        Probe("measured_at", (norm,), range(0, 5, 2)),
        Probe("rarely_measured_at", (rank,), [1, 4]),
    ]
    history = History(runs=2, iterations=5, probes=probes, snapshot_at=[1, 4])
    assert history.steps_at == {0, 1, 2, 4}
    parameters = np.arange(6.0).reshape(2, 3)
    for iteration in range(5):
        cost = np.array([1.0 - iteration / 10, np.inf if iteration >= 2 else 1.0])
        step = iteration if iteration in history.steps_at else None
        history.add(Record(iteration, cost, step, parameters, (1,) if iteration >= 2 else ()))
        parameters += 1
    assert history.arrays(0)["cost"] == pytest.approx([1.0, 0.9, 0.8, 0.7, 0.6])
    assert history.arrays(1)["cost"].tolist() == [1.0, 1.0, np.inf]
    assert history.arrays(1)["measured_at"].tolist() == [0, 2]
    assert history.arrays(1)["norm/global"].tolist() == [0, -2]
    assert history.arrays(1)["rarely_measured_at"].tolist() == [1]
    assert history.arrays(1)["rank/global"].tolist() == [21]
    assert history.arrays(0)["rank/global"].tolist() == [11, 14]
    assert history.snapshots[1][0, 0] == 1
    assert history.stopped_at == {1: 2}


def test_what_was_measured_since_an_iteration_is_found_without_what_came_before():
    probes = [Probe("measured_at", (norm,), range(0, 9, 3)), Probe("rarely_measured_at", (), [1])]
    history = History(runs=2, iterations=9, probes=probes)
    (_, often), (_, rarely) = history.measured
    for iteration in range(9):
        step = iteration if iteration in history.steps_at else None
        history.add(Record(iteration, np.ones(2), step, np.zeros((2, 1)), ()))
        steps, tables = often.tables(since=3)
        assert steps.tolist() == [step for step in (3, 6) if step <= iteration]
        rows = tables.get("norm/global", [])
        assert [row.tolist() for row in rows] == [[step, -step] for step in steps.tolist()]
    steps, tables = often.tables()
    assert (steps.tolist(), tables["norm/global"][:, 1].tolist()) == ([0, 3, 6], [0, -3, -6])
    assert rarely.tables()[1] == {}
