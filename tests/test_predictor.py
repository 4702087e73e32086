"""A predictor answers as the network that was trained, of what was measured and not of features."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import folder_with
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.metrics import accuracy_score, mean_squared_error, r2_score

import initlab
from initlab import activations, datasets, predictor
from initlab.errors import ConfigError, InitlabError
from initlab.networks import layers
from initlab.networks.network import Network, named_parameters
from initlab.networks.tape import predict
from initlab.predictor import Column, Predictor, Target
from initlab.runs.model import Meaning, meaning_of, predictor_of

UNTRACKED = {"uri": None}


def random_network(rng, output="softmax", precision="float64", **about):
    n_y = {"sigmoid": 1, "softmax": 3, "linear": 2}[output]
    hidden = about.pop("hidden", (7, 7, 11))
    network = Network((5, *hidden, n_y), about.pop("activation", "tanh"), output, **about)
    size = 0.1 if network.activation_name == "exponential" else 0.5  # exp of exp of exp is soon infinite
    flat = (size * rng.standard_normal((1, network.size))).astype(precision)
    for scales in network.normalizations(flat):
        for name in {"variance"} & scales.keys():
            scales[name][:] = np.abs(scales[name])
    return network, flat


def answers_of(network, flat, X):
    said = {
        "softmax": {"classes": ("a", "b", "c")},
        "sigmoid": {"classes": (0, 1)},
        "linear": {"targets": [Target()] * 2},
    }
    meaning = Meaning([Column()] * len(X), False, **said[network.output_name])
    one = predictor_of(network, meaning, named_parameters(network, flat[0]))
    return one.predict(X.T) if one.targets else one.predict_proba(X.T)


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(
    ("output", "about"),
    [("softmax", {"activation": name}) for name in activations.ACTIVATIONS]
    + [
        (output, {"normalization": normalization, "residual": residual, "branch_scale": scale})
        for output in ("sigmoid", "softmax", "linear")
        for normalization in ("none", "batch", "layer")
        for residual, scale in ((False, 1.0), (True, 1.0), (True, 0.5))
    ]
    + [
        (
            "softmax",
            {
                "hidden": (7,) * 6,
                "residual": True,
                "branch_depth": depth,
                "branch_scale": 0.5,
                "scalars": scalars,
                "normalization": normalization,
            },
        )
        for depth in (1, 2, 3)
        for scalars in (False, True)
        for normalization in ("none", "batch", "layer")
    ],
)
def test_it_says_what_the_network_says(output, about, precision):
    rng = np.random.RandomState(3)
    network, flat = random_network(rng, output, precision, **about)
    X = rng.standard_normal((5, 13)).astype(precision)
    with np.errstate(all="ignore"):
        [expected] = predict(network, flat, X)
    if output == "sigmoid":
        expected = np.concatenate([1 - expected, expected])
    exact = precision == "float64"
    np.testing.assert_allclose(
        answers_of(network, flat, X),
        expected.T,
        rtol=1e-11 if exact else 2e-3,
        atol=1e-13 if exact else 1e-5,
    )


def test_it_knows_every_activation_and_number_that_the_networks_know():
    assert predictor.ACTIVATIONS.keys() == activations.ACTIVATIONS.keys()
    assert predictor.EPSILON == layers.EPSILON
    far = np.array([[-1e4, -900.0, -30.0, -0.0, 30.0, 900.0, 1e4]])
    for name, known in activations.ACTIVATIONS.items():
        with np.errstate(over="ignore"):
            known.value(far, out := np.empty_like(far))
            np.testing.assert_allclose(predictor.ACTIVATIONS[name](far), out, rtol=1e-14, err_msg=name)


BUNDLED = {"wine": load_wine, "digits": load_digits, "breast_cancer": load_breast_cancer}


@pytest.mark.parametrize("name", [*BUNDLED, "diabetes"])
def test_of_measured_data_it_makes_the_features_that_training_saw(name):
    raw = load_diabetes(scaled=False).data if name == "diabetes" else BUNDLED[name]().data
    data = getattr(datasets, name)(test_share=0.3, validation_share=0.1, seed=5)
    network = Network((len(data.X_train), len(data.Y_train)), "relu")
    ours = predictor_of(network, meaning_of(data), {"W1": np.empty((1, 1))}).features(raw)
    seen = np.concatenate([data.X_train, data.X_validation, data.X_test], axis=1)
    np.testing.assert_allclose(sorted(ours.T.tolist()), sorted(seen.T.round(15).tolist()), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", BUNDLED)
def test_it_says_the_names_of_classes_as_often_rightly_as_the_run_was_scored(name):
    raw = BUNDLED[name]()
    run = initlab.run(f"dataset={name}", train={"iterations": 150}, tracking=UNTRACKED, seed=5)
    data, _ = run._data_and_network()
    right = run.summary.score_train * data.X_train.shape[1] + run.summary.score_test * data.X_test.shape[1]
    said = run.predict(raw.data)
    assert run.classes == tuple(map(str, raw.target_names))
    assert accuracy_score(raw.target_names[raw.target].astype(str), said) == pytest.approx(right / len(said))
    chances = run.predict_proba(pd.DataFrame(raw.data))
    assert chances.shape == (len(said), len(run.classes))
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-12)
    assert [run.classes[k] for k in chances.argmax(axis=1)] == said.tolist()


def test_classes_without_names_are_numbers():
    run = initlab.run(train={"iterations": 2000}, tracking=UNTRACKED, optimizer={"learning_rate": 0.1})
    data, _ = run._data_and_network()
    said = run.predict(data.X_test.T.tolist())
    assert run.classes == (0, 1)
    assert said.dtype.kind == "i"
    assert np.mean(said == data.Y_test[0]) == run.summary.score_test > 0.9


def test_a_regression_is_said_in_the_unit_of_its_target():
    raw = load_diabetes(scaled=False)
    run = initlab.run("dataset=diabetes", train={"iterations": 300}, tracking=UNTRACKED, seed=5)
    data, _ = run._data_and_network()
    features = run._predictor().features(raw.data)
    tested = [np.abs(features - x[:, np.newaxis]).max(axis=0).argmin() for x in data.X_test.T]
    said = run.predict(raw.data)
    assert said.shape == (442,)
    assert r2_score(raw.target[tested], said[tested]) == pytest.approx(run.summary.score_test, rel=1e-9)
    assert run.classes == ()
    with pytest.raises(ConfigError, match=r"^X: the network predicts numbers: there are no classes to have"):
        run.predict_proba(raw.data)


@pytest.fixture(scope="module")
def shop(tmp_path_factory, migrated_database):
    """A table with all that a table may have, as a file of the current folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder_with(migrated_database, tmp_path_factory.mktemp("shop")))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield a_shop()


def a_shop():
    rng = np.random.RandomState(7)
    frame = pd.DataFrame(
        {
            "age": rng.uniform(18, 80, 61),
            "city": rng.choice(["Bern", "Oslo", "Rome"], 61),
            "visits": rng.randint(0, 9, 61),
            "member": rng.rand(61) > 0.5,
        }
    )
    frame["spent"] = 3 * frame["age"] + 40 * frame["member"] + 5 * (frame["city"] == "Rome") + 1e3
    frame["size"] = frame["visits"] * 2.0 - frame["age"]
    frame["label"] = np.where(frame["spent"] > 1180, "much", "little")
    frame.loc[[1, 5], "city"] = np.nan
    frame.loc[[2, 3, 9], "age"] = np.nan
    frame.to_csv("shop.csv", index=False)
    return frame


@pytest.fixture(scope="module")
def labelled(shop):
    return run_on_shop("dataset.target=label", "dataset.drop=[spent,size]")


def run_on_shop(*overrides, iterations=400, **tracking):
    table = ("dataset=table", "dataset.path=shop.csv", "dataset.missing=median", "optimizer=adam")
    return initlab.run(*table, *overrides, train={"iterations": iterations}, tracking=tracking or UNTRACKED)


def test_a_table_is_read_as_it_is_by_the_names_of_its_columns(shop, labelled):
    run = labelled
    data, _ = run._data_and_network()
    said = run.predict(shop)
    right = run.summary.score_train * data.X_train.shape[1] + run.summary.score_test * data.X_test.shape[1]
    assert np.sum(said == shop["label"]) == round(right)
    assert 45 < right < 62
    others = shop[shop.columns[::-1]].astype({"visits": "Int64", "city": "category", "member": "boolean"})
    assert run.predict(others).tolist() == said.tolist()
    named = ["age", "city", "visits", "member"]
    assert run.predict(shop[named].to_numpy(object)).tolist() == said.tolist()
    rows = shop[named].astype(object).where(shop[named].notna(), None).to_numpy().tolist()
    assert run.predict(rows).tolist() == said.tolist()


def test_several_targets_of_a_table_are_columns_of_their_units(shop):
    run = run_on_shop("dataset.target=[spent,size]", "dataset.drop=[label]", iterations=3000)
    said = run.predict(shop)
    assert said.shape == (61, 2)
    for values, name in zip(said.T, ["spent", "size"], strict=True):
        known = shop["age"].notna() & shop["city"].notna()
        assert mean_squared_error(shop[name][known], values[known]) < 0.15 * shop[name].var()


def test_a_category_that_training_had_not_is_none_of_its_features(shop, labelled):
    features = labelled._predictor().features
    row = {"age": [40.0], "city": ["Paris"], "visits": [3], "member": [True]}
    assert features(pd.DataFrame(row))[1:4, 0].tolist() == [0, 0, 0]
    assert features(pd.DataFrame(row | {"city": ["Oslo"]}))[1:4, 0].tolist() == [0, 1, 0]
    missing = features(pd.DataFrame(row | {"city": [None], "age": [np.nan]}))[:4, 0]
    median = (shop["age"].median() - shop["age"].mean()) / shop["age"].std()
    assert missing[0] == pytest.approx(median, abs=0.1)  # of the training part, which is not all
    assert missing[1:].sum() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda X: X.drop(columns=["age", "city"]),
            "inputs lack age, city; they must have age, city",
        ),
        (
            lambda X: X.to_numpy(object)[:, :3],
            r"inputs have the shape \(61, 3\); they must be rows of 4",
        ),
        (
            lambda X: X.to_numpy(object)[0],
            r"inputs have the shape \(4,\); they must be rows of 4",
        ),
        (lambda X: [[1.0, "Bern", 3, True], [2.0]], r"inputs have the shape \(2,\); they must be rows of 4"),
        (
            lambda X: X.assign(visits=np.nan),
            "input visits: 61 of 61 values are missing, and training had no gap",
        ),
        (lambda X: X.assign(age=np.inf), "input age: 61 of 61 values are infinite$"),
        (
            lambda X: X.assign(age="old"),
            "input age: could not convert string to float",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_a_line_that_names_it(shop, labelled, change, words):
    with pytest.raises(ConfigError, match=f"^X: {words}") as raised:
        labelled.predict(change(shop[["age", "city", "visits", "member"]]))
    assert len(str(raised.value).splitlines()) == 1


def test_a_text_that_may_not_be_missing_says_so():
    one = predictor_of(
        Network((2, 1), "relu"),
        Meaning([Column("city", "text", categories=("Bern", "Oslo"))], True, (0, 1)),
        {"W1": np.ones((1, 2)), "b1": np.zeros((1, 1))},
    )
    with pytest.raises(ValueError, match="^input city: 1 of 2 values are missing, and training had no gap"):
        one.predict(pd.DataFrame({"city": ["Oslo", None]}))


def test_an_input_without_a_name_is_told_by_its_place():
    run = initlab.run(train={"iterations": 20}, tracking=UNTRACKED)
    with pytest.raises(ConfigError, match="^X: input 2: 1 of 3 values are missing"):
        run.predict([[0.0, 1.0], [1.0, None], [2.0, 3.0]])


def test_a_run_that_diverged_predicts_nothing():
    run = initlab.run("optimizer.learning_rate=1e200", train={"iterations": 23}, tracking=UNTRACKED)
    with pytest.raises(InitlabError, match=r"^run he-seed3: diverged at iteration \d+, and so predicts"):
        run.predict([[0.0, 1.0]])


def test_answers_that_are_not_finite_are_an_error_and_no_class():
    run = initlab.run("model.activation=exponential", train={"iterations": 23}, tracking=UNTRACKED)
    with pytest.raises(ConfigError, match="^X: the network has no finite answer: it has diverged"):
        run.predict([[1e200, 1.0]])


def test_it_is_the_same_once_it_was_written_and_read(tmp_path, shop, labelled):
    one = labelled._predictor()
    for name, content in one.files.items():
        (tmp_path / name).write_bytes(content)
    read = Predictor.read(tmp_path)
    assert np.array_equal(read.predict_proba(shop), one.predict_proba(shop))
    assert read.files == one.files


@pytest.mark.parametrize("target", ["label", "spent"])
def test_a_loaded_run_predicts_where_its_table_is_gone(shop, target):
    dropped = "dataset.drop=[spent,size]" if target == "label" else "dataset.drop=[label,size]"
    run = run_on_shop(f"dataset.target={target}", dropped, iterations=50, uri="sqlite:///mlruns/mlflow.db")
    expected = run.predict(shop)
    Path("shop.csv").rename("gone.csv")
    loaded = initlab.load(run.run_id)
    assert loaded.predict(shop).tolist() == expected.tolist()
    assert loaded.classes == run.classes
    Path("gone.csv").rename("shop.csv")


def test_a_broken_description_of_a_table_is_named_in_a_line(shop):
    run = run_on_shop("dataset.target=label", iterations=20, uri="sqlite:///mlruns/mlflow.db")
    [kept] = Path("mlruns").glob(f"**/{run.run_id}/**/preprocessing.json")
    said = json.loads(kept.read_text())
    kept.write_text(json.dumps(said | {"scales": {}}))
    with pytest.raises(InitlabError, match=rf"^run {run.run_id}: preprocessing.json: cannot be read: 'age'$"):
        initlab.load(run.run_id).predict(shop)
    del said["columns"]  # as runs left it that are older than the columns' kinds
    kept.write_text(json.dumps(said))
    assert initlab.load(run.run_id).predict(shop).tolist() == run.predict(shop).tolist()


def test_loaded_runs_of_other_data_predict_too(folder, monkeypatch):
    monkeypatch.chdir(folder)
    run = initlab.run("dataset=wine", "model.normalization=batch", train={"iterations": 23})
    X = load_wine(as_frame=True).data
    assert initlab.load(run.run_id).predict(X).tolist() == run.predict(X.to_numpy()).tolist()
    with pytest.raises(ConfigError, match="^X: inputs lack alcohol; they must have alcohol, malic_acid"):
        run.predict(X.rename(columns={"alcohol": "Alkohol"}))
