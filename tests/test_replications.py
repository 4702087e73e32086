"""The shelf of replicated papers."""

import importlib
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT, run_command
from initlab.replications.hanin2019 import check as regions
from initlab.replications.saxe2014 import check as linear
from initlab.replications.sohldickstein2024 import check as fractal
from mlflow import MlflowClient
from scipy import stats

from initlab.errors import ConfigError, InitlabError
from initlab.shelf import paper
from initlab.shelf.estimate import Estimate, exact, jackknife, mean
from initlab.shelf.paper import Paper, Published
from initlab.shelf.replication import Replication, keep, tracked
from initlab.shelf.section import label, printed, section, shown
from initlab.shelf.verdict import FAILS, HOLDS, IN_KIND, UNDECIDED, verdict

CLAIM = Published(what="what it is about", where="abstract", at_least=2, claim=True)
NUMBER = Published(what="a number", where="Table 1", value=0.5, tolerance=0.1, percent=True, why="Because.")
HEARSAY = Published(what="hearsay", where="Figure 2", printed="about 6")
ABOUT = {"title": "T", "authors": "A", "year": 2001, "source": "S", "claim": "C.", "here": "H."}
SAMPLE = Paper(
    name="sample2001", **ABOUT, settings={}, published={"claim": CLAIM, "number": NUMBER, "hearsay": HEARSAY}
)


def ours(claim, number):
    return {"claim": claim, "number": number, "hearsay": exact(5)}


@pytest.mark.parametrize(
    ("low", "high", "agrees"),
    [(0.41, 0.59, True), (0.4, 0.6, True), (0.39, 0.5, None), (0.7, 0.8, False), (0.2, 0.39, False)],
)
def test_a_number_agrees_only_if_the_whole_interval_is_within_the_tolerance(low, high, agrees):
    assert NUMBER.agrees(Estimate((low + high) / 2, low, high)) is agrees


def test_a_bound_is_open_to_the_other_side_and_hearsay_is_not_tested():
    assert CLAIM.agrees(Estimate(1e9, 2, math.inf)) is True
    assert CLAIM.agrees(Estimate(1, -3, 1.99)) is False
    assert CLAIM.agrees(Estimate(2, 1, 3)) is None
    assert HEARSAY.agrees(exact(5)) is None


@pytest.mark.parametrize(
    ("claim", "number", "expected"),
    [
        (exact(3), exact(0.55), HOLDS),
        (exact(3), exact(0.7), IN_KIND),
        (exact(3), Estimate(0.5, 0.3, 0.7), IN_KIND),
        (exact(1), exact(0.5), FAILS),
        (Estimate(2, 1, 3), exact(0.5), UNDECIDED),
    ],
)
def test_the_verdict_turns_on_what_the_paper_is_about(claim, number, expected):
    assert verdict(SAMPLE, ours(claim, number)) == expected


def test_a_section_tells_why_only_of_what_does_not_agree():
    agreeing = section(SAMPLE, ours(exact(3), exact(0.5)), HOLDS, "a.png")
    differing = section(SAMPLE, ours(exact(3), Estimate(0.7, 0.65, 0.75)), IN_KIND, "a.png")
    assert "Because." not in agreeing
    assert "- *a number*: Because." in differing
    assert "| a number | 50 % (± 10 %) | Table 1 | 70 % [65 %, 75 %] | differs |" in differing
    assert "| hearsay | about 6 | Figure 2 | 5 | not tested |" in differing
    assert printed(CLAIM) == "at least 2"
    assert shown(CLAIM, exact(3)) == "3"


def test_a_section_shows_what_the_verdict_rests_on_and_whose_place_was_not_seen():
    seen = section(SAMPLE, ours(exact(3), exact(0.5)), HOLDS, "a.png")
    assert "| **what it is about** | at least 2 | abstract | 3 | agrees |" in seen
    assert "†" not in seen
    heard = replace(SAMPLE, published={**SAMPLE.published, "number": replace(NUMBER, second_hand=True)})
    told = section(heard, ours(exact(3), exact(0.5)), HOLDS, "a.png")
    assert "| a number | 50 % (± 10 %) | Table 1 † | 50 % | agrees |\n" in told
    assert "\n\n† not seen in the paper itself" in told
    assert told.count("†") == 2
    assert label(replace(CLAIM, what="q* of it")) == r"**q\* of it**"


def test_intervals_of_a_mean_and_of_a_variance_hold_the_truth_as_often_as_they_say():
    rng = np.random.RandomState(0)
    means = [mean(rng.standard_normal(11)) for _ in range(400)]
    assert 0.92 < np.mean([one.low < 0 < one.high for one in means]) < 0.98
    variances = [jackknife(rng.standard_normal(130), 10, lambda x: np.var(x, ddof=1)) for _ in range(300)]
    assert 0.90 < np.mean([one.low < 1 < one.high for one in variances]) < 0.98


def test_the_jackknife_of_a_mean_is_students_interval_over_groups():
    values = np.random.RandomState(1).exponential(size=(35, 1))[:, 0]
    groups = values.reshape(7, 5).mean(axis=1)
    low, high = stats.t.interval(0.95, 6, groups.mean(), stats.sem(groups))
    found = jackknife(values, 7, np.mean)
    assert found == pytest.approx((values.mean(), low, high))


@pytest.mark.parametrize("name", paper.names())
def test_every_paper_says_what_its_check_can_measure(name):
    one, check = paper.read(name), importlib.import_module(f"initlab.replications.{name}.check")
    arguments = set(check.measure.__kwdefaults__ or {}) | set(check.measure.__annotations__)
    assert set(one.settings) == arguments - {"sweep", "return"}
    assert set(one.short) <= set(one.settings)
    assert any(result.claim for result in one.published.values())
    for result in one.published.values():
        assert result.allowed or result.printed
        assert not result.claim or result.allowed


def test_an_unknown_paper_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigError, match=r"^lu2020: is not on the shelf; there are glorot2010, "):
        paper.read("lu2020")


def test_the_page_has_a_section_of_every_paper():
    page = (ROOT / "docs" / "replications.md").read_text()
    for name in paper.names():
        assert f"<!-- {name}: made by `make replications` -->" in page


def test_regions_of_one_hidden_layer_are_as_many_as_those_of_lines_in_general_position():
    for units in (3, 5, 7):
        in_general_position = 1 + units + units * (units - 1) // 2
        assert len(regions.regions_of_plane([units], seed=2, half=1e7)) == in_general_position
        assert regions.pieces_of_line([units], seed=2) == 1 + units


def test_a_network_is_linear_on_every_region_and_regions_fill_the_square():
    found = regions.regions_of_plane([5, 3], seed=4, half=2.0)
    blocks = regions.blocks_of([5, 3], 4, 2)
    area = 0.0
    for piece in found:
        x, y = piece.corners.T
        area += abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
        center = piece.corners.mean(axis=0)
        a = center
        for block in blocks:
            a = np.maximum(block[:, :-1] @ a + block[:, -1], 0)
        assert piece.affine[:, :-1] @ center + piece.affine[:, -1] == pytest.approx(a, abs=1e-9)
    assert area == pytest.approx(16)


def test_box_dimension_of_a_line_is_1_and_of_everything_2():
    plane = np.ones((65, 65))
    plane[:33] = -1
    assert fractal.box_dimension(plane) == pytest.approx(1)
    checkered = np.where(np.indices((65, 65)).sum(axis=0) % 2, 1.0, -1.0)
    assert fractal.box_dimension(checkered) == pytest.approx(2)


def test_the_fractals_runs_descend_as_the_papers_network_does():
    rng = np.random.RandomState(5)
    X, Y = rng.standard_normal((16, 272)), rng.standard_normal((1, 272))
    W0, W1 = 0.7 * rng.standard_normal((16, 16)), 0.7 * rng.standard_normal((1, 16))
    losses = []
    for _ in range(7):
        hidden = np.tanh(np.sqrt(2) * W0 @ X / 4)
        error = W1 @ hidden / 16 - Y
        losses.append(np.mean(error**2))
        back = 2 * error / 272
        slope = (W1.T @ back / 16) * (1 - hidden**2) * np.sqrt(2) / 4
        W0, W1 = W0 - 11.0 * slope @ X.T, W1 - 11.0 * (back @ hidden.T) / 16
    found = fractal.speeds(5, 7, True, np.array([[0.7, 11.0], [0.7, 1e9]]))
    assert found[0] == pytest.approx(-np.sum(losses) / losses[0], rel=1e-9)
    assert found[1] > 0


def test_modes_follow_the_exact_curve_and_the_law_begins_where_they_do():
    assert linear.law(np.array([0.0]), np.array([4.0])) == pytest.approx([linear.FIRST])
    assert linear.law(np.array([40.0]), np.array([4.0])) == pytest.approx([4.0])


def test_numbers_of_other_settings_are_not_shown_as_those_of_todays(tmp_path, migrated_database, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(migrated_database, tmp_path / "mlflow.db")
    uri, measured = f"sqlite:///{tmp_path}/mlflow.db", replace(SAMPLE, settings={"seeds": 2, "rates": [0.5]})
    numbers = ours(Estimate(3, 2, math.inf), exact(0.5))
    keep(Replication(measured, numbers, b"picture", 1.0, short=False), measured.settings, uri)
    assert tracked(measured, uri).ours == numbers
    other = replace(measured, settings={"seeds": 3, "rates": [0.5]})
    with pytest.raises(
        InitlabError, match=r"^sample2001: was measured with seeds=2, its paper.yaml has seeds=3"
    ):
        tracked(other, uri)


@pytest.fixture(scope="module")
def all_short(tmp_path_factory, migrated_database):
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "mlruns").mkdir()
    shutil.copy(migrated_database, folder / "mlruns" / "mlflow.db")
    return folder, replicate(folder, "all", "--short")


def replicate(folder, *words):
    return run_command(*words, folder=folder, program="replicate")


def test_all_papers_run_in_their_short_form_and_are_kept(all_short):
    folder, done = all_short
    assert done.returncode == 0, done.stderr
    client = MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")
    experiment = client.get_experiment_by_name("replications").experiment_id
    runs = {run.info.run_name: run for run in client.search_runs([experiment])}
    assert set(runs) == set(paper.names())
    for name, run in runs.items():
        assert run.info.status == "FINISHED"
        assert run.data.tags["form"] == "short"
        assert run.data.tags["verdict"] == "short form, not judged"
        assert f"ours/{next(iter(paper.read(name).published))}" in run.data.metrics
        assert (folder / "reports" / "replications" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    assert all(len(line) < 80 for line in done.stdout.splitlines())


def test_without_a_paper_the_shelf_is_listed(tmp_path):
    done = replicate(tmp_path)
    assert done.returncode == 0
    for name in paper.names():
        assert f"\n{name} " in f"\n{done.stdout}"
    assert all(len(line) < 80 for line in done.stdout.splitlines())
