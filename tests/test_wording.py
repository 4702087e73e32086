"""The words of the command that was typed."""

import sys

import pytest

from initlab.terminal.wording import own_command, ui_command


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout of this project, from which ``python -m src.train`` was started."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "Makefile").write_text("ui: setup ## Open\n\tmlflow server\n")
    (tmp_path / "src").mkdir()
    for program in ("train", "propagate"):
        (tmp_path / "src" / f"{program}.py").touch()
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "src" / "train.py")])
    return tmp_path


def installed(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/initlab", "init=he"])


def test_make_is_spoken_of_in_the_checkout_only(checkout, tmp_path_factory):
    assert ui_command(folder=checkout) == "make ui"
    assert ui_command(folder=tmp_path_factory.mktemp("elsewhere")) == "initlab ui"
    (checkout / "Makefile").write_text("build:\n\tui: no target\n")
    assert ui_command(folder=checkout) == "initlab ui"
    (checkout / "Makefile").unlink()
    assert ui_command(folder=checkout) == "initlab ui"


def test_the_installed_command_never_speaks_of_make(checkout, monkeypatch):
    installed(monkeypatch)
    assert ui_command(folder=checkout) == "initlab ui"


def test_another_store_is_named(checkout, monkeypatch):
    assert (
        ui_command("sqlite:///my runs.db", checkout) == f"initlab ui --uri 'sqlite:///{checkout}/my runs.db'"
    )
    assert ui_command("postgresql://host/runs", checkout) == "initlab ui --uri postgresql://host/runs"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other.db")
    assert ui_command("sqlite:///other.db", checkout) == "initlab ui"
    assert ui_command(folder=checkout) == "make ui"


def test_outside_of_the_checkout_the_environments_store_is_the_one_that_is_served(checkout, monkeypatch):
    installed(monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other.db")
    default = f"sqlite:///{checkout}/mlruns/mlflow.db"
    assert ui_command(folder=checkout) == f"initlab ui --uri {default}"


def test_a_server_shows_its_runs_itself(checkout):
    assert ui_command("http://127.0.0.1:5000", checkout) == ""


def test_a_command_is_named_as_it_was_started(checkout, monkeypatch):
    assert own_command() == "python -m src.train"
    assert own_command("propagate") == "python -m src.propagate"
    assert own_command("doctor") == "initlab doctor"  # the checkout has no file for it
    installed(monkeypatch)
    assert own_command() == "initlab"
    assert own_command("propagate") == "initlab propagate"
