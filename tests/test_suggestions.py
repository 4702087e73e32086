"""A mistyped override ends in a few lines that say what was probably meant."""

import pytest
from conftest import run_command, run_python

from initlab.terminal.suggestions import closest, did_you_mean


def microscope(*arguments, folder, **changes):
    return run_python("-m", "src.propagate", *arguments, folder=folder, **changes)


def assert_short(done, last_line):
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert done.stdout == ""
    assert lines[-1] == last_line
    assert len(lines) <= 8
    assert max(map(len, lines)) < 80
    for words in ("Traceback", "HYDRA_FULL_ERROR", "To append", "object_type", "search path"):
        assert words not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "last_line"),
    [
        (["optimizer.lr=0.1"], "Did you mean optimizer.learning_rate or optimizer.layer_rates?"),
        (["init=hee"], "Did you mean init=he?"),
        (["optimizzer=adam"], "Did you mean optimizer?"),
        (["train.iteration=5"], "Did you mean train.iterations?"),
        (["trian.iterations=5"], "Did you mean train.iterations?"),
        (["learning_rate=0.1"], "Did you mean optimizer.learning_rate?"),
        (["optimizer=adam", "optimizer.beta=0.8"], "Did you mean optimizer.beta1 or optimizer.beta2?"),
        (["experment=gallery"], "Did you mean experiment?"),
        (["hydra.job.nme=x"], "Did you mean hydra.job.name?"),
        (["--cfg", "job", "init=hee"], "Did you mean init=he?"),
        (["-m", "init=he,hee"], "Did you mean init=he?"),
        (
            ["-m", "optimizer.lr=0.1,0.2", "seed=1,2"],
            "Did you mean optimizer.learning_rate or optimizer.layer_rates?",
        ),
        (["-m", "init=he,hee", "hydra/launcher=basic"], "Did you mean init=he?"),
        (["epochs=7"], "To add a key of your own, write +epochs=7"),
        (["init.tint=7"], "To add a key of your own, write +init.tint=7"),
    ],
    ids=" ".join,
)
def test_the_command_says_what_was_probably_meant_and_leaves_nothing(tmp_path, arguments, last_line):
    assert_short(run_command(*arguments, folder=tmp_path), last_line)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "last_line"),
    [
        (["model.depht=50"], "Did you mean model.depth?"),
        (["init=hee"], "Did you mean init=he?"),
        (["seads=3"], "Did you mean seeds?"),
        (["-m", "init=he,hee"], "Did you mean init=he?"),
        (["optimizer=adam"], "Its groups: bias, init, model"),
        (["optimizzer=adam"], "To add a key of your own, write +optimizzer=adam"),
    ],
    ids=" ".join,
)
def test_the_microscope_does_so_too(tmp_path, arguments, last_line):
    assert_short(microscope(*arguments, folder=tmp_path), last_line)
    assert not (tmp_path / "outputs").exists()


def test_a_folder_that_holds_anything_else_stays_when_no_job_of_its_sweep_began(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("kept")
    assert run_command("-m", "init=he,hee", "hydra.sweep.dir=mine", folder=tmp_path).returncode == 1
    assert (tmp_path / "mine" / "notes.txt").read_text() == "kept"


def test_an_unknown_option_is_told_with_all_there_are(tmp_path):
    done = run_command("optimizer=sgd", folder=tmp_path)
    assert done.stderr.splitlines() == [
        "In 'config': Could not find 'optimizer/sgd'",
        "Available options in 'optimizer': adagrad, adam, adamw, gd, momentum, nesterov,",
        "rmsprop",
        "Did you mean optimizer=gd?",
    ]


def test_a_section_that_is_not_there_is_told_as_hydra_tells_it(tmp_path):
    done = run_command("trian.iterations=5", folder=tmp_path)
    assert done.stderr.splitlines()[:2] == [
        "Could not override 'trian.iterations'.",
        "Key 'trian' is not in struct",
    ]


def test_other_errors_are_hydras_own_and_the_traceback_is_there_when_asked_for(tmp_path):
    assert "no viable alternative at input" in run_command("seed=[1", folder=tmp_path).stderr
    assert "Did you mean to override init?" in run_command("init@b=he", folder=tmp_path).stderr
    done = run_command("init=hee", folder=tmp_path, HYDRA_FULL_ERROR="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "Could not find 'init/hee'" in done.stderr


KEYS = [
    *("seed", "train.iterations", "train.batch_size", "train.clip", "model.hidden", "model.activation"),
    *("optimizer.learning_rate", "optimizer.beta1", "optimizer.beta2", "optimizer.weight_decay"),
    *("tracking.every", "diagnostics.every", "tracking.experiment", "experiment", "init", "dataset"),
    *("dataset.seed", "dataset.noise", "plots.frames"),
]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("lr", ["optimizer.learning_rate"]),
        ("train.bs", ["train.batch_size"]),
        ("optimizer.wd", ["optimizer.weight_decay"]),
        ("optimizer.rate", ["optimizer.learning_rate"]),
        ("optimizer.LearningRate", ["optimizer.learning_rate"]),
        ("optimizer.learning-rate", ["optimizer.learning_rate"]),
        ("optimizer.iterations", ["train.iterations"]),
        ("model.act", ["model.activation"]),
        ("initializer", ["init"]),
        ("experment", ["experiment"]),
        ("every", ["tracking.every", "diagnostics.every"]),
        ("train.seed", ["seed", "dataset.seed"]),
        *((short, []) for short in ("x", "s", "l", "sd", "on", "train.x", "model.h")),
        *((unlike, []) for unlike in ("epochs", "nodes", "model.layers", "optimizer", "train", "a.b.c", "")),
    ],
)
def test_the_closest_keys_are_found_and_silly_ones_are_not(typed, meant):
    assert closest(typed, KEYS) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("hee", ["he"]),
        ("He", ["he"]),
        ("xaiver", ["xavier"]),
        ("randn", ["random"]),
        ("zero", ["zeros", "zero_last"]),
        ("glorot", ["glorot_normal", "glorot_uniform"]),
        ("kaiming_normal", ["kaiming"]),
        *((unlike, []) for unlike in ("h", "none", "true", "spiral", "0.1", "")),
    ],
)
def test_the_closest_options_are_found_and_silly_ones_are_not(typed, meant):
    options = ["glorot_normal", "glorot_uniform", "he", "he_uniform", "kaiming", "ones", "orthogonal"]
    assert closest(typed, [*options, "random", "xavier", "zeros", "zero_last"]) == meant


def test_at_most_three_are_named():
    assert closest("glorot", ["glorot_a", "glorot_b", "glorot_c", "glorot_d"]) == [
        *("glorot_a", "glorot_b", "glorot_c"),
    ]
    assert closest("anything", []) == []
    assert did_you_mean([]) == []
    assert did_you_mean(["a"]) == ["Did you mean a?"]
    assert did_you_mean(["a", "b"]) == ["Did you mean a or b?"]
    assert did_you_mean(["a", "b", "c"]) == ["Did you mean a, b or c?"]
