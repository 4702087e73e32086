"""Runs read back: a summary from what MLflow holds of a run is the summary that the run had."""

import math
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace

import numpy as np
import pytest

import initlab
from initlab.errors import TrackingError
from initlab.runs.stored import read_back, summary_of
from initlab.runs.train import run
from initlab.tracking.reading import stored_run

TRACKED = ("train.iterations=53", "plots.frames=0", "diagnostics.every=53", "tracking.uri={uri}")
KINDS = {
    "two classes": ["optimizer.learning_rate=0.5"],
    "many classes": ["dataset=wine", "optimizer.learning_rate=0.1"],
    "a regression": ["dataset=diabetes"],
    "a regression that diverges": ["dataset=diabetes", "optimizer.learning_rate=1e200"],
    "one that is not finite at once": ["init=constant", "init.value=1e200", "model.activation=linear"],
    "one that reached nothing": ["init=zeros"],
}


def trained(config, folder, *overrides):
    uri = f"sqlite:///{folder}/mlruns/mlflow.db"
    [one] = run([config(*(text.format(uri=uri) for text in TRACKED), *overrides)], folder=folder)
    return one


def told(summary):
    values = asdict(summary)
    beside = ("identity", "process", "code", "data", "blas", "simd", "cpu", "os", "openblas_coretype")
    values["tags"] = {
        k: v for k, v in values["tags"].items() if not k.startswith(("version.", "git.")) and k not in beside
    }
    return values


@pytest.mark.parametrize("kind", KINDS)
def test_a_summary_is_read_from_tags_and_metrics_alone(config, folder, kind):
    summary = trained(config, folder, *KINDS[kind]).summary
    found = summary_of(summary.run_id, summary.store, stored_run(summary.run_id, summary.store, []))
    if not math.isfinite(summary.initial_cost):
        assert math.isnan(found.initial_cost)
        found = replace(found, initial_cost=summary.initial_cost)
    assert told(found) == told(summary)
    assert found.score_name == summary.score_name


def test_a_diverged_regression_stays_a_regression(config, folder):
    summary = trained(config, folder, *KINDS["a regression that diverges"]).summary
    assert summary.diverged_at is not None
    read = initlab.load(summary.run_id, summary.store).summary
    assert (read.output, read.score_name) == ("linear", "r2")


def test_what_an_old_run_has_not_said_is_read_from_its_files(config, folder, client):
    summary = trained(config, folder, *KINDS["many classes"]).summary
    client.delete_tag(summary.run_id, "output")
    with closing(sqlite3.connect(folder / "mlruns" / "mlflow.db")) as database, database:
        for table in ("metrics", "latest_metrics"):
            database.execute(f"DELETE FROM {table} WHERE key IN ('iterations', 'initial_cost')")
    old = stored_run(summary.run_id, summary.store, [])
    assert "iterations" not in old.metrics
    with pytest.raises(TrackingError, match="has no metric iterations or no tag output") as caught:
        summary_of(summary.run_id, summary.store, old)
    assert "\n" not in str(caught.value)
    assert told(read_back(summary.run_id, summary.store).summary) == told(summary)


def test_a_first_cost_that_is_not_finite_is_read_from_the_history(config, folder):
    summary = trained(config, folder, *KINDS["one that is not finite at once"]).summary
    assert not math.isfinite(summary.initial_cost)
    read = read_back(summary.run_id, summary.store).summary
    np.testing.assert_equal(read.initial_cost, summary.initial_cost)


def costs_of(one):
    return [*one.history["cost"], *([] if one.summary.final_cost is None else [one.summary.final_cost])]


REACHED = {
    ("blobs", 0.9): True, ("blobs", 0.5): True, ("blobs", 0.1): False, ("wine", 0.5): True,
    ("wine", 1e-9): False, ("diabetes", 0.9): True, ("diabetes", 0.3): False,
}  # fmt: skip


@pytest.mark.parametrize(("dataset", "threshold"), REACHED)
def test_a_run_has_reached_the_threshold_at_its_first_cost_below(config, dataset, threshold):
    settings = ("tracking.uri=null", "train.iterations=211", "optimizer.learning_rate=0.3")
    [one] = run([config(*settings, f"dataset={dataset}", f"report.threshold={threshold}")])
    Y = one.job.dataset.Y_train
    shares = np.array([Y.mean(), 1 - Y.mean()]) if len(Y) == 1 else Y.mean(axis=1)
    constant = 0.5 if dataset == "diabetes" else -np.sum(shares * np.log(shares))
    below = [n for n, cost in enumerate(costs_of(one)) if cost <= threshold * constant]
    assert bool(below) == REACHED[dataset, threshold]
    assert one.summary.reached_at == (below[0] if below else None)
    assert one.summary.metrics.get("reached_at") == one.summary.reached_at


def test_the_last_update_can_reach_the_threshold_too(config):
    settings = ("tracking.uri=null", "optimizer.learning_rate=0.1")
    [long] = run([config(*settings, "train.iterations=97")])
    chance = -sum(p * math.log(p) for p in (0.5, 0.5))
    share = long.summary.final_cost / chance
    [exact] = run([config(*settings, "train.iterations=97", f"report.threshold={share * (1 + 1e-12)}")])
    assert exact.summary.final_cost < min(exact.history["cost"])
    assert exact.summary.reached_at == exact.summary.iterations == 97


def test_a_run_that_diverges_later_has_reached_the_threshold_all_the_same(config):
    settings = ("tracking.uri=null", "train.iterations=53", "dataset=diabetes", "model.activation=linear")
    start = ("init=small_random", "optimizer.learning_rate=20", "report.threshold=0.99997")
    [one] = run([config(*settings, *start)])
    assert 0 < one.summary.reached_at < one.summary.diverged_at
