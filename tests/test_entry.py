"""The one command ``initlab``: what its first word chooses, and the words it speaks."""

import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT, environment, free_port, run_python

import initlab

SCRIPT = Path(sys.executable).parent / "initlab"
SHORT = ("train.iterations=20", "plots.frames=0")


def typed(
    *words: str, folder: Path, command=(SCRIPT,), fresh: bool = False, **changes: str
) -> subprocess.CompletedProcess[str]:
    return run_python(*command, *words, folder=folder, fresh=fresh, **changes)


def test_it_says_its_version(folder):
    assert typed("--version", folder=folder, fresh=True).stdout == f"initlab {initlab.__version__}\n"


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (["--help"], "Initlab: what does the way"),
        (["propagate", "--help"], "The microscope: what does an untrained"),
        (["report", "--help"], "Reports on a sweep, or on several together"),
        (["rerun", "--help"], "Trains a tracked run again from its own config"),
        (["ui", "--help"], "usage: initlab ui"),
    ],
)
def test_each_subcommand_has_its_help_which_may_be_cut_off(folder, words, begins):
    assert typed(*words, folder=folder).stdout.startswith(begins)
    # `true` reads nothing, so that the first flush breaks the pipe.
    for reader in ("head -1", "true"):
        line = f"set -o pipefail; {shlex.join([str(SCRIPT), *words])} | {reader}"
        done = subprocess.run(
            ["bash", "-c", line], cwd=folder, env=environment(), capture_output=True, text=True, timeout=60
        )
        assert done.stderr == ""
        assert done.returncode in (0, 128 + signal.SIGPIPE)


@pytest.mark.parametrize(
    ("command", "train", "propagate"),
    [
        ([SCRIPT], "initlab", "initlab propagate"),
        (["-m", "initlab"], "initlab", "initlab propagate"),
        (["-m", "src.train"], "python -m src.train", "python -m src.propagate"),
    ],
)
def test_help_speaks_the_words_of_the_command_and_of_make_only_where_it_is(folder, command, train, propagate):
    shown = typed("--help", folder=folder, command=command).stdout
    assert re.search(rf"^One run: +{train} init=he$", shown, re.MULTILINE)
    assert re.search(rf"^Untrained: +{propagate} --help$", shown, re.MULTILINE)
    assert re.search(r"^The runs: +initlab ui$", shown, re.MULTILINE)
    assert "make" not in shown.replace("makes", "")
    in_checkout = typed("--help", folder=ROOT, command=command).stdout
    runs = "make ui" if "src.train" in command else "initlab ui"
    assert re.search(rf"^The runs: +{runs}$", in_checkout, re.MULTILINE)


def test_help_tells_the_two_xaviers_apart(folder):
    for words in (["--help"], ["propagate", "--help"]):
        shown = " ".join(typed(*words, folder=folder).stdout.split())
        assert "init=xavier is the lesson's: its variance is 1 / fan_in, and it is lecun_normal." in shown
        assert "The paper's (Glorot & Bengio 2010), which counts fan_out too, is glorot_normal." in shown


def test_closing_lines_name_the_command_that_shows_the_runs(folder):
    for words in (SHORT, ("propagate", "model.depth=2", "seeds=2")):
        done = typed(*words, folder=folder)
        assert "(initlab ui): http://127.0.0.1:5000/#/experiments/" in done.stdout
        assert "make" not in done.stdout


def test_the_module_is_the_command(folder):
    done = typed("propagate", "model.depth=2", "seeds=2", "tracking.uri=null", folder=folder,
                 command=["-m", "initlab"])  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("he · 2 hidden layers")


def test_a_mistyped_word_is_hydras_to_explain(folder):
    done = typed("propagat", "model.depth=2", folder=folder)
    assert done.returncode == 1
    assert done.stderr == "propagat: cannot be read: missing EQUAL at '<EOF>'\n"


def get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return answer.read()


def test_ui_serves_the_store_and_opens_on_the_right_experiment(folder, client):
    client.create_experiment("made-first")
    typed(*SHORT, folder=folder)
    experiment = client.get_experiment_by_name("initlab").experiment_id
    assert experiment != "1"
    port = free_port()
    process = subprocess.Popen(
        [SCRIPT, "ui", "--port", str(port)],
        cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stdout is not None
    try:
        server = f"http://127.0.0.1:{port}"
        charts = (
            f"{server}/#/experiments/{experiment}/runs?workflowType=machine_learning&compareRunsMode=CHART"
        )
        assert process.stdout.readline() == f"{charts}\n"
        assert process.stdout.readline() == "Ctrl-C ends it.\n"
        assert b"made-first" in get(f"{server}/api/2.0/mlflow/experiments/get?experiment_id=1")
        second = typed("ui", "--port", str(port), folder=folder)
        assert second.returncode == 1
        assert second.stderr == f"port {port}: Address already in use; choose another by --port\n"
        there = typed("ui", "--uri", server, folder=folder)
        assert there.stdout == f"{charts}\n"
        missing = typed("ui", "--uri", server, "--experiment", "other", folder=folder)
        assert missing.stdout == f"{server}/#/experiments\n"
    finally:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)
    assert said == ("", "")
    assert process.returncode == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_ui_says_where_there_is_no_store_and_makes_none(tmp_path):
    done = typed("ui", folder=tmp_path)
    assert done.returncode == 1
    database = tmp_path / "mlruns" / "mlflow.db"
    assert (
        done.stderr
        == f"tracking.uri=sqlite:///{database}: there is no such database; the first run makes it\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_ui_says_what_a_server_that_cannot_start_said(tmp_path):
    (tmp_path / "mlflow.db").write_text("this is no database, " * 100)
    done = typed("ui", "--uri", "sqlite:///mlflow.db", folder=tmp_path)
    assert done.returncode == 1
    assert (
        done.stderr
        == f"tracking.uri=sqlite:///{tmp_path}/mlflow.db: cannot be opened: file is not a database\n"
    )


@pytest.mark.parametrize(
    ("port", "words"), [("70000", "must be from 0 to 65535"), ("x", "invalid int value")]
)
def test_ui_refuses_what_is_no_port(folder, port, words):
    done = typed("ui", "--port", port, folder=folder)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
