"""Which modules a config may name functions of: what the user has typed, whatever files say."""

import os
import sys

import pytest
from conftest import run_command

import initlab
from initlab.config.trust import VARIABLE, check_trust, trusted, trusting
from initlab.errors import ConfigError
from initlab.sweeps.typed import trusted_by

SHORT = ("train.iterations=3", "plots.frames=0", "report.keep=false", "tracking.uri=null")
STARTS = """
from pathlib import Path

Path("was_imported").touch()


def ring(rng, shape):
    return 0.1 * rng.standard_normal(shape)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a module that leaves a trace, and somebody else's configs that would have it called."""
    (tmp_path / "my_starts.py").write_text(STARTS)
    (tmp_path / "theirs" / "experiment").mkdir(parents=True)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delitem(sys.modules, "my_starts", raising=False)  # of other tests
    return tmp_path


def study(here, text):
    (here / "theirs" / "experiment" / "study.yaml").write_text(f"# @package _global_\n{text}")


TRIES = {
    "the study itself": "allow_targets: [my_starts]\ninit:\n  _target_: my_starts.ring\n",
    "parameters of its sweep": (
        "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n"
        "      allow_targets: '[my_starts]'\n      init._target_: my_starts.ring\n"
    ),
    "an option that it chooses": "defaults:\n  - override /init: theirs\n",
    "the environment of its jobs": (
        f"init:\n  _target_: my_starts.ring\nhydra:\n  job:\n    env_set:\n      {VARIABLE}: my_starts\n"
    ),
    "a key that looks typed": (
        "allow_targets: [my_starts]\ninit:\n  _target_: my_starts.ring\n"
        "hydra:\n  overrides:\n    task: ['allow_targets=[my_starts]']\n"
    ),
}


@pytest.mark.parametrize("how", TRIES)
def test_no_file_widens_what_may_be_called(here, how):
    study(here, TRIES[how])
    (here / "theirs" / "init").mkdir()
    (here / "theirs" / "init" / "theirs.yaml").write_text(
        "# @package _global_\nallow_targets: [my_starts]\ninit:\n  _target_: my_starts.ring\n"
    )
    done = run_command("--config-dir", "theirs", "experiment=study", *SHORT, folder=here)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "my_starts" in done.stderr or VARIABLE in done.stderr
    assert not (here / "was_imported").exists()


def test_the_refusal_says_how_to_allow_it(here):
    study(here, TRIES["the study itself"])
    done = run_command("--config-dir", "theirs", "experiment=study", *SHORT, folder=here)
    assert done.stderr == (
        "allow_targets=[my_starts]: counts only from the command line, not from a file; if you trust it, "
        "type allow_targets=[my_starts] or set INITLAB_ALLOW_TARGETS=my_starts\n"
    )


@pytest.mark.parametrize(
    ("typed", "environment"), [(["allow_targets=[my_starts]"], {}), ([], {VARIABLE: "other,my_starts"})]
)
def test_what_is_typed_or_set_counts_in_every_process(here, typed, environment):
    study(here, TRIES["the study itself"])
    sweep = ["-m", "seed=range(0,9)", "model.hidden=[3],[2]", "hydra.launcher.n_jobs=2"]
    words = ["--config-dir", "theirs", *sweep, "experiment=study", *typed, *SHORT]
    done = run_command(*words, folder=here, **environment)
    assert done.returncode == 0, done.stderr
    assert (here / "was_imported").exists()


@pytest.mark.parametrize(
    ("word", "modules"),
    [
        ("allow_targets=[a,b.c]", ["a", "b.c"]), ("++allow_targets=[a]", ["a"]),
        ("+allow_targets.0=a", ["a"]),
        ("allow_targets=[a],[b]", ["a", "b"]), ("allow_targets=['a']", ["a"]), ("~allow_targets", []),
        ("allow_targets=[a", []), ("allow_targetsy=[a]", []), ("seed=3", []), ("init.allow_targets=[a]", []),
    ],
)  # fmt: skip
def test_what_counts_as_typed(word, modules):
    assert trusted_by([word]) == modules


def test_trust_ends_with_its_block(monkeypatch):
    monkeypatch.setenv(VARIABLE, "mine")
    with trusting(["other"]):
        assert trusted() == ("mine", "other")
        assert check_trust(["other"]) == ("mine", "other")
    assert os.environ[VARIABLE] == "mine"
    with pytest.raises(ConfigError, match=r"^allow_targets=\[other\]: counts only from the command line"):
        check_trust(["mine", "other"])


def test_a_program_says_it_by_its_arguments_and_a_stored_run_by_nothing(here, monkeypatch, migrated_database):
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(here)
    uri = f"sqlite:///{here}/store.db"
    (here / "store.db").write_bytes(migrated_database.read_bytes())
    named = {"init._target_": "my_starts.ring", "train": {"iterations": 3}, "plots": {"frames": 0}}
    run = initlab.run(f"tracking.uri={uri}", allow_targets=["my_starts"], **named)
    assert run.config["allow_targets"] == ["my_starts"]
    with pytest.raises(ConfigError, match=r"^init\._target_=my_starts\.ring: is outside of initlab"):
        initlab.load(run.run_id, uri).animate(2)
    assert initlab.load(run.run_id, uri, allow_targets=["my_starts"]).animate(2).frames
    assert VARIABLE not in os.environ
