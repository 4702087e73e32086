"""Tables of which several columns are to be predicted, or of which the features are said."""

import json

import numpy as np
import pandas as pd
import pytest

from initlab.config.targets import load_component
from initlab.datasets import table
from initlab.errors import ConfigError
from initlab.runs.pictures import boundary_png, cost_png
from initlab.runs.train import run

M = 53
rng = np.random.RandomState(7)
COLUMNS = {"u": rng.randn(M), "v": 5 + 3 * rng.randn(M), "w": rng.rand(M)}
COLUMNS |= {
    "sum": COLUMNS["u"] + COLUMNS["v"],
    "far": 100 * COLUMNS["w"] - 7,
    "kind": ["a", "b"] * 26 + ["a"],
}
KEYS = {"test_share": 0.2, "task": None, "seed": 3}


@pytest.fixture
def path(tmp_path):
    pd.DataFrame(COLUMNS).to_csv(tmp_path / "some.csv", index=False)
    return str(tmp_path / "some.csv")


def test_several_targets_are_rows_that_are_standardised_each_by_its_own_training_part(path):
    data = table(path=path, target=["sum", "far"], drop=["kind"], **KEYS)
    assert data.task == "regression"
    assert data.features == ("u", "v", "w")
    assert data.Y_train.shape == (2, 42)
    np.testing.assert_allclose(data.Y_train.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(data.Y_train.std(axis=1), 1, rtol=1e-12)
    # far is a line of w, so that both are the same numbers once they are standardised
    np.testing.assert_allclose(data.Y_test[1], data.X_test[2], rtol=1e-9)
    lone = table(path=path, target="far", drop=["kind", "sum"], **KEYS)
    np.testing.assert_allclose(data.Y_test[1], lone.Y_test[0], rtol=1e-12)
    np.testing.assert_array_equal(data.X_train, lone.X_train)
    said = json.loads(data.preparation.json)
    assert said["targets"] == ["sum", "far"]
    assert {"sum", "far"} <= said["scales"].keys()


def test_inputs_may_be_targets(path):
    data = table(path=path, target=["v", "u"], inputs=["u", "v"], **KEYS)
    assert data.features == ("u", "v")
    np.testing.assert_array_equal(data.Y_train, data.X_train[::-1])
    np.testing.assert_array_equal(data.Y_test, data.X_test[::-1])


def test_inputs_are_all_that_is_read_beside_the_target(tmp_path, path):
    frame = pd.DataFrame(COLUMNS)
    frame.loc[5, "far"] = np.nan
    frame.to_csv(path, index=False)
    data = table(path=path, target="kind", inputs=["w", "u"], **KEYS)
    assert data.features == ("w", "u")
    assert data.task == "binary"
    assert data.X_train.shape[1] + data.X_test.shape[1] == M


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"target": ["u", "nu"]}, r"^target=nu: is not a column of some\.csv"),
        ({"target": "u", "inputs": ["v", "nu"]}, r"^inputs=nu: is not a column of some\.csv"),
        ({"target": ["u", "v"], "drop": ["v"]}, "^drop=v: is the target; name another"),
        ({"target": "u", "inputs": ["v"], "drop": ["v"]}, "^drop=v: is one of inputs; leave it out there"),
        ({"target": ["u", "kind"]}, "^target=kind: holds text such as .*; a regression needs numbers"),
        ({"target": ["u", "v"], "task": "classification"}, "^task=classification: needs one target, and"),
        ({"target": list(COLUMNS)}, "^path=.*: has no column but the target"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(path, settings, words):
    with pytest.raises(ValueError, match=words):
        table(path=path, **KEYS | settings)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("target", [], "a non-empty text, or a list of different ones"),
        ("target", ["u", "u"], "a non-empty text, or a list of different ones"),
        ("target", [1], "a non-empty text, or a list"),
        ("inputs", "u", "null or a list of different column names"),
        ("inputs", ["u", "u"], "null or a list of different column names"),
    ],
)
def test_names_that_are_none_are_refused(key, value, words):
    node = {"_target_": "initlab.datasets.table", "path": "a.csv", "target": "u", **KEYS, key: value}
    with pytest.raises(ConfigError, match=rf"^dataset\.{key}=.*: must be {words}"):
        load_component({"dataset": node}, "dataset", [])


def test_a_network_learns_to_give_back_what_it_was_given(config, path):
    common = ("dataset=table", f"dataset.path={path}", "dataset.inputs=[u,v,w]", "model.hidden=[7]")
    [one] = run(
        [config(*common, "dataset.target=[u,v,w]", "model.activation=tanh", "train.iterations=2000",
                "optimizer.learning_rate=0.3", "tracking.uri=null")],
    )  # fmt: skip
    assert one.job.network.sizes == (3, 7, 3)
    assert one.summary.initial_cost > one.summary.final_cost
    assert one.summary.score_test > 0.95
    assert one.job.network.output.best_constant(one.job.dataset.Y_train)[1] == pytest.approx(1.5, rel=1e-12)
    assert boundary_png(one).startswith(b"\x89PNG")
    assert cost_png(one).startswith(b"\x89PNG")
