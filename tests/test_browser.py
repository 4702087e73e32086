"""What a user sees who opens the printed address: MLflow's UI in a real browser, on real sweeps."""

import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import environment, free_port, run_command, runs_of
from mlflow import MlflowClient

MLFLOWS_OWN = ("mlflow/users/current", "ResizeObserver loop")  # asks for a login that is not there; a resize
CHARTS = """() => [...document.querySelectorAll(".js-plotly-plot")].map(chart => ({
    scale: chart._fullLayout.yaxis.type,
    kind: chart._fullData[0].type,
    x: [...chart._fullData[0].x],
    words: chart.closest("[data-testid=experiment-view-compare-runs-card]").innerText.split("\\n"),
}))"""
SECTION = "[data-testid=experiment-view-compare-runs-section-header]"


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Two sweeps, one over three seeds and then one of one seed, what they printed, and `initlab ui`."""
    folder = tmp_path_factory.mktemp("shown")
    sweep = ("-m", "init=zeros,random,he", "train.iterations=400", "hydra.launcher.n_jobs=1")
    seeds, lone = (run_command(*sweep, *more, folder=folder) for more in (["seed=1,2,3"], []))
    port = free_port()
    ui = subprocess.Popen(
        [sys.executable, "-m", "initlab", "ui", "--port", str(port)],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        opens = ui.stdout.readline().strip()
        printed = [
            [address.replace(":5000/", f":{port}/") for address in re.findall(r"http\S+", done.stdout)]
            for done in (seeds, lone)
        ]
        client = MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")
        yield SimpleNamespace(opens=opens, seeds=printed[0], lone=printed[1], runs=runs_of(client))
    finally:
        ui.terminate()
        ui.communicate(timeout=30)


@pytest.fixture
def opened(browser_page):
    """Opens an address as somebody does who sees MLflow for the first time, and waits for its charts."""
    heard = []

    def open_address(address: str, width: int = 1440, height: int = 900):
        page, errors = browser_page(width, height)
        heard.append(errors)
        page.goto(address)
        page.wait_for_function('document.querySelectorAll(".js-plotly-plot .trace").length > 3')
        return page

    yield open_address
    for errors in heard:
        assert [error for error in errors if not any(own in error for own in MLFLOWS_OWN)] == []


def sections_of(page) -> list[str]:
    return [text.splitlines()[0] for text in page.locator(SECTION).all_inner_texts()]


def pictures_of(page) -> list:
    pictures = page.locator(".rc-image-img")
    pictures.nth(2).wait_for()
    page.wait_for_function(
        '[...document.querySelectorAll(".rc-image-img")].every(image => image.naturalWidth > 100)'
    )
    return [picture.bounding_box() for picture in pictures.all()]


def by_start(shown, address: str) -> dict[str, list]:
    """Returns the runs of the sweep that an address shows by their starts, those of the least cost first."""
    groups: dict[str, list] = {}
    for run in sorted(shown.runs, key=lambda run: run.data.metrics["final_cost"]):
        if run.data.tags["sweep"] in address:
            groups.setdefault(run.data.tags["init"], []).append(run)
    assert set(groups) == {"zeros", "random", "he"}
    return groups


def mean_scores(groups: dict[str, list]) -> list[float]:
    return sorted(np.mean([run.data.metrics["accuracy/test"] for run in runs]) for runs in groups.values())


def test_the_printed_address_shows_cost_scores_and_boundaries_without_a_click(shown, opened):
    page = opened(shown.lone[0])
    cost, score, *_ = page.evaluate(CHARTS)
    assert (cost["words"][0], cost["kind"], cost["scale"]) == ("cost", "scatter", "log")
    assert {"zeros-seed3 (cost)", "random-seed3 (cost)", "he-seed3 (cost)"} <= set(cost["words"])
    assert (score["words"][0], score["kind"]) == ("accuracy/test", "bar")
    assert sorted(score["x"]) == pytest.approx(mean_scores(by_start(shown, shown.lone[0])))
    boxes = pictures_of(page)
    assert len(boxes) == 3
    assert len({round(box["y"]) for box in boxes}) == 1  # side by side
    assert max(box["y"] + box["height"] for box in boxes) < 2 * 900  # on the second screen at the latest


def test_the_sections_are_the_view_s_in_its_order_and_no_others(shown, opened):
    page = opened(shown.lone[0], height=3400)
    page.get_by_text("saturation/layer1", exact=True).wait_for()
    assert sections_of(page) == ["Comparison", "Decision boundaries", "Gradients", "Units"]


def test_initlab_ui_opens_the_newest_view(shown):
    assert shown.opens == shown.lone[0]


def steps_of(page) -> list[int]:
    sources = [picture.get_attribute("src") for picture in page.locator(".rc-image-img").all()]
    return [int(re.search(r"step%2B(\d+)%2B", source)[1]) for source in sources]


def test_the_slider_shows_the_boundaries_as_they_were(shown, opened):
    page = opened(shown.lone[0], height=1600)
    pictures_of(page)
    assert steps_of(page) == [399, 399, 399]
    page.get_by_role("slider").press("ArrowLeft")
    page.locator('.rc-image-img:not([src*="step%2B399%2B"])').nth(2).wait_for()
    [earlier] = set(steps_of(page))
    assert 0 < earlier < 399


def test_over_seeds_a_view_shows_the_means_of_each_start(shown, opened):
    page = opened(shown.seeds[0])
    page.get_by_text("zeros (cost)", exact=True).first.wait_for()
    cost, score, *_ = page.evaluate(CHARTS)
    assert {"zeros (cost)", "random (cost)", "he (cost)"} <= set(cost["words"])
    groups = by_start(shown, shown.seeds[0])
    assert [len(runs) for runs in groups.values()] == [3, 3, 3]
    assert sorted(score["x"]) == pytest.approx(mean_scores(groups))
    assert sections_of(page) == ["Comparison", "Gradients", "Units"]


def test_over_seeds_another_view_shows_a_picture_of_each_start(shown, opened):
    page = opened(shown.seeds[1], height=1500)
    assert len(pictures_of(page)) == 3
    cost, *_ = page.evaluate(CHARTS)
    median = [runs[1].info.run_name for runs in by_start(shown, shown.seeds[1]).values()]
    assert {f"{name} (cost)" for name in median} <= set(cost["words"])


def test_the_table_has_the_columns_of_the_question(shown, opened):
    page = opened(shown.lone[0], width=2200)
    page.locator("label", has=page.locator("input[value=TABLE]")).or_(
        page.locator("[value=TABLE]")
    ).first.click()
    for column in ("init", "seed", "final_cost", "accuracy/test", "diagnosis"):
        page.get_by_test_id(f"sort-header-{column}").or_(
            page.get_by_text(column, exact=True)
        ).first.wait_for()
    page.get_by_text("symmetry never broken", exact=False).first.wait_for()
