"""The benchmark of searches: its grid is what a search would be given, and the page shows what it wrote."""

import optuna
import pytest
from conftest import ROOT
from test_answer import run

from benchmarks import search as bench
from initlab.search.batch import jobs_of
from tools.generated import read_block

SETTINGS = [(init, "relu", rate) for init in ("he", "random") for rate in range(3)]


@pytest.fixture
def grid():
    """A grid in which the middle rate of he is the best, and everything grows with the iterations."""

    def score(setting, seed, end):
        return (
            (0.8 - 0.1 * abs(setting[2] - 1) - 0.3 * (setting[0] == "random") + 0.01 * (seed % 3)) * end / 400
        )

    came = {
        (setting, seed, end): run(0.5, seed, validation=score(setting, seed, end)).summary
        for setting in SETTINGS for seed in bench.SEEDS for end in (40, 120, 400)
    }  # fmt: skip
    return bench.Grid(came, {setting: score(setting, 0, 400) for setting in SETTINGS})


def test_a_grid_gives_what_came_of_a_job_and_counts_what_it_cost(grid):
    words = bench.SPACE.overrides({"init": "he", "model.activation": "relu", "rate": 1})
    jobs = jobs_of(words, bench.SEEDS)
    scores = [one.summary.score_validation for one in grid.train(jobs)]
    assert scores == pytest.approx([0.8 + 0.01 * (seed % 3) for seed in bench.SEEDS])
    assert grid.cost == 8 * 400
    grid.train([[*job, "stretch=[40,120]"] for job in jobs])
    assert grid.cost == 8 * 480


def test_the_grids_choice_is_the_best_median(grid):
    assert grid.best() == ("he", "relu", 1)


@pytest.mark.parametrize("method", bench.METHODS)
def test_every_way_finds_the_best_of_six_and_pays_no_more_than_the_grid(monkeypatch, grid, method):
    space = {
        "init": optuna.distributions.CategoricalDistribution(["he", "random"]),
        "model.activation": optuna.distributions.CategoricalDistribution(["relu"]),
        "rate": optuna.distributions.IntDistribution(0, 2),
    }
    monkeypatch.setattr(bench, "SPACE", bench.Space(space, ()))
    found = bench.repeated(method._replace(trials=24), grid, seed=0)
    assert found.truth == pytest.approx(0.8)
    assert 0 < found.cost <= 1
    if method.pruner != "none":
        assert found.cost < 1


def test_the_page_shows_what_the_command_writes():
    block = read_block(ROOT / "docs" / "search.md", "search")
    for method in bench.METHODS:
        assert f"| {method.name} |" in block
    assert block.count("\n| ") >= len(bench.METHODS) + 6
    assert "search.md" in (ROOT / "mkdocs.yml").read_text()
