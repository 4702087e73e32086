"""A tracked run trained again: the same bits, or where they part and why they may."""

import re

import numpy as np
import pytest
import yaml
from test_entry import typed
from threadpoolctl import threadpool_info

from initlab.config.trust import trusting
from initlab.errors import ConfigError, TrackingError
from initlab.runs.rerun import AT_THE_START, Parting, partings, rerun
from initlab.runs.train import run
from initlab.terminal.rerun import sentences

SHORT = ("train.iterations=40", "plots.frames=1", "diagnostics.every=7", "train.batch_size=32")
OWN = """import numpy as np


def flat(rng, shape):
    return rng.standard_normal(shape) * 0.3
"""


@pytest.fixture
def tracked(config, folder, monkeypatch):
    """Trains a run; returns its id, the address of its store and the folder of its files."""
    monkeypatch.chdir(folder)
    uri = f"sqlite:///{folder}/mlruns/mlflow.db"

    def train(*overrides):
        [one] = run([config(*SHORT, f"tracking.uri={uri}", *overrides)], folder=folder)
        run_id = one.summary.run_id
        return run_id, uri, folder / "mlruns" / "artifacts" / run_id[-2:] / run_id / "artifacts"

    return train


def change(path, name, place, value):
    with np.load(path) as arrays:
        kept = dict(arrays)
    kept[name][place] = value
    np.savez(path, **kept)


def said(*arguments, **options):
    return "\n".join(sentences(rerun(*arguments, **options)))


def test_the_command_says_that_a_run_has_the_same_bits(tracked, folder):
    run_id, _, _ = tracked()
    done = typed("rerun", run_id, folder=folder)
    said = "he-seed3: same bits, in all 55 arrays of history.npz and weights.npz.\n"
    assert done.stdout.endswith(said)  # after the progress, where this takes long
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "kind",
    [
        ["optimizer=adam", "model.normalization=batch", "train.precision=float32"],
        ["optimizer.learning_rate=1e200"],
        ["dataset=wine", "init=lsuv", "schedule=cosine", "train.clip=1"],
    ],
)
def test_it_does_for_every_kind_of_run(tracked, kind):
    run_id, uri, _ = tracked(*kind)
    assert rerun(run_id, uri, []).partings == []


def test_a_changed_history_is_found_where_it_was_changed_first(tracked, folder):
    run_id, uri, files = tracked()
    change(files / "history.npz", "cost", 30, 0.5)
    change(files / "history.npz", "grad_norm/layer2", 3, 7.0)
    change(files / "weights.npz", "W2", (1, 2), -0.0)
    done = typed("rerun", run_id, folder=folder)
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()[-5:]
    assert lines[:2] == [
        "he-seed3: other bits, in 3 of 55 arrays of history.npz and weights.npz.",
        "They part at iteration 21, in grad_norm/layer2:",
    ]
    assert re.fullmatch(r"  7\.0 then, \d\.\d+ now, \d\.\d+ apart", lines[2])
    assert lines[3:] == [
        "Data, code, versions and kernels are as they were. So its files were changed, or",
        "a function of your own does not return the same each time.",
    ]
    assert [one.array for one in rerun(run_id, uri, []).partings] == ["grad_norm/layer2", "cost", "W2"]


def test_changed_data_are_named(tracked, folder):
    rows = [f"{n},{n % 7},{n % 2}" for n in range(80)]
    (folder / "my.csv").write_text("\n".join(["a,b,label", *rows]))
    run_id, uri, _ = tracked("dataset=table", "dataset.path=my.csv", "dataset.target=label")
    assert rerun(run_id, uri, []).partings == []
    (folder / "my.csv").write_text("\n".join(["a,b,label", "99,5,1", *rows[1:]]))
    words = said(run_id, uri, [])
    assert re.search(r"They part at iteration 0, in cost:\n  \S+ then, \S+ now, \S+ apart\n", words)
    assert re.search(r"What is not as it was:\n  data: \w{12} then, \w{12} now$", words)
    (folder / "my.csv").unlink()
    with pytest.raises(ConfigError, match=r"^dataset: path=my\.csv: "):
        rerun(run_id, uri, [])


def test_another_kernel_is_named(tracked, folder):
    [library, *_] = threadpool_info()
    if library["internal_api"] != "openblas" or library["architecture"] in ("Nehalem", "armv8"):
        pytest.skip("there is no other kernel to choose")
    run_id, _, _ = tracked("model.hidden=[50,50]", "dataset=digits")
    done = typed("rerun", run_id, folder=folder, OPENBLAS_CORETYPE="Nehalem")
    if done.returncode == 0:
        pytest.skip("the other kernel gives the same bits here")
    assert "What is not as it was:\n  BLAS kernel:" in done.stdout
    assert re.search(r"openblas \S+ Nehalem, 1 thread now\n", done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_run_of_a_users_own_start_needs_the_word_of_the_command(tracked, folder, monkeypatch):
    (folder / "starts_for_rerun.py").write_text(OWN)
    monkeypatch.syspath_prepend(folder)
    with trusting(["starts_for_rerun"]):
        run_id, uri, _ = tracked("init._target_=starts_for_rerun.flat", "allow_targets=[starts_for_rerun]")
    with pytest.raises(ConfigError, match="if you trust it, add allow_targets="):
        rerun(run_id, uri, [])
    assert rerun(run_id, uri, ["starts_for_rerun"]).partings == []
    done = typed("rerun", run_id, "allow_targets=[starts_for_rerun]", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_another_function_of_the_users_is_other_code(tracked, folder, monkeypatch):
    (folder / "starts_to_change.py").write_text(OWN)
    monkeypatch.syspath_prepend(folder)
    with trusting(["starts_to_change"]):
        run_id, _, _ = tracked("init._target_=starts_to_change.flat", "allow_targets=[starts_to_change]")
    # Of another length: Python takes a file of the same size and second for the one that it has compiled.
    (folder / "starts_to_change.py").write_text(OWN.replace("0.3", "0.45"))
    done = typed("rerun", run_id, "allow_targets=[starts_to_change]", folder=folder)
    assert done.returncode == 1
    assert "They part before training, in W1_initial:\n" in done.stdout
    assert re.search(r"What is not as it was:\n  numerical code: \w{12} then, \w{12} now\n", done.stdout)


def test_what_an_older_run_does_not_tell_is_said(tracked, client):
    run_id, uri, files = tracked()
    for tag in ("code", "data", "blas", "simd", "version.scipy"):
        client.delete_tag(run_id, tag)
    config = yaml.safe_load((files / "config.yaml").read_text())
    del config["train"]["checkpoint"]
    (files / "config.yaml").write_text(yaml.safe_dump(config))
    assert rerun(run_id, uri, []).partings == []
    change(files / "history.npz", "cost", 3, np.nan)
    assert said(run_id, uri, []).endswith(
        "What the run does not tell of how it was: data, numerical code, SciPy, BLAS\n"
        "kernel, NumPy's instructions."
    )


def test_nothing_that_a_config_holds_is_looked_up(tracked, monkeypatch):
    run_id, uri, files = tracked()
    monkeypatch.setenv("SECRET", "sesame")
    config = yaml.safe_load((files / "config.yaml").read_text())
    (files / "config.yaml").write_text(yaml.safe_dump({**config, "optimizer": "${oc.env:SECRET}"}))
    with pytest.raises(ConfigError, match="^optimizer: must name a function by _target_$"):
        rerun(run_id, uri, [])


def test_a_section_that_is_none_is_said_in_a_line(tracked):
    run_id, uri, files = tracked()
    config = yaml.safe_load((files / "config.yaml").read_text())
    (files / "config.yaml").write_text(yaml.safe_dump({**config, "train": 3}))
    with pytest.raises(ConfigError, match="^train=3: must be a section with iterations, "):
        rerun(run_id, uri, [])


@pytest.mark.parametrize("text", ["a: [1", "only words", "!!python/object/apply:os.getcwd []", "\0"])
def test_a_config_that_is_none_is_said_in_a_line(tracked, text):
    run_id, uri, files = tracked()
    (files / "config.yaml").write_text(text)
    with pytest.raises(TrackingError, match=rf"^run {run_id}: config\.yaml: \S.*$"):
        rerun(run_id, uri, [])


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], "rerun: needs one run id, and there is none; MLflow shows it on the run's page"),
        (["a", "b"], "rerun: needs one run id, and there are 2; MLflow shows it on the run's page"),
        (["a", "experiment=b"], "experiment: is not a key of this command. Its keys: uri, allow_targets."),
        (["0" * 32], f"run {'0' * 32}: cannot be read from sqlite:///{{folder}}/mlruns/mlflow.db: "),
        (["a", "uri=sqlite:///no.db"], "tracking.uri=sqlite:///{folder}/no.db: there is no such database"),
    ],
)
def test_what_cannot_be_run_again_is_said_in_a_line(folder, words, error):
    done = typed("rerun", *words, folder=folder)
    assert done.returncode == 1
    assert done.stderr.startswith(error.format(folder=folder))
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_run_that_has_not_finished_has_nothing_to_compare(tracked, client, folder):
    run_id = client.create_run(client.create_experiment("other")).info.run_id
    with pytest.raises(TrackingError, match="has no config.yaml; it is a run that is RUNNING"):
        rerun(run_id, f"sqlite:///{folder}/mlruns/mlflow.db", [])
    assert tracked  # the store is that of the folder


def test_arrays_part_where_their_bits_do():
    cost, at = np.array([1.0, 2.0, np.nan]), np.array([0, 2])
    then = {"cost": cost, "measured_at": at, "a/b": np.array([1.0, 2.0]), "W1_initial": np.ones((2, 2))}
    then["W1"] = np.ones((2, 2))
    assert partings(then, {name: array.copy() for name, array in then.items()}) == []

    def parts(name, array):
        return partings(then, {**then, name: np.array(array)})

    assert parts("cost", [1.0, 2.5, 3.0]) == [Parting("cost", 1, 2.0, 2.5)]
    assert parts("cost", [1.0, 2.0]) == [Parting("cost", 2, pytest.approx(np.nan, nan_ok=True), None)]
    assert parts("a/b", [1.0, 3.0]) == [Parting("a/b", 2, 2.0, 3.0)]
    assert parts("W1", [[1, 1], [1, 2.0]]) == [Parting("W1", 3, 1.0, 2.0)]
    assert parts("W1_initial", [[1, 1], [1, 2.0]]) == [Parting("W1_initial", AT_THE_START, 1.0, 2.0)]
    assert parts("b1", [4.0]) == [Parting("b1", 3, None, 4.0)]
    assert parts("W1", np.ones((2, 2), np.float32)) == [Parting("W1", 3, 1.0, 1.0)]
    [zero] = partings({"cost": np.array([0.0])}, {"cost": np.array([-0.0])})
    assert zero.iteration == 0
