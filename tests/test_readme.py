"""The README tells the truth."""

import re
import shlex

from conftest import ROOT, runs_of
from hydra import compose, initialize_config_module
from mlflow import MlflowClient
from PIL import Image

from initlab.activations import ACTIVATIONS
from tools.generated import read_block

README = (ROOT / "README.md").read_text()


def test_the_table_of_results_is_what_the_headline_command_measures(headline):
    client = MlflowClient(f"sqlite:///{headline[0]}/mlruns/mlflow.db")
    measured = []
    for run in reversed(runs_of(client)):
        costs = client.get_metric_history(run.info.run_id, "cost")
        first = next(metric.value for metric in costs if metric.step == 0)
        end = run.data.metrics
        shares = f"{end['accuracy/train']:.1%} | {end['accuracy/test']:.1%}"
        measured.append(f"| {run.data.tags['init']} | {first:,.3f} | {end['final_cost']:.3f} | {shares} |")
    assert read_block(ROOT / "README.md", "results").splitlines()[2:] == measured


def test_the_pictures_are_there():
    paths = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert len(paths) == 3
    for path in paths:
        with Image.open(ROOT / path) as picture:
            assert picture.width > 600


def test_every_choice_of_every_group_is_named():
    named = set(re.findall(r"`([a-z_]+)`", README))
    choices = {path.stem for path in (ROOT / "conf").glob("*/*.yaml")}
    assert choices - named == set()


def test_every_activation_is_named():
    for name in ACTIVATIONS:
        assert re.search(rf"\b{name}\b", README), name


def test_every_command_it_shows_composes():
    commands = re.findall(r"^python -m src\.train (.*?)(?:  +#.*)?$", README, re.MULTILINE)
    assert len(commands) > 5
    with initialize_config_module("initlab.conf", version_base="1.3"):
        for command in commands:
            words = [word for word in shlex.split(command) if "=" in word]
            assert compose("config", [word.split(",")[0] for word in words if "(" not in word])


def test_every_target_it_names_is_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z]+)", README):
        assert f"\n{target}:" in makefile


def test_it_is_short():
    assert len(README.splitlines()) <= 190
