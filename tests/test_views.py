"""The saved views of a sweep: what they say to MLflow, which runs they show, and what they may not cost."""

import base64
import json
import re
import sqlite3
import zlib
from contextlib import closing
from itertools import product

import numpy as np
import pytest
from conftest import runs_of
from mlflow import MlflowClient
from mlflow.entities import RunStatus

from initlab.palette import CURVE_COLORS, INK
from initlab.report.answer import answer_of
from initlab.report.views import views_of
from initlab.runs.outcome import Outcome, varied
from initlab.runs.summary import Summary
from initlab.tracking import Description, Tracker
from initlab.tracking.views import NOTE, View, describe, newest, save, state_of, tag_of

METRICS = [
    "cost", "final_cost", "seconds", "accuracy/train", "accuracy/test", "weight_norm/layer1",
    "grad_norm/global", "grad_norm/layer1", "grad_norm/layer2", "dead_units/layer1", "saturation/layer2",
]  # fmt: skip
SHORT = ("train.iterations=20", "plots.frames=1", "hydra.launcher.n_jobs=1")


def run(seed=3, cost=0.3, score=0.9, iterations=101, output="sigmoid", **settings):
    init = settings.get("init", "he")
    words = [f"{key.replace('__', '.')}={value}" for key, value in settings.items()]
    summary = Summary(
        name=f"{init}-seed{seed}",
        tags={"init": init, "seed": str(seed)},
        output=output,
        iterations=iterations,
        seconds=0.1,
        initial_cost=1.0,
        final_cost=cost,
        score_train=score,
        score_test=score,
        diverged_at=None if cost is not None else 5,
        run_id=" ".join([*words, f"seed={seed}"]),
    )
    return Outcome([*words, f"seed={seed}"], summary)


def views(outcomes, metrics=METRICS, by="score", pictures=True):
    made = views_of("s-1", answer_of(outcomes, by=by), varied(outcomes), metrics, pictures)
    return {what: state_of(view) for what, view in made.items()}


def sections(state):
    """The charts that are shown, by section."""
    shown = {section["uuid"]: [] for section in state["compareRunSections"]}
    for chart in state["compareRunCharts"]:
        if not chart["deleted"]:
            shown[chart["metricSectionId"]].append(chart)
    names = {section["uuid"]: section["name"] for section in state["compareRunSections"]}
    return {names[uuid]: charts for uuid, charts in shown.items()}


def runs_named(state):
    assert state["searchFilter"].startswith("attributes.run_id IN ('")
    return state["searchFilter"].removeprefix("attributes.run_id IN ('").removesuffix("')").split("', '")


STARTS = [run(init=init) for init in ("zeros", "random", "he")]
SEEDS = [
    run(seed, cost=seed / 10 + offset, init=init)
    for (init, offset), seed in product([("zeros", 2), ("he", 0)], (5, 1, 3))
]


def test_the_sections_and_their_charts_stand_in_the_order_of_the_question():
    [state] = views(STARTS).values()
    shown = sections(state)
    assert {
        name: [(chart["type"], chart.get("metricKey")) for chart in charts] for name, charts in shown.items()
    } == {
        "Comparison": [("LINE", "cost"), ("BAR", "accuracy/test")],
        "Decision boundaries": [("IMAGE", None)],
        "Gradients": [
            ("LINE", "grad_norm/global"), ("LINE", "grad_norm/layer1"), ("LINE", "grad_norm/layer2"),
        ],
        "Units": [("LINE", "dead_units/layer1"), ("LINE", "saturation/layer2")],
    }  # fmt: skip
    logarithmic = {c["metricKey"] for charts in shown.values() for c in charts if c.get("scaleType") == "log"}
    assert logarithmic == {"cost", "grad_norm/global", "grad_norm/layer1", "grad_norm/layer2"}
    [image] = shown["Decision boundaries"]
    assert (image["imageKeys"], image["step"], image["showRunParams"]) == (["boundary"], 100, False)
    assert [section["columns"] for section in state["compareRunSections"]] == [2, 1, 2, 2]
    assert state["isAccordionReordered"]


def test_every_other_metric_is_as_if_removed_so_that_no_section_is_added():
    for state in views(SEEDS).values():
        named = {chart.get("metricKey") for chart in state["compareRunCharts"]}
        assert named >= set(METRICS)
        assert any(chart["type"] == "IMAGE" for chart in state["compareRunCharts"])
        assert len({chart["uuid"] for chart in state["compareRunCharts"]}) == len(state["compareRunCharts"])


def test_the_filter_the_order_and_the_columns_stand_inside_of_the_view():
    outcomes = [run(init=init, model__depth=depth) for init, depth in product(("he", "zeros"), (5, 30))]
    [state] = views(outcomes).values()
    assert state["searchFilter"] == "tags.sweep = 's-1'"
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`accuracy/test`", False)
    assert state["selectedColumns"] == [
        "params.`init`", "params.`seed`", "params.`model.depth`",
        "metrics.`final_cost`", "metrics.`accuracy/test`", "tags.`diagnosis`",
    ]  # fmt: skip
    [by_cost] = views(outcomes, by="cost").values()
    assert (by_cost["orderByKey"], by_cost["orderByAsc"]) == ("metrics.`final_cost`", True)


def test_over_seeds_one_view_shows_means_and_one_the_runs_of_median_cost():
    means, typical = views(SEEDS).values()
    assert means["groupBy"] == {
        "aggregateFunction": "average",
        "groupByKeys": [{"mode": "tag", "groupByData": "init"}],
    }
    assert "Decision boundaries" not in sections(means)
    assert means["searchFilter"] == "tags.sweep = 's-1'"
    assert "groupBy" not in typical
    assert sorted(runs_named(typical)) == ["init=he seed=3", "init=zeros seed=3"]


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ([{"optimizer__learning_rate": r} for r in (0.1, 1)], [("param", "optimizer.learning_rate")]),
        ([{"init": i, "model__depth": d} for i, d in product(["he", "zeros"], [5, 30])],
         [("tag", "init"), ("param", "model.depth")]),
        ([{"init._target_": f"mine.{name}", "init": name} for name in ("a", "b")], [("tag", "init")]),
    ],
)  # fmt: skip
def test_runs_are_grouped_by_what_was_swept(settings, keys):
    outcomes = [run(seed, **one) for one in settings for seed in (1, 2)]
    means, _ = views(outcomes).values()
    found = [(key["mode"], key["groupByData"]) for key in means["groupBy"]["groupByKeys"]]
    assert found == keys


def test_where_two_tasks_were_swept_each_has_its_score():
    [state] = views([run(dataset="circles"), run(dataset="diabetes", output="linear")]).values()
    assert [chart["metricKey"] for chart in sections(state)["Comparison"]] == [
        "cost", "accuracy/test", "r2/test",
    ]  # fmt: skip


def test_runs_without_pictures_have_no_section_for_them():
    [state] = views(STARTS, pictures=False).values()
    assert list(sections(state)) == ["Comparison", "Gradients", "Units"]


def test_the_pictures_are_those_that_most_runs_have():
    outcomes = [run(train__iterations=n, iterations=n) for n in (50, 50, 700)]
    outcomes = [run(seed, iterations=n, init=f"i{seed}") for seed, n in enumerate((50, 50, 700))]
    [state] = views(outcomes).values()
    assert sections(state)["Decision boundaries"][0]["step"] == 49


def test_of_more_runs_than_a_page_loads_every_start_shows_as_many_seeds():
    outcomes = [run(seed, init=init) for init, seed in product(("a", "b", "c"), range(70))]
    made = views_of("s-1", answer_of(outcomes), varied(outcomes), METRICS)
    assert "The means over seeds, of 99 of 210 runs," in made
    means = next(iter(made.values()))
    assert (means.runs, "99 of 210 runs" in means.name) == (99, True)
    shown = runs_named(state_of(means))
    assert [sum(name.startswith(f"init={init} ") for name in shown) for init in "abc"] == [33, 33, 33]


def test_the_best_ten_of_many_starts_are_the_typical_ones():
    outcomes = [run(seed, init=f"i{number}", score=number / 20) for number in range(20) for seed in (1, 2, 3)]
    _, typical = views(outcomes).values()
    assert {name.split()[0] for name in runs_named(typical)} == {f"init=i{n}" for n in range(10, 20)}


def test_of_a_deep_network_the_first_layer_the_last_and_some_between_are_shown():
    layers = [f"grad_norm/layer{number}" for number in range(1, 31)]
    [state] = views(STARTS, metrics=["grad_norm/global", *reversed(layers)]).values()
    names = [chart["metricKey"] for chart in sections(state)["Gradients"]]
    assert names[:2] == ["grad_norm/global", "grad_norm/layer1"]
    assert names[-1] == "grad_norm/layer30"
    numbers = [int(name.removeprefix("grad_norm/layer")) for name in names[1:]]
    assert len(numbers) == 7
    assert np.ptp(np.diff(numbers)) <= 1


def view(name, metrics=METRICS):
    runs = "tags.sweep = 's'"
    return View(name, name, runs, 3, ("final_cost", True), metrics, ["accuracy/test"], ["init"], 9)


def test_a_view_is_packed_as_mlflow_reads_it():
    tag = json.loads(tag_of(view("v")))
    assert tag["name"] == "v"
    kind, _, packed = tag["state"].partition(";")
    assert kind == "deflate"
    assert json.loads(zlib.decompress(base64.b64decode(packed))) == state_of(view("v"))


@pytest.mark.parametrize("layers", [1, 10, 100, 1000])
def test_a_view_fits_into_a_tag_whatever_the_depth(layers):
    kinds = ("grad_norm", "dead_units", "saturation", "weight_norm", "effective_rank", "distance")
    metrics = [f"{kind}/layer{number}" for kind in kinds for number in range(layers)]
    assert 500 < len(tag_of(view("deep", metrics))) <= 20_000


def test_the_fifty_newest_of_our_views_are_kept_and_all_that_users_made(folder, client):
    tracker = Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder)
    users = {f"mlflow.sharedViewState.{name}" for name in ("mine", "f00")}
    for tag in users:
        client.set_experiment_tag(tracker.experiment_id, tag, tag_of(view("x")))
    client.set_experiment_tag(tracker.experiment_id, "mlflow.sharedViewState.initlab-odd", "no JSON")
    save(client, tracker.experiment_id, [view(f"v{number}") for number in range(48)])
    save(client, tracker.experiment_id, [view(f"w{number}") for number in range(7)])
    tags = client.get_experiment(tracker.experiment_id).tags
    shared = {tag for tag in tags if tag.startswith("mlflow.sharedViewState.")}
    assert users <= shared
    ours = {tag.removeprefix("mlflow.sharedViewState.initlab-") for tag in shared - users}
    assert len(ours) == 50
    assert {f"w{number}" for number in range(7)} <= ours
    assert "odd" not in ours
    save(client, tracker.experiment_id, [view("a-last")])
    assert newest(client.get_experiment(tracker.experiment_id).tags) == "a-last"


def test_a_description_that_a_user_has_written_stays(folder, client):
    experiment = Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder).experiment_id

    def note():
        return client.get_experiment(experiment).tags[NOTE]

    for text in ("first", "second"):
        describe(client, experiment, text)
        assert note() == text
    client.set_experiment_tag(experiment, NOTE, "second, and what I think of it")
    describe(client, experiment, "third")
    assert note() == "second, and what I think of it"


def test_the_experiments_say_what_they_hold_and_link_each_other(command, client):
    command("-m", "init=zeros,he", *SHORT)
    runs, sums = (client.get_experiment_by_name(name) for name in ("initlab", "initlab-sweeps"))
    [summary] = runs_of(client, "initlab-sweeps")
    page = f"](#/experiments/{sums.experiment_id}/runs/{summary.info.run_id}?workflowType=machine_learning)"
    assert page in runs.tags[NOTE]
    assert page in sums.tags[NOTE]
    assert f"](#/experiments/{sums.experiment_id}/runs?" in runs.tags[NOTE]
    assert f"](#/experiments/{runs.experiment_id}/runs?" in sums.tags[NOTE]
    example = re.search(r"`(params\.init = '\w+')`", runs.tags[NOTE])[1]
    assert len(client.search_runs([runs.experiment_id], example)) == 1


def test_a_sweep_over_seeds_leaves_views_that_find_its_runs(command, client):
    done = command("-m", "init=zeros,he", "seed=1,2,3", *SHORT)
    assert done.returncode == 0, done.stderr
    experiment = client.get_experiment_by_name("initlab")
    saved = {
        json.loads(text)["name"].split(" · ")[0]: json.loads(
            zlib.decompress(base64.b64decode(json.loads(text)["state"].split(";")[1]))
        )
        for name, text in experiment.tags.items()
        if name.startswith("mlflow.sharedViewState.initlab-")
    }
    assert set(saved) == {"Means over seeds", "Typical runs"}
    assert done.stdout.count("viewStateShareKey=initlab-") == 2
    found = {
        name: client.search_runs([experiment.experiment_id], state["searchFilter"])
        for name, state in saved.items()
    }
    assert len(found["Means over seeds"]) == 6
    assert {run.data.tags["init"] for run in found["Typical runs"]} == {"zeros", "he"}
    for typical in found["Typical runs"]:
        costs = sorted(
            run.data.metrics["final_cost"]
            for run in found["Means over seeds"]
            if run.data.tags["init"] == typical.data.tags["init"]
        )
        assert typical.data.metrics["final_cost"] == costs[1]
    metrics = {key for run in runs_of(client) for key in run.data.metrics}
    for state in saved.values():
        assert {chart.get("metricKey") for chart in state["compareRunCharts"]} >= metrics


def test_typical_runs_have_the_colours_of_the_pictures(command, client):
    starts = ("zeros", "random", "he", "xavier", "orthogonal")
    command("-m", f"init={','.join(starts)}", "seed=1,2,3", *SHORT)
    colored = {}
    for run in runs_of(client):
        if "mlflow.runColor" in run.data.tags:
            colored[run.data.tags["init"]] = run.data.tags["mlflow.runColor"]
    of_pictures = dict(zip(starts, CURVE_COLORS, strict=False))
    assert of_pictures.pop("xavier") == INK  # which is not to be seen on a dark page
    assert colored == of_pictures


def test_runs_are_found_by_the_names_of_their_parts(command, client):
    command("-m", "init=zeros,he", *SHORT)
    for where in ("params.init = 'he'", "params.dataset = 'circles' and params.init = 'he'"):
        assert [run.data.tags["init"] for run in client.search_runs(["1"], where)] == ["he"]
    assert len(client.search_runs(["1"], "params.optimizer = 'gd' and params.model = 'mlp'")) == 2


def test_a_view_that_the_store_refuses_costs_a_line_and_nothing_else(command, client, folder):
    command(*SHORT)
    with closing(sqlite3.connect(folder / "mlruns" / "mlflow.db")) as database, database:
        database.execute(
            "CREATE TRIGGER no_views BEFORE INSERT ON experiment_tags "
            "WHEN NEW.key LIKE '%sharedViewState%' BEGIN SELECT RAISE(ABORT, 'no views here'); END"
        )
    done = command("-m", "init=zeros,he", *SHORT)
    assert done.returncode == 0
    [line] = [line for line in done.stderr.splitlines() if "views" in line]
    assert line.startswith("MLflow's charts are not arranged for this sweep: ")
    assert "Traceback" not in done.stderr
    assert "viewStateShareKey" not in done.stdout
    assert len(runs_of(client)) == 3
    assert {run.info.status for run in runs_of(client)} == {RunStatus.to_string(RunStatus.FINISHED)}
    [summary] = runs_of(client, "initlab-sweeps")
    assert summary.info.status == "FINISHED"


def test_sqlite_finds_the_curve_of_a_run_by_its_index(folder):
    tracker = Tracker("sqlite:///mlruns/mlflow.db", "initlab", folder)
    with tracker.runs([Description(f"r{number}", {}, {}) for number in range(40)]) as runs:
        for one in runs:
            one.log({"cost": np.linspace(2, 1, 300), "grad_norm/global": np.ones(300)}, np.arange(300))

    def index() -> str:
        bucket = "ntile(320) OVER (ORDER BY step, timestamp, value, is_nan)"  # as MLflow's server asks
        curve = f"SELECT value, step, is_nan, {bucket} FROM metrics WHERE run_uuid = 'x' AND key = 'cost'"
        with closing(sqlite3.connect(folder / "mlruns" / "mlflow.db")) as database, database:
            plan = database.execute(f"EXPLAIN QUERY PLAN {curve}").fetchall()
        [search] = [words for *_, words in plan if words.startswith("SEARCH metrics")]
        return search

    assert index() == "SEARCH metrics USING COVERING INDEX sqlite_autoindex_metrics_1 (key=?)"
    tracker.speed_up_charts()
    assert "index_metrics_run_uuid_key_step" in index()
    assert MlflowClient(tracker.uri).get_metric_history(runs[7].run_id, "cost")[-1].value == 1
