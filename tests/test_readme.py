"""The README tells the truth."""

import re

from conftest import ROOT, runs_of
from mlflow import MlflowClient
from PIL import Image

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
    shown = re.search(r"<!-- results.*?-->\n\n(.*?)\n\n<!-- end -->", README, re.DOTALL)
    assert shown is not None
    assert shown[1].splitlines()[2:] == measured


def test_the_picture_is_there():
    [path] = re.findall(r"!\[.*?\]\((.*?)\)", README)
    with Image.open(ROOT / path) as picture:
        assert picture.width > 1000


def test_every_target_it_names_is_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z]+)", README):
        assert f"\n{target}:" in makefile


def test_it_is_short():
    assert len(README.splitlines()) <= 150
