"""The microscope, from the real command to what it leaves in a real store."""

import math
import re

import numpy as np
import pytest
from conftest import run_python, runs_of
from hydra import compose, initialize_config_module
from mlflow import MlflowClient
from PIL import Image

import initlab.terminal.propagate  # noqa: F401  registers the resolver that the config's folders use
from initlab.errors import ConfigError
from initlab.propagation import run as microscope_run
from initlab.propagation import setup as microscope
from initlab.propagation.curves import curves_of
from initlab.propagation.report import describe, picture_of
from initlab.propagation.run import look
from initlab.propagation.setup import observe, setup_of
from initlab.propagation.verdict import depth_line, overflow_line, verdict_line, verdict_of
from initlab.terminal.propagation_table import columns_of

CHOICES = {"model": "deep", "init": "he", "bias": "own"}
SMALL = ("model.depth=7", "model.width=23", "seeds=11")
BY_LAYER = {
    "forward/mean_square", "forward/low", "forward/high",
    "forward/predicted", "forward/predicted_low", "forward/predicted_high",
    "forward/predicted_median", "correlation/predicted_median", "gradient/predicted_median",
    "correlation/inputs", "correlation/low", "correlation/high",
    "correlation/predicted", "correlation/predicted_low", "correlation/predicted_high",
    "gradient/mean_square", "gradient/low", "gradient/high",
    "gradient/predicted", "gradient/predicted_low", "gradient/predicted_high",
}  # fmt: skip


def composed(*overrides):
    with initialize_config_module("initlab.conf", version_base="1.3"):
        return compose("propagate", overrides=list(overrides))


def seen(*overrides):
    return observe(setup_of(composed(*overrides)))


def rows_of(curves):
    return list(zip(*(column.cells for block in columns_of(curves) for column in block), strict=True))


@pytest.fixture
def propagate(folder):
    def run(*arguments, **changes):
        return run_python("-m", "src.propagate", *arguments, folder=folder, **changes)

    return run


def test_the_command_logs_every_layer_beside_the_theory(propagate, client, folder):
    done = propagate(*SMALL, "model.activation=tanh", "init=xavier")
    assert done.returncode == 0, done.stderr
    [run] = runs_of(client, "initlab-propagation")
    assert run.info.status == "FINISHED"
    assert run.data.params["model.depth"] == "7"
    expected = {"init": "xavier", "model": "deep", "activation": "tanh", "seed": "3"}
    assert expected.items() <= run.data.tags.items()
    assert run.data.tags["verdict"] == "critical in the limit"  # over these layers gradients fall to a tenth
    assert {"critical_sigma_w", "sigma_w", "chi", "depth_scale"} <= set(run.data.metrics)
    assert run.data.metrics["critical_sigma_w"] == pytest.approx(1, rel=1e-9)
    assert set(run.data.metrics) >= BY_LAYER
    for key in BY_LAYER:
        assert [one.step for one in client.get_metric_history(run.info.run_id, key)] == list(range(1, 8))
    check_files(client, run.info.run_id, folder / "downloads")
    assert "theory" in run.data.tags["mlflow.note.content"]
    assert "drawn 11 times" in run.data.tags["mlflow.note.content"]
    assert "xavier · 7 hidden layers of 23 tanh units, 11 seeds" in done.stdout
    assert "critical in the limit: χ⊥ = " in done.stdout
    assert run.info.run_id in done.stdout
    assert len(done.stdout.splitlines()) < 20


def check_files(client: MlflowClient, run_id, folder):
    folder.mkdir()
    files = {one.path for one in client.list_artifacts(run_id)}
    assert files == {"config.yaml", "propagation.npz", "propagation.png"}
    with np.load(client.download_artifacts(run_id, "propagation.npz", str(folder))) as arrays:
        assert arrays["mean_squares"].shape == arrays["gradients"].shape == (11, 7)
        assert arrays["seeds"].tolist() == list(range(3, 14))
        history = client.get_metric_history(run_id, "forward/mean_square")
        medians = np.median(arrays["mean_squares"], axis=0)
        np.testing.assert_allclose([one.value for one in history], medians, rtol=1e-12)
        assert arrays["predicted_correlations"].shape == (7,)
    with Image.open(client.download_artifacts(run_id, "propagation.png", str(folder))) as picture:
        assert picture.width == 760


def test_a_sweep_makes_a_run_of_each_start_and_a_failing_one_stops_no_other(propagate, client):
    done = propagate("-m", "init=he,zeros", "model.depth=5,0", "model.width=13", "seeds=2")
    assert done.returncode == 1
    runs = runs_of(client, "initlab-propagation")
    found = {(run.data.tags["init"], run.data.params["model.depth"]): run for run in runs}
    assert set(found) == {("he", "5"), ("zeros", "5")}
    assert len({run.data.tags["sweep"] for run in runs}) == 1
    assert found["zeros", "5"].data.tags["verdict"] == "ordered"
    assert found["zeros", "5"].data.metrics["forward/mean_square"] == 0
    assert found["zeros", "5"].data.metrics["forward/predicted"] == 0
    assert "correlation/inputs" not in found["zeros", "5"].data.metrics
    failures = done.stderr.splitlines()
    assert len(failures) == 2
    assert "init=he model.depth=0" in failures[0]
    assert "model.depth=0: must be a whole number of at least 1" in failures[0]


def test_an_unknown_start_is_answered_with_the_choices(propagate):
    done = propagate("init=hee")
    assert done.returncode == 1
    assert "Could not find 'init/hee'" in done.stderr
    assert "orthogonal" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_lists_the_groups_of_the_microscope_and_no_others(propagate):
    done = propagate("--help")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "model: deep, mlp" in lines
    assert "bias: constant, normal, own, uniform, zeros" in lines
    assert any(line.startswith("init: ") and "orthogonal, " in line for line in lines)
    for other in ("dataset", "optimizer", "schedule", "diagnostics", "experiment"):
        assert not any(line.startswith(f"{other}:") for line in lines)


def test_a_wrong_value_ends_in_one_line_and_no_run(propagate, client):
    done = propagate("input.correlation=1.5")
    assert done.returncode == 1
    assert done.stderr == "input.correlation=1.5: must be a number from -1 to 1\n"
    assert runs_of(client, "initlab-propagation") == []


@pytest.mark.parametrize(("override", "words"), [
    ("seeds=0", "seeds=0: must be a whole number of at least 1"),
    ("seed=4294967290", "seeds=100: the last seed must be at most 4294967295"),
    ("input.mean_square=0", "input.mean_square=0: must be a finite number greater than 0"),
    ("input.size=-3", "input.size=-3: must be null or a whole number"),
    ("input=5", "input=5: must be a section"),
    ("tracking.uri=5", "tracking.uri=5: must be null or an MLflow tracking URI"),
    ("init._target_=os.system", "init._target_=os.system: is outside of initlab"),
    ("~seeds", "seeds: is missing"),
    ("+input.sise=3", "input.sise: is not a setting"),
])  # fmt: skip
def test_a_config_that_cannot_be_looked_at_says_why(override, words):
    with pytest.raises(ConfigError) as raised:
        setup_of(composed(override))
    assert words in str(raised.value)


def test_a_network_without_hidden_layers_is_refused():
    with pytest.raises(ConfigError, match="model: has no hidden layer"):
        setup_of(composed("model=mlp", "model.hidden=[]"))


def test_one_number_has_no_correlation_between():
    with pytest.raises(ConfigError, match=r"^input\.size=1: must be at least 2 for two inputs"):
        setup_of(composed("input.size=1"))
    with pytest.raises(ConfigError, match=r"^input\.size=null \(as many .* units: 1\): must be at least 2"):
        setup_of(composed("model.width=1"))
    assert setup_of(composed("model.width=1", "input.correlation=-1")).network.sizes[0] == 1


def test_the_input_is_as_wide_as_the_first_hidden_layer_unless_it_is_said():
    assert setup_of(composed("model.width=17")).network.sizes[0] == 17
    assert setup_of(composed("model=mlp", "model.hidden=[13,5]")).network.sizes == (13, 13, 5, 1)
    assert setup_of(composed("input.size=5")).network.sizes[0] == 5


@pytest.mark.parametrize(("overrides", "verdict"), [
    (["init=he"], "critical"),
    (["init=xavier"], "ordered"),
    (["init=random", "init.scale=1"], "chaotic"),
    (["init=xavier", "model.activation=tanh"], "critical"),
    (["init=he", "model.activation=tanh"], "chaotic"),
    (["init=mean_field", "init.sigma_w=1.327", "init.sigma_b=0.22361", "model.activation=tanh"], "critical"),
    (["init=zeros"], "ordered"),
    (["init=constant"], "none"),
    (["init=he", "model.residual=true"], "none"),
])  # fmt: skip
def test_the_verdict_is_the_known_one(overrides, verdict):
    observation = seen("model.depth=5", "model.width=97", "seeds=13", *overrides)
    assert verdict_of(observation) == verdict
    assert verdict_line(observation).startswith("no verdict" if verdict == "none" else verdict)


@pytest.mark.parametrize(("overrides", "words"), [
    (["init.sigma_w=2"], "signals and gradients grow"),
    (["init.sigma_w=1"], "signals and gradients shrink"),
    (["init.sigma_w=2", "model.activation=linear"], "signals and gradients grow"),
    (["init.sigma_w=0.7", "model.activation=leaky_relu"], "signals and gradients shrink"),
    (["init.sigma_w=2", "model.activation=gelu"], "signals and gradients grow"),
    (["init.sigma_w=0.8", "model.activation=tanh"], "signals and gradients shrink"),
])  # fmt: skip
def test_of_signals_that_vanish_or_grow_for_ever_only_the_size_is_told(overrides, words):
    observation = seen("model.depth=5", "model.width=97", "seeds=13", "init=mean_field", *overrides)
    line = verdict_line(observation)
    assert words in line
    for word in ("apart", "alike", "forgotten"):
        assert word not in line
    assert ("critical" in line) == ("model.activation=gelu" not in overrides)


@pytest.mark.parametrize("seed", [3, 1001])
@pytest.mark.parametrize("init", ["kaiming", "lsuv"])
@pytest.mark.parametrize("activation", ["gelu", "silu"])
def test_where_signals_leave_their_fixed_point_every_seed_says_so(activation, init, seed):
    one = ("seeds=1", f"seed={seed}", "model.depth=10", "model.width=53")
    observation = seen(*one, f"init={init}", f"model.activation={activation}")
    assert verdict_of(observation) == "unstable"
    assert "signals leave it" in verdict_line(observation)


def test_layers_that_differ_are_multiplied():
    wide_and_narrow = ("model=mlp", "model.hidden=[300,50,300,50,300]", "model.activation=linear")
    observation = seen(*wide_and_narrow, "init=glorot_normal", "seeds=7")
    assert observation.phase.chi == pytest.approx(0.70, abs=0.005)  # √(2·300/350 · 2·50/350)
    assert verdict_line(observation).startswith("ordered: χ⊥ = 0.7")
    forward = observation.predicted.mean_squares
    assert (forward[-1] / forward[0]) ** (1 / 4) == pytest.approx(observation.phase.chi, rel=1e-9)


SENTENCE = re.compile(
    r"layer (\d+) down to layer 1 a gradient's mean square (falls|grows|stays) (?:to|at) (\S+)"
)


@pytest.mark.parametrize("overrides", [
    ["init=he", "model.depth=60"], ["init=xavier", "model.activation=tanh", "model.depth=60"],
    ["init=random", "init.scale=1", "model.depth=5"], ["init=orthogonal", "model.activation=linear"],
    ["init=he", "model.residual=true"], ["init=kaiming", "model.activation=gelu", "seeds=1"],
    ["init=xavier", "model.activation=sin", "input.mean_square=30"], ["init=pytorch_default"],
])  # fmt: skip
def test_what_is_said_of_the_whole_depth_stands_in_the_table(overrides):
    observation = seen("model.width=31", "seeds=7", *overrides)
    curves = curves_of(observation)
    first = rows_of(curves)[0]
    gradient = first[-3] if not np.isnan(curves.gradient.band_low).all() else first[-2]
    layers, verb, said = SENTENCE.search(depth_line(curves)).groups()
    assert int(layers) == len(curves.gradient.median)
    value = float(said) / (100 if " %" in depth_line(curves).split("(")[0] else 1)
    assert value == pytest.approx(float(gradient), rel=0.006)
    assert {"falls": value < 1, "grows": value > 1, "stays": value == pytest.approx(1, rel=1e-3)}[verb]
    if verdict_of(observation) == "critical":
        assert 0.1 <= float(curves.gradient.theory[0]) <= 10


def test_of_signals_that_keep_a_size_it_is_told_whether_inputs_stay_apart():
    tanh = (*SMALL, "init=mean_field", "model.activation=tanh", "init.sigma_b=0.3")
    assert "move apart and gradients explode" in verdict_line(seen(*tanh, "init.sigma_w=3"))
    assert "become alike and gradients vanish" in verdict_line(seen(*tanh, "init.sigma_w=0.5"))
    # Biases give ReLU's signals a size too, and every input ends as the same.
    assert "become alike" in verdict_line(
        seen(*SMALL, "init=mean_field", "init.sigma_b=0.3", "init.sigma_w=1")
    )


def test_of_residual_layers_nothing_is_said_that_the_table_denies():
    observation = seen(*SMALL, "model.residual=true", "model.activation=tanh")
    medians = curves_of(observation).forward.median
    assert medians[1] < medians[0]  # the second layer hears tanh of the first, and nothing was added yet
    assert "grows" not in verdict_line(observation)


def test_what_overflows_is_shown_as_infinite_and_its_gradients_as_missing():
    observation = seen("model.depth=101", "model.width=23", "seeds=4", "init=random", "init.scale=1e3")
    rows = rows_of(curves_of(observation))
    assert (rows[-1][1], rows[-1][7], rows[0][7]) == ("∞", "–", "–")
    assert picture_of(curves_of(observation), "overflow", "").startswith(b"\x89PNG")
    assert overflow_line(observation).startswith("In 4 of 4 networks numbers overflow")
    assert "In 4 of 4 networks" in describe(setup_of(composed("seeds=4")), CHOICES, observation)
    assert overflow_line(seen(*SMALL)) == ""


def test_orthogonal_linear_layers_keep_a_signal_and_a_gradient_exactly():
    observation = seen(*SMALL, "init=orthogonal", "model.activation=linear", "init.gain=1")
    np.testing.assert_allclose(observation.measured.mean_squares, 1, rtol=1e-12)
    np.testing.assert_allclose(observation.measured.gradients, 1, rtol=1e-12)
    np.testing.assert_allclose(observation.measured.correlations, 0.5, rtol=1e-12)


def test_a_start_that_measures_data_gets_inputs():
    observation = seen("model.depth=5", "model.width=97", "seeds=7", "init=lsuv", "model.activation=tanh")
    np.testing.assert_allclose(observation.measured.mean_squares.mean(axis=0), 1, rtol=0.15)


def test_pytorchs_default_has_a_third_of_the_variance():
    observation = seen("model.depth=5", "model.width=97", "seeds=7", "init=pytorch_default")
    np.testing.assert_allclose(observation.given.sigma_w2, 1 / 3, rtol=0.02)
    assert observation.phase.critical_sigma_w == pytest.approx(math.sqrt(2), rel=1e-9)
    assert observation.phase.verdict == "ordered"


def test_large_stacks_are_split_and_give_the_same_bits(monkeypatch):
    together = seen(*SMALL).measured
    monkeypatch.setattr(microscope, "STACK_BYTES", 1)
    apart = seen(*SMALL).measured
    for name, values in vars(together).items():
        np.testing.assert_array_equal(getattr(apart, name), values, strict=True)


def test_a_deep_network_is_shown_in_at_most_twelve_rows():
    curves = curves_of(seen("model.depth=97", "model.width=7", "seeds=3"))
    rows = rows_of(curves)
    assert len(rows) <= 12
    assert (rows[0][0], rows[-1][0]) == ("1", "97")
    assert {len(row) for row in rows} == {10}
    assert [row[0] for row in rows_of(curves_of(seen(*SMALL)))] == list("1234567")


@pytest.mark.parametrize("residual", ["false", "true"])
def test_a_signal_that_overflows_or_dies_is_kept_as_far_as_it_is_finite(folder, client, residual):
    uri = f"tracking.uri=sqlite:///{folder}/mlruns/mlflow.db"
    cfg = composed(
        "init=random",
        "model.depth=101",
        "model.width=23",
        "seeds=3",
        "init.scale=1e3",
        uri,
        f"model.residual={residual}",
    )
    look(cfg, CHOICES, folder)
    [run] = runs_of(client, "initlab-propagation")
    assert run.info.status == "FINISHED"
    history = client.get_metric_history(run.info.run_id, "forward/mean_square")
    assert 10 < len(history) < 101
    assert all(math.isfinite(one.value) for one in history)


@pytest.mark.parametrize(("error", "status"), [(OSError("no"), "FAILED"), (KeyboardInterrupt(), "KILLED")])
def test_a_run_that_is_not_finished_is_marked(folder, client, monkeypatch, error, status):
    def broken(setup):
        raise error

    monkeypatch.setattr(microscope_run, "observe", broken)
    cfg = composed(*SMALL, f"tracking.uri=sqlite:///{folder}/mlruns/mlflow.db")
    with pytest.raises(type(error)):
        look(cfg, CHOICES, folder)
    [run] = runs_of(client, "initlab-propagation")
    assert run.info.status == status


def test_without_tracking_nothing_is_kept(tmp_path):
    setup, observation, address = look(composed(*SMALL, "tracking.uri=null"), CHOICES, tmp_path)
    assert address is None
    assert list(tmp_path.iterdir()) == []
    assert observation.measured.mean_squares.shape == (setup.settings.seeds, 7)


def test_the_jacobian_is_kept_beside_the_signals(folder, client):
    uri = f"tracking.uri=sqlite:///{folder}/mlruns/mlflow.db"
    _, observation, _ = look(composed(*SMALL, "probe=jacobian", uri), CHOICES, folder)
    [run] = runs_of(client, "initlab-propagation")
    files = {one.path for one in client.list_artifacts(run.info.run_id)}
    assert {"propagation.png", "jacobian.png", "jacobian.npz"} <= files
    history = client.get_metric_history(run.info.run_id, "jacobian/variance")
    assert [one.step for one in history] == list(range(1, 8))
    assert observation.spectra.values[-1].shape == (11, 23)
    assert observation.spectra.predicted[-1] == pytest.approx(14, rel=0.1)  # 2L, by ReLU and Gaussians


def test_a_probe_that_is_none_or_that_a_batch_ties_is_refused():
    with pytest.raises(ConfigError, match=r"^probe=x: must be one of signals, jacobian"):
        setup_of(composed("probe=x"))
    with pytest.raises(ConfigError, match=r"^probe=jacobian: must be signals"):
        setup_of(composed("probe=jacobian", "model.normalization=batch"))
