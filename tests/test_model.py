"""A run's network as an MLflow model: what MLflow loads, serves and registers says what the run says."""

import json
import shutil
import subprocess
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from conftest import environment, folder_with, free_port, mlflow_server, run_command, runs_of
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from sklearn.datasets import load_wine

import initlab
from initlab.errors import ConfigError, InitlabError, TrackingError
from initlab.runs.identity import identity_of
from initlab.runs.job import build
from initlab.runs.rerun import rerun
from initlab.runs.train import run_each
from initlab.tracking import link, logged_model
from initlab.tracking.delivery import deliver_waiting
from initlab.tracking.moved import bring_here, moved_in

with warnings.catch_warnings():  # of MLflow's about types of its own
    warnings.simplefilter("ignore")
    import mlflow.pyfunc

SHORT = ("train.iterations=20", "plots.frames=0", "report.keep=false")
FILES = {
    "MLmodel",
    "conda.yaml",
    "input_example.json",
    "network/network.json",
    "network/weights.npz",
    "network_model.py",
    "python_env.yaml",
    "requirements.txt",
    "serving_input_example.json",
}
# As on a machine without Initlab: importing it is an error there.
WITHOUT_INITLAB = "import sys; sys.modules['initlab'] = None; from mlflow.cli import cli; cli()"


@pytest.fixture(scope="module")
def store(tmp_path_factory, migrated_database):
    """The tracking URI of a stack on wine whose networks are models, and of a run on a table."""
    folder = folder_with(migrated_database, tmp_path_factory.mktemp("models"))
    (folder / "shop.csv").write_text(
        "age,city,visits,member,label\n"
        + "".join(
            f"{18.5 + n},{('Bern', 'Oslo', '')[n % 3]},{n % 7},{n % 5 > 2},{'no' if n < 30 else 'yes'}\n"
            for n in range(61)
        )
    )
    asked = ("tracking.model=true", *SHORT)
    done = run_command("-m", "dataset=wine", "init=he,xavier", *asked, folder=folder)
    assert done.returncode == 0, done.stderr
    table = ("dataset=table", "dataset.path=shop.csv", "dataset.target=label", "dataset.missing=median")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri := f"sqlite:///{folder}/mlruns/mlflow.db")
        patch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
        patch.chdir(folder)
        initlab.run(*table, *asked)
        yield uri


@pytest.fixture(scope="module")
def runs(store):
    """The runs' ids by what tells each: its start, or that it is the table's."""
    tracked = runs_of(MlflowClient(store))
    found = {(run.data.tags["dataset"], run.data.tags["init"]): run.info.run_id for run in tracked}
    return {"he": found["wine", "he"], "xavier": found["wine", "xavier"], "table": found["table", "he"]}


def folder_of(store, run_id):
    place = MlflowClient(store).get_run(run_id).info.artifact_uri
    return Path(place.removeprefix("file://")) / "model"


def test_each_run_of_a_stack_leaves_its_own_network_as_a_model_that_says_what_the_run_says(store, runs):
    X, said = load_wine().data, []
    for init in ("he", "xavier"):
        model, run = mlflow.pyfunc.load_model(f"runs:/{runs[init]}/model"), initlab.load(runs[init], store)
        assert model.metadata.run_id == run.run_id
        assert model.predict(X).tolist() == run.predict(X).tolist()
        chances = model.predict(X, params={"probabilities": True})
        assert tuple(chances.columns) == run.classes == ("class_0", "class_1", "class_2")
        assert np.array_equal(chances, run.predict_proba(X))
        said.append(chances.to_numpy())
    assert not np.allclose(*said)


def test_its_files_are_code_and_arrays_and_name_no_path_of_this_machine(store, runs):
    folder = folder_of(store, runs["xavier"])
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {name for name in found if "__pycache__" not in name} == FILES
    texts = [(folder / name).read_text() for name in FILES if not name.endswith(".npz")]
    places = (f"{Path(store.removeprefix('sqlite:///')).parents[1]}", f"{Path.home()}/", sys.prefix)
    assert not [text for text in texts if any(place in text for place in places)]
    with np.load(folder / "network/weights.npz", allow_pickle=False) as arrays:
        assert set(arrays) == {"W1", "b1", "W2", "b2", "W3", "b3"}
    pinned = (folder / "requirements.txt").read_text().split()
    assert pinned == [f"{name}=={version(name)}" for name in ("mlflow", "numpy", "pandas")]


def test_a_tables_model_takes_its_columns_by_name_with_the_types_they_had(store, runs):
    model, run = mlflow.pyfunc.load_model(f"runs:/{runs['table']}/model"), initlab.load(runs["table"], store)
    types = {spec.name: spec.type.name for spec in model.metadata.get_input_schema()}
    assert types == {"age": "double", "city": "string", "visits": "long", "member": "boolean"}
    frame = pd.read_csv(Path(store.removeprefix("sqlite:///")).parents[1] / "shop.csv")[list(types)]
    assert model.predict(frame[list(types)[::-1]]).tolist() == run.predict(frame).tolist()
    assert set(model.predict(frame)) <= {"no", "yes"}
    with pytest.raises(MlflowException, match=r"Model is missing inputs \['city'\]"):
        model.predict(frame.drop(columns="city"))


@pytest.mark.parametrize(("of", "row"), [("table", ["Bern", True]), ("he", [])])
def test_its_input_example_is_a_row_of_means_that_it_answers(store, runs, of, row):
    folder = folder_of(store, runs[of])
    example = Model.load(str(folder)).load_input_example(str(folder))
    model = mlflow.pyfunc.load_model(str(folder))
    assert len(model.predict(example)) == 1
    request = json.loads((folder / "serving_input_example.json").read_text())
    if of == "table":
        assert example.iloc[0, [1, 3]].tolist() == [row[0], False]
        assert request["dataframe_split"]["columns"] == ["age", "city", "visits", "member"]
    else:
        assert np.array_equal(request["inputs"], example)
        np.testing.assert_allclose(example[0], load_wine().data.mean(axis=0), rtol=0.1)


def test_mlflow_predicts_from_a_file_by_an_alias_of_the_registry_where_initlab_is_not_installed(
    store, runs, tmp_path
):
    client = MlflowClient(store)
    registered = mlflow.register_model(f"runs:/{runs['he']}/model", "wine")
    client.set_registered_model_alias("wine", "champion", registered.version)
    frame = load_wine(as_frame=True).data[::17]
    frame.to_csv(tmp_path / "wine.csv", index=False)
    predict = ("models", "predict", "-m", "models:/wine@champion", "--env-manager", "local")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_INITLAB, *predict, "-i", "wine.csv", "-t", "csv", "-o", "out.json"],
        cwd=tmp_path,
        env=environment(MLFLOW_TRACKING_URI=store, MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads((tmp_path / "out.json").read_text())["predictions"]
    assert said == initlab.load(runs["he"], store).predict(frame).tolist()


def test_mlflows_pages_are_told_of_it(store, runs):
    [told] = json.loads(MlflowClient(store).get_run(runs["he"]).data.tags["mlflow.log-model.history"])
    assert told["artifact_path"] == "model"
    assert told["run_id"] == runs["he"]
    assert list(told["flavors"]) == ["python_function"]


def test_a_finished_run_becomes_a_logged_model_of_its_experiment_once(store, runs):
    client, run = MlflowClient(store), initlab.load(runs["xavier"], store)
    rows = len(client.get_metric_history(run.run_id, "final_cost"))
    address = run.log_model()
    assert initlab.load(runs["xavier"], store).log_model() == address
    [model] = client.search_logged_models([client.get_run(run.run_id).info.experiment_id])
    assert (address, model.name, model.status.name) == (f"models:/{model.model_id}", "model", "READY")
    assert (model.source_run_id, model.params["init"]) == (run.run_id, "xavier")
    assert {metric.key: metric.value for metric in model.metrics} == run.summary.metrics
    assert [one.model_id for one in client.get_run(run.run_id).outputs.model_outputs] == [model.model_id]
    assert len(client.get_metric_history(run.run_id, "final_cost")) == rows == 1
    X = load_wine().data
    for uri in (address, f"runs:/{run.run_id}/model"):
        loaded = mlflow.pyfunc.load_model(uri)
        assert loaded.metadata.model_id == model.model_id
        assert loaded.predict(X).tolist() == run.predict(X).tolist()


def test_a_logged_model_that_cannot_be_made_whole_leaves_no_entry(store, runs, monkeypatch):
    client, run = MlflowClient(store), initlab.load(runs["table"], store)

    def full(*_):
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(logged_model, "_upload", full)
        with pytest.raises(TrackingError, match=f"^run {run.run_id}: .* as a model: No space left on device"):
            run.log_model()
    experiment = client.get_run(run.run_id).info.experiment_id
    assert not client.search_logged_models([experiment], f"source_run_id = '{run.run_id}'")
    frame = pd.DataFrame({"age": [20.5], "city": ["Oslo"], "visits": [3], "member": [True]})
    assert mlflow.pyfunc.load_model(run.log_model()).predict(frame).tolist() == run.predict(frame).tolist()


def test_a_copied_projects_models_are_where_it_is_once_the_doctor_has_its_database_say_so(
    folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    run = initlab.run(train={"iterations": 20})
    model_id = run.log_model().rpartition("/")[2]
    shutil.copytree(folder / "mlruns", (now := tmp_path / "copy") / "mlruns")
    uri = f"sqlite:///{now}/mlruns/mlflow.db"
    with pytest.raises(TrackingError, match="was moved; .*: initlab doctor fix=true$"):
        initlab.load(run.run_id, uri).log_model()
    moved = moved_in(uri)
    place = now / "mlruns" / "artifacts" / "models" / model_id / "artifacts"
    assert moved.models == {model_id: place.as_uri()}
    bring_here(uri, moved)
    assert MlflowClient(uri).get_logged_model(model_id).artifact_location == place.as_uri()
    assert (place / "MLmodel").is_file()


def test_no_run_leaves_a_model_unless_asked_and_none_that_diverged(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    plain = initlab.run(train={"iterations": 20})
    asked = {"tracking": {"model": True}, "train": {"iterations": 20}}
    assert plain.run_id is not None
    diverged = initlab.run("optimizer.learning_rate=1e200", **asked)
    with pytest.raises(InitlabError, match="^run he-seed3: diverged at iteration .* predicts nothing$"):
        diverged.log_model()
    untracked = initlab.run(train={"iterations": 20}, tracking={"uri": None})
    with pytest.raises(InitlabError, match="^run he-seed3: no store holds it, and a model belongs to"):
        untracked.log_model()
    assert not list(folder.glob("mlruns/**/MLmodel"))


def test_a_model_changes_nothing_of_what_a_run_is(config):
    with_model, without = (build(config(f"tracking.model={value}"), {}) for value in ("true", "false"))
    assert identity_of(with_model) == identity_of(without)


def test_a_model_that_no_run_would_hold_is_refused_in_one_line_but_not_in_parts_of_a_search(config):
    untracked = ("tracking.model=true", "tracking.uri=null")
    with pytest.raises(ConfigError) as told:
        build(config(*untracked), {})
    assert str(told.value) == (
        "tracking.model=true: a model is among a tracked run's files, and tracking.uri=null tracks none; "
        "leave out one of the two"
    )
    assert build(config(*untracked, "stretch=[0,5]"), {}).settings.tracking.model


def test_a_run_with_a_model_is_trained_again_as_any_other(store, runs):
    assert not rerun(runs["he"], store, []).partings


def test_a_regressions_model_says_numbers_and_takes_no_parameter(config, folder, monkeypatch):
    monkeypatch.chdir(folder)
    uri = f"sqlite:///{folder}/mlruns/mlflow.db"
    run = initlab.run(
        "dataset=diabetes",
        "model.activation=gelu",
        train={"iterations": 20},
        tracking={"model": True, "uri": uri},
    )
    [place] = folder.glob("mlruns/**/MLmodel")
    model = mlflow.pyfunc.load_model(str(place.parent))
    assert model.metadata.signature.params is None
    assert "scipy==" in (place.parent / "requirements.txt").read_text()
    X = np.abs(np.random.RandomState(3).standard_normal((7, 10)))
    assert np.array_equal(model.predict(X), run.predict(X))


def test_it_arrives_at_a_server_that_was_away_as_at_one_that_answers(config, folder, monkeypatch):
    monkeypatch.setattr(link, "SECONDS_TO_WAIT", 0.3)
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    about = (f"tracking.uri={uri}", "tracking.model=true", *SHORT)
    first, second = ([config(*about, f"seed={seed}")] for seed in (3, 4))
    [(_, done)] = run_each(first, folder=folder, say=lambda line: None)
    assert done.summary.final_cost is not None
    assert len(list(folder.glob("mlruns/spool/*/files/model/MLmodel"))) == 1
    with mlflow_server(folder, "--artifacts-destination", folder / "served", port=port):
        assert deliver_waiting(uri, folder).runs == 1
        list(run_each(second, folder=folder))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        found = {run.data.tags["seed"]: run.info.run_id for run in runs_of(MlflowClient(uri))}
        X = np.random.RandomState(3).standard_normal((7, 2))
        for seed in ("3", "4"):
            model = mlflow.pyfunc.load_model(f"runs:/{found[seed]}/model")
            assert model.predict(X).tolist() == initlab.load(found[seed], uri).predict(X).tolist()
            assert model.metadata.run_id in (None, found[seed])
        run = initlab.load(found["4"], uri)
        logged = mlflow.pyfunc.load_model(run.log_model())
        assert logged.predict(X).tolist() == run.predict(X).tolist()
        assert [model.source_run_id for model in MlflowClient(uri).search_logged_models(["1"])] == [
            run.run_id
        ]
