"""The validation part: examples to choose a setting by, off unless asked for."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import runs_of
from sklearn.metrics import r2_score

from initlab import datasets
from initlab.datasets.dataset import split
from initlab.networks.tape import predict
from initlab.runs.outcome import read_outcomes
from initlab.runs.train import run

PARTS = ("X_train", "Y_train", "X_test", "Y_test")
SYNTHETIC = {
    "circles": {"noise": 0.05}, "moons": {"noise": 0.1}, "blobs": {"noise": 1.0}, "xor": {"noise": 0.05},
    "spirals": {"noise": 0.03, "turns": 1.0}, "linear": {"margin": 0.3}, "gaussian_quantiles": {"classes": 3},
}  # fmt: skip
BUNDLED = ("digits", "breast_cancer", "wine", "diabetes")
UNTRACKED = ("tracking.uri=null", "train.iterations=53", "optimizer.learning_rate=0.1")


@pytest.mark.parametrize("name", SYNTHETIC)
def test_a_synthetic_validation_part_changes_no_other_and_repeats_none(name):
    make, settings = getattr(datasets, name), {"n_train": 101, "n_test": 53, "seed": 5, **SYNTHETIC[name]}
    data, without, more = (make(n_validation=n, **settings) for n in (59, 0, 61))
    for part in PARTS:
        np.testing.assert_array_equal(getattr(data, part), getattr(without, part))
        np.testing.assert_array_equal(getattr(data, part), getattr(more, part))
    assert without.X_validation is without.Y_validation is None
    assert data.X_validation.shape == (2, 59)
    assert data.Y_validation.shape == (len(data.Y_train), 59)
    for X in (data.X_train, data.X_test, make(n_validation=59, **settings | {"seed": 6}).X_validation):
        assert not np.intersect1d(data.X_validation, X).size
    for seed in (6, 7):  # the seeds that follow draw other parts
        other = make(n_validation=0, **settings | {"seed": seed})
        assert not np.intersect1d(data.X_validation, other.X_train).size


@pytest.mark.parametrize(("name", "n", "least"), [("circles", 1, 2), ("gaussian_quantiles", 2, 3)])
def test_too_few_validation_examples_are_refused(name, n, least):
    settings = {"n_train": 101, "n_test": 53, "seed": 5, **SYNTHETIC[name]}
    with pytest.raises(
        ValueError, match=rf"^n_validation={n}: must be 0 or at least {least}, one example of"
    ):
        getattr(datasets, name)(n_validation=n, **settings)


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_validation_part_is_taken_out_of_the_training_part(name):
    make = getattr(datasets, name)
    data, without = make(test_share=0.3, validation_share=0.2, seed=5), make(test_share=0.3, seed=5)
    assert without.X_validation is None
    m, m_train, m_test = (X.shape[1] for X in (data.X_validation, data.X_train, data.X_test))
    assert m_train + m == without.X_train.shape[1]
    assert m_test == without.X_test.shape[1]
    assert m / (m + m_train + m_test) == pytest.approx(0.2, abs=0.01)
    varying = data.X_train.any(axis=1)
    np.testing.assert_allclose(data.X_train[varying].std(axis=1), 1)  # by its own, smaller training part
    if name != "diabetes":
        np.testing.assert_array_equal(data.Y_test, without.Y_test)


def test_a_split_in_three_has_every_example_once_and_every_group_in_each_part():
    groups = np.repeat([0, 1, 2], [61, 31, 3])
    parts = split(groups, 0.25, 1, 0.2)
    assert sorted(np.concatenate(parts)) == list(range(95))
    assert np.bincount(groups[parts.validation]).tolist() == [12, 6, 1]
    assert np.bincount(groups[parts.test]).tolist() == [15, 8, 1]
    before = split(groups, 0.25, 1)
    np.testing.assert_array_equal(parts.test, before.test)
    np.testing.assert_array_equal(parts.train, [n for n in before.train if n not in parts.validation])
    assert not len(before.validation)


def test_shares_that_leave_nothing_are_refused():
    groups = np.repeat([0, 1], [61, 2])
    with pytest.raises(
        ValueError, match=r"^validation_share=0.75: leaves no training part beside test_share=0"
    ):
        split(groups, 0.25, 1, 0.75)
    with pytest.raises(
        ValueError, match=r"^validation_share=0.2: 2 examples of a kind are too few for train"
    ):
        split(groups, 0.25, 1, 0.2)


@pytest.mark.parametrize(("dataset", "on"), [
    ("circles", "dataset.n_validation=59"), ("wine", "dataset.validation_share=0.2"),
    ("diabetes", "dataset.validation_share=0.2"),
])  # fmt: skip
def test_a_run_is_scored_on_the_validation_part(config, dataset, on):
    [one] = run([config(*UNTRACKED, f"dataset={dataset}", on)])
    data, summary = one.job.dataset, one.summary
    [answers] = predict(one.job.network, one.parameters[np.newaxis], data.X_validation)
    if dataset == "diabetes":
        expected = r2_score(data.Y_validation[0], answers[0])
    elif dataset == "circles":
        expected = np.mean((answers > 0.5) == data.Y_validation)
    else:
        expected = np.mean(answers.argmax(axis=0) == data.Y_validation.argmax(axis=0))
    assert summary.score_validation == pytest.approx(expected, rel=1e-12)
    assert summary.metrics[f"{summary.score_name}/validation"] == summary.score_validation


def test_a_validation_part_leaves_a_runs_bits_as_they_are(config):
    one, other = (run([config(*UNTRACKED, *overrides)])[0] for overrides in ([], ["dataset.n_validation=59"]))
    np.testing.assert_array_equal(one.parameters, other.parameters)
    np.testing.assert_array_equal(one.history["cost"], other.history["cost"])
    assert one.summary.score_test == other.summary.score_test
    assert one.summary.score_validation is None


def test_runs_with_and_without_a_validation_part_stack_to_the_same_bits(config):
    settings = [
        ["dataset.n_validation=59"], ["dataset.n_validation=59", "dataset.seed=5"], ["seed=7"],
        ["dataset.n_validation=61", "init=zeros"], ["dataset.n_validation=59", "seed=7", "init=random"],
    ]  # fmt: skip
    cfgs = [config(*UNTRACKED, *overrides) for overrides in settings]
    for together, cfg in zip(run(cfgs), cfgs, strict=True):
        [alone] = run([cfg])
        np.testing.assert_array_equal(together.parameters, alone.parameters)
        assert replace(together.summary, seconds=0) == replace(alone.summary, seconds=0)


def test_the_command_shows_and_keeps_the_validation_score(command, client, folder):
    done = command("-m", "init=he,zeros", "dataset.n_validation=59", "train.iterations=20", "plots.frames=0")
    assert done.returncode == 0, done.stderr
    assert "validation accuracy" in done.stdout
    runs = {run.data.tags["init"]: run for run in runs_of(client)}
    [sweep] = (folder / "multirun").iterdir()
    for outcome in read_outcomes(sweep):
        stored = runs[outcome.summary.tags["init"]].data
        assert outcome.summary.score_validation == stored.metrics["accuracy/validation"]
        assert "validation examples" in stored.tags["mlflow.note.content"]
    [summary] = runs_of(client, "initlab-sweeps")
    text = Path(client.download_artifacts(summary.info.run_id, "runs.csv")).read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {float(row["score_validation"]) for row in rows} == {
        run.data.metrics["accuracy/validation"] for run in runs.values()
    }
    without = command("train.iterations=20", "plots.frames=0")
    assert "validation" not in without.stdout
    [lone] = (folder / "outputs").iterdir()
    assert json.loads((lone / "outcome.json").read_text())["summary"]["score_validation"] is None


def test_the_table_has_a_validation_column_only_if_every_run_has_a_score(command):
    settings = ("train.iterations=20", "plots.frames=0", "tracking.uri=null")
    mixed = command("-m", "dataset.n_validation=0,59", *settings)
    assert mixed.returncode == 0, mixed.stderr
    assert "validation accuracy" not in mixed.stdout
    diverged = command("-m", "dataset.n_validation=59", "optimizer.learning_rate=0.1,1e200", *settings)
    assert "validation accuracy" in diverged.stdout
