"""The pictures that real sweeps leave: which there are, and that they show what the runs measured."""

import math
from statistics import median

import numpy as np
import pytest
from conftest import folder_with, runs_of
from figures import assert_readable
from mlflow import MlflowClient
from sklearn.metrics import r2_score

import initlab
import initlab.plots
from initlab.report.answer import answer_of
from initlab.report.pictures import pictures_of
from initlab.runs.stored import RunFiles

SHORT = ("plots.frames=0", "diagnostics.every=1000", "hydra.launcher.n_jobs=1")
SWEEPS = {
    "starts and rates": (
        "init=zeros,random,he", "optimizer.learning_rate=0.01,0.1,1", "seed=range(0,5)",
        "train.iterations=53",
    ),
    "a regression of several depths": (
        "dataset=diabetes", "model=deep", "model.width=7", "model.depth=1,2,4", "init=he,random", "seed=1,2",
        "train.iterations=53",
    ),
    "one number": (
        "dataset=wine", "model.hidden=[7]", "init=mean_field", "init.sigma_w=1,2,4", "train.iterations=53",
    ),
    "numbers of a start and of a network": (
        "dataset=wine", "model=deep", "model.depth=1,2", "model.width=5", "init=mean_field",
        "init.sigma_w=1,2", "train.iterations=11",
    ),
    "two data sets": ("dataset=moons,wine", "init=he,zeros", "train.iterations=53"),
    "one that diverges": ("dataset=diabetes", "optimizer.learning_rate=0.1,1e200", "train.iterations=53"),
}  # fmt: skip
EXPECTED = {
    "starts and rates": [
        "boundaries", "comparison", "confusion", "heat", "ranks", "scores-optimizer.learning_rate",
        "specifications",
    ],
    "a regression of several depths": [
        "boundaries", "comparison", "heat", "predictions", "scores-model.depth", "specifications",
    ],
    "one number": ["boundaries", "comparison", "confusion", "scores-init.sigma_w"],
    "numbers of a start and of a network": [
        "boundaries", "comparison", "confusion", "heat", "phase", "scores-init.sigma_w", "scores-model.depth",
        "specifications",
    ],
    "two data sets": ["boundaries-1", "boundaries-2", "comparison", "confusion", "heat", "specifications"],
    "one that diverges": ["boundaries", "comparison", "predictions", "scores-optimizer.learning_rate"],
}  # fmt: skip


@pytest.fixture(scope="module")
def swept(tmp_path_factory, migrated_database):
    """Each sweep's outcomes, the files of its own run, and which functions drew what from which arguments."""
    done = {}

    def sweep(kind):
        if kind not in done:
            folder = folder_with(migrated_database, tmp_path_factory.mktemp("swept"))
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(folder)
                outcomes = initlab.sweep(*SWEEPS[kind], *SHORT).outcomes
                client = MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")
                [own] = runs_of(client, "initlab-sweeps")
                files = [file.path for file in client.list_artifacts(own.info.run_id)]
                done[kind] = outcomes, files, drawn(patch, outcomes)
        return done[kind]

    return sweep


def drawn(patch, outcomes):
    """Draws the pictures once more and returns for each function of the plots what it was given and drew."""
    calls = {}

    def noting(name, plot):
        def note(*args, **kwargs):
            calls.setdefault(name, []).append((args, kwargs, plot(*args, **kwargs)))
            return calls[name][-1][2]

        return note

    for name in initlab.plots.__all__:
        if name.startswith("plot_") or name in ("comparison", "contact_sheet", "specifications_figure"):
            patch.setattr(initlab.plots, name, noting(name, getattr(initlab.plots, name)))
    pictures_of(answer_of(outcomes), outcomes, RunFiles)
    return calls


@pytest.mark.parametrize("kind", SWEEPS)
def test_a_sweep_leaves_the_pictures_that_it_has(swept, kind):
    outcomes, files, _ = swept(kind)
    assert all(outcome.summary for outcome in outcomes)
    assert sorted(file.removesuffix(".png") for file in files if file.endswith(".png")) == EXPECTED[kind]


@pytest.mark.parametrize("kind", SWEEPS)
def test_every_figure_of_a_sweep_can_be_read(swept, kind):
    *_, calls = swept(kind)
    for name in calls.keys() - {"contact_sheet"}:
        for _, _, made in calls[name]:
            assert_readable(made if name in ("comparison", "specifications_figure") else made.figure)


def scores(outcomes, **settings):
    wanted = [f"{key.replace('__', '.')}={value}" for key, value in settings.items()]
    return [one.summary.score_test for one in outcomes if set(wanted) <= set(one.overrides)]


def test_a_curve_over_a_number_has_the_medians_and_quartiles_of_the_scores(swept):
    outcomes, _, calls = swept("starts and rates")
    [((x, curves), about, _)] = calls["plot_scores"]
    assert x == [0.01, 0.1, 1]
    assert list(curves) == ["zeros", "random", "he"]
    for init, (middle, low, high) in curves.items():
        for number, rate in enumerate(("0.01", "0.1", "1")):
            expected = np.percentile(scores(outcomes, init=init, optimizer__learning_rate=rate), [50, 25, 75])
            assert [middle[number], low[number], high[number]] == pytest.approx(expected)
    assert about["title"] == "Test accuracy over learning rate: median and quartiles of 5 seeds"
    assert about["xlabel"] == "optimizer.learning_rate"


def test_a_heat_map_has_the_median_scores_of_starts_and_rates(swept):
    outcomes, _, calls = swept("starts and rates")
    [((values, rows, columns), about, _)] = calls["plot_heat"]
    assert (rows, columns) == (["zeros", "random", "he"], ["0.01", "0.1", "1"])
    for i, j in np.ndindex(3, 3):
        expected = median(scores(outcomes, init=rows[i], optimizer__learning_rate=columns[j]))
        assert values[i, j] == pytest.approx(100 * expected)
    assert about["title"] == "Test accuracy in %, median of 5 seeds"


def test_a_comparison_has_the_runs_of_median_cost_above_the_costs_of_all_seeds(swept):
    outcomes, _, calls = swept("starts and rates")
    [((X, _, entries, *_), _, _)] = calls["comparison"]
    assert [entry.label for entry in entries][:2] == ["zeros learning_rate=0.01", "zeros learning_rate=0.1"]
    for entry in entries:
        runs = [
            one.summary for one in outcomes if one.summary.name.split("-seed")[0] == entry.label.split()[0]
        ]
        runs = [run for run in runs if run.name.endswith(entry.label.split()[1])]
        typical = sorted(runs, key=lambda run: run.final_cost)[2]
        loaded = initlab.load(typical.run_id, typical.store)
        image = loaded.plot_boundary()
        assert entry.score == median(run.score_train for run in runs)
        assert sorted(cost[-1] for cost in entry.cost) == sorted(run.final_cost for run in runs)
        shown = initlab.plots.plot_boundary(X, np.zeros((1, X.shape[1])), entry.answers).images[0].get_array()
        assert np.array_equal(shown, image.images[0].get_array())


def test_a_confusion_matrix_is_of_the_best_combinations_typical_run_on_the_test_part(swept):
    outcomes, _, calls = swept("starts and rates")
    [((matrix, names), about, _)] = calls["plot_confusion"]
    by_set = {}
    for one in outcomes:
        by_set.setdefault(tuple(w for w in one.overrides if not w.startswith("seed")), []).append(one.summary)
    best = max(by_set.values(), key=lambda runs: median(run.score_test for run in runs))
    typical = sorted(best, key=lambda run: run.final_cost)[2]
    assert np.trace(matrix) / matrix.sum() == pytest.approx(typical.score_test)
    assert matrix.sum(axis=1).tolist() == [50, 50]
    assert names == ["class 0", "class 1"]
    init, rate = typical.name.split("-seed")[0], typical.name.split()[-1]
    seed = typical.tags["seed"]
    assert about["title"] == f"{init} {rate} · seed {seed} · 100 test examples, {np.trace(matrix)} right"


def test_classes_have_their_names_in_a_confusion_matrix(swept):
    outcomes, _, calls = swept("one number")
    [((matrix, names), _, _)] = calls["plot_confusion"]
    assert tuple(names) == ("class_0", "class_1", "class_2")
    best = max((one.summary for one in outcomes), key=lambda run: run.score_test)
    assert np.trace(matrix) / matrix.sum() == pytest.approx(best.score_test)


@pytest.mark.parametrize("kind", ["a regression of several depths", "one that diverges"])
def test_predictions_have_the_score_of_the_run_that_they_are_of(swept, kind):
    outcomes, _, calls = swept(kind)
    [((true, predicted), about, _)] = calls["plot_predictions"]
    found = [one.summary for one in outcomes if f"seed {one.summary.tags['seed']}" in about["title"]]
    assert any(run.score_test == pytest.approx(r2_score(true, predicted)) for run in found if run.score_test)
    assert len(true) == len(predicted) == int(about["title"].split(" · ")[-1].split()[0])


def test_runs_that_diverged_have_the_worst_score_and_no_boundary(swept):
    outcomes, _, calls = swept("one that diverges")
    diverged = next(one.summary for one in outcomes if one.summary.diverged_at is not None)
    [((_, curves), _, ax)] = calls["plot_scores"]
    [line] = curves.values()
    assert line[0][1] == -math.inf
    assert any(head.get_marker() == "v" for head in ax.lines)
    [(args, _, figure)] = calls["comparison"]
    [entry] = [entry for entry in args[2] if entry.answers is None]
    assert math.isnan(entry.score)
    assert not np.isfinite(entry.cost[0][-1])
    assert len(entry.cost[0]) >= diverged.iterations
    assert sum(text.get_text() == "diverged" for panel in figure.axes for text in panel.texts) == 1


def test_ranks_and_specifications_are_those_of_the_answer(swept):
    outcomes, _, calls = swept("starts and rates")
    answer = answer_of(outcomes)
    [((ranks, difference), about, _)] = calls["plot_ranks"]
    assert sum(ranks.values()) == pytest.approx(1 + 2 + 3)
    assert about["title"] == "Average ranks by test accuracy over 3 settings"
    assert difference == pytest.approx(2.343 * math.sqrt(3 * 4 / (6 * 3)), rel=1e-3)  # Demšar's table 5
    [((effects, intervals, choices), about, _)] = calls["specifications_figure"]
    first, second = about["title"].split(" − ")
    curve = answer.specifications(first, second)
    assert effects == pytest.approx([100 * one.effect for one in curve.specifications])
    assert intervals == pytest.approx(100 * np.array([one.interval for one in curve.specifications]))
    assert [("optimizer.learning_rate", value) for value in choices["learning_rate"]] == [
        setting for one in curve.specifications for setting in one.setting
    ]


def test_a_sheets_title_names_the_data_and_the_learning_rate_if_it_is_one(swept):
    def titles(kind):
        return [args[5] for args, *_ in swept(kind)[2]["contact_sheet"]]

    assert titles("starts and rates") == ["circles"]
    assert titles("two data sets") == ["moons · learning rate 0.01", "wine · learning rate 0.01"]
