"""The public face: run, sweep, load and start, as a script or a notebook calls them."""

import builtins
import doctest
import io
import os
import re
import subprocess
import sys
import types
from importlib import import_module

import numpy as np
import pytest
from conftest import environment, folder_with, mlflow_server, run_python, runs_of
from matplotlib.figure import Figure
from mlflow import MlflowClient
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

import initlab
from initlab.errors import ConfigError, InitlabError, TrackingError
from initlab.face.in_process import overrides_of
from initlab.streams import WEIGHTS, stream

SHORT = {"iterations": 23}
UNTRACKED = {"uri": None}


@pytest.fixture(autouse=True)
def _here(folder, monkeypatch):
    """Everything is called from a folder with an empty database."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(folder)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, migrated_database):
    """A tracked run and the URI of its store."""
    folder = folder_with(migrated_database, tmp_path_factory.mktemp("trained"))
    uri = f"sqlite:///{folder}/mlruns/mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return initlab.run("init=he", "dataset=wine", seed=5, train=SHORT, tracking={"uri": uri}), uri


def test_importing_it_imports_nothing_else():
    code = (
        "import sys; before = set(sys.modules); import initlab; found = set(sys.modules) - before\n"
        "print({name.split('.')[0] for name in found} - sys.stdlib_module_names)\n"
        "print(dir(initlab)); from initlab import run"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    imported, face = done.stdout.splitlines()
    assert imported == "{'initlab'}"
    assert face == "['Run', 'Sweep', '__version__', 'load', 'run', 'start', 'sweep']"
    assert done.stderr == ""


def test_a_name_it_has_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'train'"):
        _ = initlab.train


@pytest.mark.parametrize("name", ["run", "sweep", "start"])
def test_the_examples_of_its_docstrings_are_true(name):
    said = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder().find(import_module(f"initlab.face.{name}")):
        runner.run(test, out=said.write)
    assert runner.summarize(verbose=False).attempted > 0
    assert said.getvalue() == ""


def test_a_run_has_the_bits_of_the_command(command, client):
    ours = initlab.run("init=he", "model.hidden=[7,3]", seed=11, train=SHORT)
    command("init=he", "model.hidden=[7,3]", "seed=11", "train.iterations=23")
    one, other = (initlab.load(run.info.run_id) for run in runs_of(client))
    assert ours.run_id in (one.run_id, other.run_id)
    assert np.array_equal(one.history["cost"], other.history["cost"])
    assert np.array_equal(ours.history["cost"], other.history["cost"])
    assert one.config == other.config


def test_a_run_that_is_loaded_is_the_run_that_was_trained(trained):
    run, uri = trained
    loaded = initlab.load(run.run_id, uri)
    assert repr(loaded) == repr(run)
    assert loaded.config == run.config
    for ours, theirs in ((loaded.history, run.history), (loaded.weights, run.weights)):
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[key], theirs[key]) for key in ours)
    assert np.array_equal(loaded.costs, run.costs)
    assert loaded.diagnosis == run.diagnosis
    assert [finding.name for finding in loaded.diagnosis] == loaded.summary.verdicts.split(", ")
    ours, theirs = vars(loaded.summary), vars(run.summary)
    assert {key for key in theirs if ours[key] != theirs[key]} == {"tags"}  # MLflow's own are there too
    assert run.summary.tags.items() <= loaded.summary.tags.items()
    assert loaded.boundary.png == run.boundary.png
    one, other = loaded.plot_boundary(), run.plot_boundary()
    assert np.array_equal(one.images[0].get_array(), other.images[0].get_array())


@pytest.mark.parametrize("overrides", [["dataset=diabetes"], ["optimizer.learning_rate=1e200"]])
def test_regressions_and_diverged_runs_are_loaded_too(overrides):
    run = initlab.run(*overrides, train=SHORT)
    loaded = initlab.load(run.run_id)
    assert repr(loaded) == repr(run)
    assert len(loaded.costs) == len(run.costs)
    assert loaded.summary.diverged_at == run.summary.diverged_at
    assert run.summary.score_train is None or loaded.summary.score_name == run.summary.score_name


def test_a_run_is_loaded_from_a_server(trained):
    run, uri = trained
    folder = uri.removeprefix("sqlite:///").removesuffix("/mlruns/mlflow.db")
    with mlflow_server(folder) as address:
        loaded = initlab.load(run.run_id, address)
        assert np.array_equal(loaded.costs, run.costs)
        assert loaded.boundary.png == run.boundary.png


def test_what_cannot_be_loaded_says_so_in_a_line(client):
    with pytest.raises(TrackingError, match=r"^run none: cannot be read from sqlite:.*not found$"):
        initlab.load("none")
    with pytest.raises(TrackingError, match="nowhere.db: there is no such database"):
        initlab.load("none", "sqlite:///nowhere.db")
    experiment = client.create_experiment("other")
    run_id = client.create_run(experiment).info.run_id
    with pytest.raises(
        TrackingError, match=rf"^run {run_id}: has no config.yaml; it is a run that is RUNNING$"
    ):
        initlab.load(run_id)


def test_a_stored_config_executes_no_code_unless_it_is_trusted(folder, monkeypatch):
    (folder / "my_data.py").write_text(
        "from initlab.datasets import circles\n"
        "def rings(**settings): return circles(n_train=31, n_test=7, noise=0.1, seed=1)\n"
    )
    monkeypatch.syspath_prepend(folder)
    run = initlab.run("~dataset", "+dataset._target_=my_data.rings", allow_targets=["my_data"], train=SHORT)
    del sys.modules["my_data"]
    loaded = initlab.load(run.run_id)
    with pytest.raises(ConfigError, match="my_data.rings: is outside of initlab"):
        loaded.plot()
    assert loaded._repr_html_().count("<img ") == 2  # the pictures that are kept
    assert "my_data" not in sys.modules
    assert initlab.load(run.run_id, allow_targets=["my_data"]).plot().lines


def test_a_pickle_in_a_store_is_not_read(client, tmp_path):
    run = initlab.run(train=SHORT)
    np.savez(tmp_path / "history.npz", cost=np.array([{}], dtype=object))
    client.log_artifact(run.run_id, str(tmp_path / "history.npz"))
    with pytest.raises(TrackingError, match="history.npz: cannot be read"):
        initlab.load(run.run_id)


@pytest.mark.parametrize(
    ("words", "settings", "message"),
    [
        (["init=hee"], {}, r"Could not find 'init/hee'.*Did you mean init=he\?"),
        (
            ["optimizer.lr=0.1"],
            {},
            r"Could not override 'optimizer.lr'.*"
            r"Did you mean optimizer.learning_rate or optimizer.layer_rates\?",
        ),
        (["init=null"], {}, "init=null: must be one of constant, "),
        (["init=zeros,he"], {}, "init=zeros,he: is several runs; initlab.sweep trains them"),
        (["experiment=depth"], {}, "experiment=depth: is several runs; initlab.sweep trains them"),
        (["init"], {}, "^init: cannot be read: missing EQUAL"),
        ([], {"seed": -1}, "seed=-1: must be a whole number from 0"),
        ([], {"train": {"iterations": 0}}, "train.iterations=0: must be a whole number of at least 1"),
    ],
)
def test_a_wrong_override_is_one_readable_line_and_no_run(words, settings, message, client, capfd):
    with pytest.raises(ConfigError, match=message) as raised:
        initlab.run(*words, **settings)
    assert len(str(raised.value).splitlines()) == 1
    assert runs_of(client) == []
    assert capfd.readouterr() == ("", "")


def test_a_wrong_override_of_a_sweep_trains_nothing(client, folder):
    with pytest.raises(ConfigError, match=r"Did you mean init=he\?"):
        initlab.sweep("init=zeros,hee")
    assert runs_of(client) == []
    assert not (folder / "multirun").exists()


def test_keywords_are_overrides():
    given = {"seed": 3, "init": "zeros,he", "tracking": {"uri": None}, "train": {"iterations": np.int64(7)}}
    assert overrides_of(["a=b"], given | {"dataset": {"noise": 1e-05}}) == [
        "a=b", "seed=3", "init=zeros,he", "tracking.uri=null", "train.iterations=7", "dataset.noise=1e-05",
    ]  # fmt: skip
    more = {"seed": range(2, 9, 3), "model": {"hidden": (7, 5), "residual": True}}
    assert overrides_of([], more) == ["seed=range(2, 9, 3)", "model.hidden=[7, 5]", "model.residual=true"]


def test_texts_in_lists_come_through_as_they_are():
    texts = ["it's", "a, b", "back\\slash", "quoted\\' end\\", "null", "3"]
    run = initlab.run(
        *overrides_of([], {"+note": texts}), train=SHORT, tracking=UNTRACKED, plots={"frames": 0}
    )
    assert run.config["note"] == texts


def test_a_sweep_is_that_of_the_command(client):
    sweep = initlab.sweep("init=zeros,he", seed=range(3), train=SHORT, plots={"frames": 0})
    runs = {run.info.run_id: run for run in runs_of(client)}
    assert [summary.name for summary in sweep.summaries] == [
        f"{init}-seed{seed}" for init in ("zeros", "he") for seed in range(3)
    ]
    for summary in sweep.summaries:
        assert runs[summary.run_id].data.metrics["final_cost"] == summary.final_cost
        assert runs[summary.run_id].info.status == "FINISHED"
    assert len({run.data.tags["sweep"] for run in runs.values()}) == 1
    assert len(runs_of(client, "initlab-sweeps")) == 1
    assert sweep.failed == []
    assert repr(sweep) == "<Sweep of 6 runs>"
    alone = initlab.run("init=he", seed=2, train=SHORT, plots={"frames": 0})
    assert np.array_equal(initlab.load(sweep.summaries[-1].run_id).history["cost"], alone.history["cost"])


def test_a_sweeps_frame_holds_numbers_and_its_table_medians():
    rates = "optimizer.learning_rate=0.1,1e-3"
    sweep = initlab.sweep("init=zeros,he", rates, "seed=1,2,3", train=SHORT, plots={"frames": 0})
    frame = sweep.frame()
    assert frame["seed"].tolist() == [1, 2, 3] * 4
    assert frame["optimizer.learning_rate"].tolist() == ([0.1] * 3 + [0.001] * 3) * 2
    best = frame.groupby(["init", "optimizer.learning_rate"]).final_cost.median()
    he = [summary.final_cost for summary in sweep.summaries if summary.tags["init"] == "he"]
    assert best["he", 0.001] == sorted(he[3:])[1]
    assert frame["error"].isna().all()
    lines = str(sweep.table).splitlines()
    assert lines[0].split()[:3] == ["init", "optimizer.learning_rate", "runs"]
    assert len(lines) == 5
    assert repr(sweep.table) == str(sweep.table)
    named = {text.get_text().rsplit("  ", 1)[0] for text in sweep.plot().texts}
    assert named == {f"{init} learning_rate={rate}" for init in ("zeros", "he") for rate in ("0.1", "0.001")}


@pytest.mark.parametrize("launcher", ["stacked", "basic"])
def test_a_failed_job_harms_no_other_and_is_listed(launcher, capfd):
    rates = "optimizer.learning_rate=0.1,-1,1e200"
    sweep = initlab.sweep(rates, f"hydra/launcher={launcher}", train=SHORT, tracking=UNTRACKED)
    assert capfd.readouterr() == ("", "")
    assert repr(sweep) == "<Sweep of 3 runs, 1 failed>"
    [failed] = sweep.failed
    assert "optimizer.learning_rate=-1" in failed.overrides
    assert failed.error == "optimizer.learning_rate=-1: must be a finite number greater than 0"
    assert [summary.diverged_at is None for summary in sweep.summaries] == [True, False]
    assert sweep.frame()["error"].notna().tolist() == [False, True, False]
    assert failed.error in sweep._repr_html_()


def test_a_sweep_without_tracking_has_no_costs_to_plot():
    sweep = initlab.sweep("init=zeros,he", train=SHORT, tracking=UNTRACKED)
    assert len(sweep.frame()) == 2
    with pytest.raises(InitlabError, match="there are no costs to plot"):
        sweep.plot()


def test_a_study_is_a_sweep():
    sweep = initlab.sweep(
        "experiment=depth", "init=zeros,he", "model.depth=2,3", "seed=1", train={"iterations": 2}
    )
    assert len(sweep) == 4
    assert {summary.tags["experiment"] for summary in sweep.summaries} == {"depth"}


SCRIPT = """
import initlab
for seeds in ("1,2", "3,4"):
    sweep = initlab.sweep("model.hidden=[3],[2]", "hydra.launcher.n_jobs=2", f"seed={seeds}",
                          train={"iterations": 20}, plots={"frames": 0})
    print(len(sweep.summaries), sorted({summary.tags["seed"] for summary in sweep.summaries}))
    run = initlab.run(train={"iterations": 20})
print(run)
"""


def test_a_script_without_a_guard_sweeps_in_processes_and_hears_nothing_else(folder):
    (folder / "script.py").write_text(SCRIPT)
    done = run_python("script.py", folder=folder)
    assert done.stderr == ""
    assert done.stdout.splitlines()[:2] == ["4 ['1', '2']", "4 ['3', '4']"]
    assert len(done.stdout.splitlines()) == 3


def test_a_program_gets_its_signals_and_its_hydra_back(folder):
    script = """
import signal, threading
import initlab
from hydra import compose, initialize_config_module
def mine(signum, frame): ...
signal.signal(signal.SIGTERM, mine)
with initialize_config_module("initlab.conf", version_base="1.3"):
    initlab.run("tracking.uri=null", train={"iterations": 2})
    assert compose("propagate").model.depth
assert signal.getsignal(signal.SIGTERM) is mine
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
def elsewhere():
    print(initlab.sweep("seed=1,2", "tracking.uri=null", train={"iterations": 2}))
thread = threading.Thread(target=elsewhere)
thread.start(); thread.join()
"""
    done = run_python("-c", script, folder=folder)
    assert (done.stdout, done.stderr) == ("<Sweep of 2 runs>\n", "")


def test_an_interrupted_run_ends_killed_and_the_next_one_trains(client, monkeypatch):
    from initlab.terminal.progress import ProgressLine

    def interrupt(self, *glance):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ProgressLine, "__call__", interrupt)
        with pytest.raises(KeyboardInterrupt):
            initlab.run(train=SHORT)
    assert [run.info.status for run in runs_of(client)] == ["KILLED"]
    assert initlab.run(train=SHORT).final_cost is not None


def test_plots_draw_in_given_axes_or_in_a_figure_that_shows_itself(trained):
    run, _ = trained
    left, right = Figure().subplots(1, 2)
    assert run.plot(left) is left
    assert run.plot_boundary(ax=right) is right
    assert not hasattr(left, "_repr_png_")
    own = run.plot()
    assert own.figure is not left.figure
    with Image.open(io.BytesIO(own._repr_png_())) as picture:
        assert picture.width > 300
    costs = next(line for line in own.lines if len(line.get_xdata()) == 24)
    assert costs.get_ydata()[-1] == pytest.approx(run.final_cost)


def test_a_run_shows_its_table_its_diagnosis_and_its_pictures(trained, tmp_path):
    run, _ = trained
    html = run._repr_html_()
    assert html.startswith("<table")
    assert ">init</th>" in html
    assert all(sentence.split("'")[0].split("<")[0][:30] in html for _, sentence in run.diagnosis)
    assert html.count('src="data:image/png;base64,') == 2
    run.boundary.save(tmp_path / "boundary.png")
    assert (tmp_path / "boundary.png").read_bytes() == run.boundary._repr_png_()
    assert len(repr(run.boundary)) < 20


def test_progress_shows_in_a_notebook_and_is_gone_at_the_end(monkeypatch, capfd):
    shown = []

    class ZMQInteractiveShell:
        """By its name, rich tells a notebook from a console."""

    def display(data, raw, display_id):
        shown.append(data["text/plain"])
        return types.SimpleNamespace(update=lambda data, raw: shown.append(data["text/plain"]))

    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    initlab.run(tracking=UNTRACKED, train=SHORT)
    assert shown[1].startswith("he-seed3: 1 of 23 iterations, cost 0.")
    assert shown[-1] == ""
    shown.clear()
    initlab.sweep("seed=1,2", tracking=UNTRACKED, train=SHORT)
    assert any("of 2 jobs" in line for line in shown)
    assert shown[-1] == ""
    assert capfd.readouterr() == ("", "")


def test_an_edited_table_is_read_anew_in_the_same_process(folder):
    rows = [f"{number},{number % 7},{'ab'[number % 2]}" for number in range(60)]
    table = folder / "mine.csv"
    table.write_text("\n".join(["x,y,label", *rows]))
    data = {"path": str(table), "target": "label"}

    def first_cost():
        return initlab.run("dataset=table", dataset=data, train=SHORT, tracking=UNTRACKED).history["cost"][0]

    before = first_cost()
    assert first_cost() == before
    times = table.stat()
    table.write_text("\n".join(["x,y,label", *(row.replace("9", "8") for row in rows)]))
    os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))  # as long as before, and as old
    assert table.stat().st_size == times.st_size
    assert first_cost() != before


@pytest.mark.parametrize("name", ["he", "kaiming", "orthogonal", "sparse", "mean_field", "pytorch_default"])
def test_a_start_is_the_first_layer_of_a_run(name):
    W = initlab.start(name, (11, 2), seed=7)
    run = initlab.run(f"init={name}", "model.hidden=[11]", seed=7, train=SHORT, tracking=UNTRACKED)
    assert W.dtype == np.float64
    assert np.array_equal(W, run.weights["W1_initial"])


def test_layers_are_drawn_one_after_another_from_one_generator():
    rng = stream(7, WEIGHTS)
    layers = [initlab.start("he", shape, rng) for shape in ((5, 2), (5, 5), (5, 5), (1, 5))]
    run = initlab.run("model.hidden=[5,5,5]", seed=7, train=SHORT, tracking=UNTRACKED)
    for number, W in enumerate(layers, start=1):
        assert np.array_equal(W, run.weights[f"W{number}_initial"])


def test_a_starts_hyper_parameters_are_those_of_its_yaml_unless_given():
    assert initlab.start("constant", (2, 3)).tolist() == [[0.5] * 3] * 2
    assert initlab.start("constant", (2, 3), value=-1.5).tolist() == [[-1.5] * 3] * 2
    fixed = initlab.start("normal", (13, 17), std=0.25)
    np.testing.assert_allclose(fixed / initlab.start("normal", (13, 17), std=1.0), 0.25)


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (("hee", (2, 3)), {}, r"^init=hee: is no start; did you mean he\? There are constant, "),
        (("lsuv", (2, 3)), {}, "^init=lsuv: makes a whole network at once"),
        (("zero_last", (2, 3)), {}, "^init=zero_last: makes a whole network at once"),
        (("he", (2, 3, 4)), {}, r"^shape=\(2, 3, 4\): must be \(fan_out, fan_in\)"),
        (("he", (0, 3)), {}, r"^shape=\(0, 3\): must be"),
        (("he", (2, 3), -1), {}, "^seed=-1: must be a whole number from 0 to 4294967295"),
        (("normal", (2, 3)), {"sdt": 1}, "^init.sdt: is not a setting; the settings here are std$"),
        (("normal", (2, 3)), {"std": -1}, "^init.std=-1: must be a finite number of at least 0$"),
    ],
)
def test_a_start_that_cannot_be_drawn_says_why(arguments, settings, message):
    with pytest.raises(ConfigError, match=message):
        initlab.start(*arguments, **settings)


def test_the_experiment_may_be_any(client):
    run = initlab.run(train=SHORT, tracking={"experiment": "elsewhere"})
    assert isinstance(client, MlflowClient)
    [tracked] = runs_of(client, "elsewhere")
    assert tracked.info.run_id == run.run_id


IN_A_NOTEBOOK = """
import initlab
sweep = initlab.sweep("init=zeros,he", seed=range(2), train={"iterations": 23}, tracking={"uri": None})
print(sweep.table)
"""


def test_in_a_notebook_a_table_is_text_without_colours_too(folder, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(folder / ".ipython"))
    notebook = new_notebook(cells=[new_code_cell(IN_A_NOTEBOOK), new_code_cell("sweep.table")])
    settings = {"resources": {"metadata": {"path": str(folder)}}, "extra_arguments": ["--log-level=ERROR"]}
    NotebookClient(notebook, kernel_name="python3", **settings).execute()
    printed = "".join(output.get("text", "") for output in notebook.cells[0].outputs)
    [shown] = notebook.cells[1].outputs
    assert printed.splitlines()[0].split()[:2] == ["init", "runs"]
    assert printed.splitlines() == shown.data["text/plain"].splitlines()
    assert shown.data["text/html"].count("<tr>") == 3


def test_a_table_in_a_notebook_holds_the_text_cell_by_cell(capfd):
    sweep = initlab.sweep("init=zeros,he", "optimizer.learning_rate=1e200", seed=range(2), train=SHORT)
    html = sweep.table._repr_html_()
    cells = re.findall(r"<td[^>]*>(.*?)</td>", html)
    lines = str(sweep.table).splitlines()
    assert [" ".join(line.split()) for line in lines[1:3]] == [
        " ".join(" ".join(row).split()) for row in (cells[: len(cells) // 2], cells[len(cells) // 2 :])
    ]
    assert lines[3].startswith("A run that diverged counts as the worst")
    assert f"<p>{lines[3]}</p>" in html


def test_a_sweep_shows_its_verdict_first_and_the_picture_of_its_summary_run(client):
    sweep = initlab.sweep("init=zeros,he", seed=range(2), train=SHORT, plots={"frames": 0})
    [summary] = runs_of(client, "initlab-sweeps")
    kept = client.download_artifacts(summary.info.run_id, "comparison.png")
    with open(kept, "rb") as file:
        assert sweep.picture.png == file.read()
    html = sweep._repr_html_()
    assert html.startswith(f"<p><strong>{sweep.closing.verdict[0]}")
    assert html.count("<img") == 1
    assert repr(sweep.verdict) == str(sweep.verdict) == " ".join(sweep.closing.verdict)


def test_a_sweep_without_tracking_has_no_picture():
    sweep = initlab.sweep("init=zeros,he", train=SHORT, tracking=UNTRACKED)
    with pytest.raises(InitlabError, match="there is no picture of this sweep"):
        _ = sweep.picture
    assert "<img" not in sweep._repr_html_()


def test_curves_of_a_sweep_are_in_the_order_of_its_jobs():
    sweep = initlab.sweep("init=zeros,he,random", train=SHORT, plots={"frames": 0})
    names = [text.get_text().split()[0] for text in sweep.plot().texts]
    assert [name for name in names if name in ("zeros", "he", "random")] == ["zeros", "he", "random"]
