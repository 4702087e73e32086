"""The headline command on real input, read back through MLflow's own client."""

import io

import numpy as np
import pytest
from conftest import runs_of
from mlflow import MlflowClient
from PIL import Image

PUBLISHED_ZEROS = 0.6931471805599453
PUBLISHED_HE = {
    0: 0.8830537463419761,
    1000: 0.6879825919728063,
    2000: 0.6751286264523371,
    4000: 0.6082958970572938,
    7000: 0.3117803464844441,
    8000: 0.23696215330322562,
    10000: 0.1501555628037182,
    14000: 0.07357895962677366,
}


@pytest.fixture(scope="module")
def client(headline):
    return MlflowClient(f"sqlite:///{headline[0]}/mlruns/mlflow.db")


@pytest.fixture(scope="module")
def runs(client):
    return {run.info.run_name: run for run in runs_of(client)}


def artifact(run, name):
    return (run.info.artifact_uri.removeprefix("file://")) + "/" + name


def test_each_job_is_a_finished_flat_run_with_a_readable_name(runs):
    assert set(runs) == {"zeros-seed3", "random-seed3", "he-seed3"}
    for run in runs.values():
        assert run.info.status == "FINISHED"
        assert "mlflow.parentRunId" not in run.data.tags


def test_the_published_costs_are_read_back_from_mlflow(client, runs):
    he = {m.step: m.value for m in client.get_metric_history(runs["he-seed3"].info.run_id, "cost")}
    assert sorted(he) == list(range(15000))
    for iteration, cost in PUBLISHED_HE.items():
        assert he[iteration] == pytest.approx(cost, rel=1e-9)
    zeros = client.get_metric_history(runs["zeros-seed3"].info.run_id, "cost")
    assert [m.value for m in zeros] == pytest.approx([PUBLISHED_ZEROS] * 15000, rel=1e-12)
    random = client.get_metric_history(runs["random-seed3"].info.run_id, "cost")
    assert random[0].value == pytest.approx(1773.5859549373833, rel=1e-12)


def test_the_published_accuracies_are_final_metrics(runs):
    for name, train, test in (("zeros", 0.5, 0.5), ("random", 0.83, 0.86), ("he", 298 / 300, 0.96)):
        metrics = runs[f"{name}-seed3"].data.metrics
        assert metrics["accuracy/train"] == train
        assert metrics["accuracy/test"] == test
        assert metrics["diverged"] == 0
    assert runs["he-seed3"].data.metrics["final_cost"] == pytest.approx(0.0648101874125114, rel=1e-9)


def test_the_latest_metrics_are_those_of_the_last_step(client, runs):
    run = runs["he-seed3"]
    for key, value in run.data.metrics.items():
        history = client.get_metric_history(run.info.run_id, key)
        assert value == max(history, key=lambda m: m.step).value


def test_diagnostics_are_measured_every_tenth_iteration(client, runs):
    keys = {"grad_norm/global"} | {
        f"{name}/layer{n}" for name in ("grad_norm", "weight_norm", "activation_std") for n in (1, 2, 3)
    }
    keys |= {f"{name}/layer{n}" for name in ("dead_units", "distinct_units") for n in (1, 2)}
    assert keys <= set(runs["he-seed3"].data.metrics)
    steps = [m.step for m in client.get_metric_history(runs["he-seed3"].info.run_id, "grad_norm/layer1")]
    assert sorted(steps) == list(range(0, 15000, 10))
    assert runs["zeros-seed3"].data.metrics["distinct_units/layer1"] == 1
    assert runs["zeros-seed3"].data.metrics["dead_units/layer2"] == 1


def test_every_config_leaf_is_a_parameter(runs):
    params = runs["he-seed3"].data.params
    assert params["model.hidden"] == "[10, 5]"
    assert params["optimizer.learning_rate"] == "0.01"
    assert params["train.batch_size"] == "None"
    assert params["tracking.experiment"] == "initlab"
    assert params["seed"] == "3"


def test_tags_say_what_people_filter_by(runs):
    sweeps = {run.data.tags["sweep"] for run in runs.values()}
    assert len(sweeps) == 1
    tags = runs["random-seed3"].data.tags
    assert {key: tags[key] for key in ("init", "dataset", "model", "optimizer", "seed", "sweep_job")} == {
        "init": "random",
        "dataset": "circles",
        "model": "mlp",
        "optimizer": "gd",
        "seed": "3",
        "sweep_job": "1",
    }
    assert tags["version.numpy"] == np.__version__


def test_the_dataset_is_an_input(runs):
    [dataset_input] = runs["he-seed3"].inputs.dataset_inputs
    assert dataset_input.dataset.name == "circles"
    assert "make_circles" in dataset_input.dataset.source


def test_the_description_says_what_happened_and_the_diagnosis(runs):
    note = runs["he-seed3"].data.tags["mlflow.note.content"]
    assert "0.8831" in note
    assert "0.06481" in note
    assert "**Trained well.** It reaches 99.3% on the training examples and 96.0% on the test" in note


def test_the_exact_history_is_an_artifact(client, runs):
    with np.load(artifact(runs["random-seed3"], "history.npz")) as history:
        assert history["cost"].shape == (15000,)
        logged = client.get_metric_history(runs["random-seed3"].info.run_id, "cost")
        assert np.array_equal(history["cost"], [m.value for m in sorted(logged, key=lambda m: m.step)])
        assert np.array_equal(history["measured_at"], np.arange(0, 15000, 10))
        assert history["grad_norm/global"].shape == (1500,)
        assert history["rarely_measured_at"].tolist()[::9] == [0, 14999]
        assert history["saturation/layer3"].shape == (10,)
        assert history["saturation/layer3"][0] == 1  # as is every example of this start


def test_the_weights_before_and_after_are_artifacts(runs):
    stream = np.random.RandomState(3)
    with np.load(artifact(runs["he-seed3"], "weights.npz")) as weights:
        for layer, shape in enumerate([(10, 2), (5, 10), (1, 5)], start=1):
            start = stream.randn(*shape) * np.sqrt(2 / shape[1])
            assert np.allclose(weights[f"W{layer}_initial"], start, rtol=1e-15)
            assert weights[f"b{layer}"].shape == (shape[0], 1)
            assert not weights[f"b{layer}_initial"].any()
            assert not np.array_equal(weights[f"W{layer}"], start)


def test_pictures_are_artifacts(runs):
    for name in ("boundary.png", "cost.png"):
        with Image.open(artifact(runs["he-seed3"], name)) as picture:
            assert min(picture.size) > 250


def test_the_boundary_is_logged_with_steps_the_last_one_included(client, runs):
    images = [f.path for f in client.list_artifacts(runs["he-seed3"].info.run_id, "images")]
    steps = sorted(int(path.split("+step+")[1].split("+")[0]) for path in images if path.endswith(".png"))
    assert steps == [0, 10, 121, 1354, 14999]
    assert len([path for path in images if path.endswith("+compressed.webp")]) == 5
    assert runs["he-seed3"].data.tags["mlflow.loggedImages"] == "True"


def test_the_terminal_closes_with_one_table_and_the_address(headline):
    lines = headline[1].stdout.splitlines()
    table = lines[[line.split()[:1] == ["init"] for line in lines].index(True) :]
    assert [line.split()[0] for line in table[1:4]] == ["zeros", "random", "he"]
    assert "0.06481" in table[3]
    assert table[4] == "One seed decides nothing between he, zeros and random: it takes at least 9."
    view, pictures, report = table[6], table[8], table[10]
    assert table[5::2] == [
        "The comparison in MLflow (initlab ui):",
        "Its pictures, side by side in MLflow:",
        "Report:",
    ]
    charts = (
        "/#/experiments/1/runs?workflowType=machine_learning&compareRunsMode=CHART&viewStateShareKey=initlab-"
    )
    assert charts in view
    assert pictures.endswith("/artifacts/comparison.png?workflowType=machine_learning")
    assert (headline[0] / report).is_file()
    assert "\x1b" not in headline[1].stdout


def test_the_config_artifact_holds_the_whole_config(runs):
    from omegaconf import OmegaConf

    with open(artifact(runs["he-seed3"], "config.yaml"), "rb") as file:
        saved = OmegaConf.load(io.StringIO(file.read().decode()))
    assert saved.init._target_ == "initlab.initializers.he"
    assert saved.train.iterations == 15000
