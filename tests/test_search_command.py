"""``hydra/sweeper=stacked_optuna`` on the command line: a search, its end, and how it goes on."""

import shutil
import statistics
import subprocess
from pathlib import Path

import optuna
import pytest
from conftest import folder_with, run_command, run_python, runs_of
from mlflow import MlflowClient
from optuna.trial import TrialState

from initlab.runs.checkpoints import FOLDER
from initlab.runs.outcome import read_outcomes
from initlab.search.found import found_in
from initlab.search.study import stored

SPACE = ("init=he,zeros", "optimizer.learning_rate=tag(log,interval(0.1,10))")
QUICK = (
    "dataset.n_train=31", "dataset.n_test=23", "model.hidden=[7]", "train.iterations=40", "plots.frames=0",
    "diagnostics.names=[]", "diagnostics.rare=[]", "hydra.launcher.n_jobs=1",
)  # fmt: skip
SMALL = (
    "hydra.sweeper.batch=4", "hydra.sweeper.seeds=3", "hydra.sweeper.best=2", "hydra.sweeper.fresh_seeds=7",
    "hydra.sweeper.seed=5", "hydra.sweep.dir=multirun/it",
)  # fmt: skip
SEARCH = ("-m", "hydra/sweeper=stacked_optuna", *SPACE, *QUICK, *SMALL)


def study_of(folder: Path, name: str = "it") -> optuna.Study:
    return optuna.load_study(study_name=name, storage=stored(folder / "multirun" / name / "study.db"))


def told(folder: Path) -> list:
    return [(one.params, one.value, one.state) for one in study_of(folder).trials]


@pytest.fixture(scope="module")
def searched(tmp_path_factory, migrated_database) -> "tuple[Path, subprocess.CompletedProcess[str]]":
    folder = folder_with(migrated_database, tmp_path_factory.mktemp("searched"))
    done = run_command(*SEARCH, "hydra.sweeper.n_trials=8", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder, done


def test_a_search_says_what_it_found(searched):
    folder, done = searched
    lines = done.stdout.splitlines()
    assert lines[0] == "dataset.n_validation=23: examples to choose by, drawn beside the others."
    assert any(line.startswith("8 trials with seeds 3 to 5: ") for line in lines)
    assert "Seeds 6 to 12 were in no trial." in done.stdout
    best = study_of(folder).best_trial
    [row] = [line for line in lines if line.startswith(best.params["init"])][:1]
    assert f"{best.value:.1%}" in row
    assert "MLflow" in lines[-1]


def test_every_whole_trial_has_tracked_runs_and_no_other_has(searched):
    folder, _ = searched
    whole = [one for one in study_of(folder).trials if one.state == TrialState.COMPLETE]
    runs = runs_of(MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db"))
    seeds = [int(run.data.tags["seed"]) for run in runs]
    distinct = {tuple(one.params.values()) for one in whole}
    assert sorted(seeds) == sorted([*range(3, 6)] * len(distinct) + [*range(6, 13)] * min(2, len(distinct)))
    assert {run.data.metrics["iterations"] for run in runs} == {40}
    assert {run.info.status for run in runs} == {"FINISHED"}
    for trial in whole:
        scores = sorted(
            run.data.metrics["accuracy/validation"] for run in runs
            if float(run.data.params["optimizer.learning_rate"]) == trial.params["optimizer.learning_rate"]
            and run.data.tags["init"] == trial.params["init"] and int(run.data.tags["seed"]) < 6
        )  # fmt: skip
        assert scores[1] == trial.value


def test_a_search_has_a_run_of_its_own_with_the_table_that_was_shown(searched):
    folder, done = searched
    [run] = runs_of(MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db"), "initlab-sweeps")
    assert run.info.run_name == "search it"
    assert f"runs/{run.info.run_id}?" in done.stdout
    first, *others = found_in(folder / "multirun" / "it").best
    assert len(others) == 1
    assert run.data.metrics["value/1"] == first.value == study_of(folder).best_value
    assert run.data.metrics["validation.median/1"] == statistics.median(first.validation)
    assert run.data.metrics["test.low/1"] <= statistics.median(first.test) <= run.data.metrics["test.high/1"]
    assert run.data.metrics["trials.whole"] + run.data.metrics["trials.pruned"] == 8
    assert run.data.params["best/1"] == " ".join(first.overrides)
    assert run.data.params["command"].startswith("initlab -m ")
    assert "hydra/sweeper=stacked_optuna" in run.data.params["command"]
    note = run.data.tags["mlflow.note.content"]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in note.split("\n\n")[0].splitlines()]
    shown = [line for line in done.stdout.splitlines() if line.startswith(("he ", "zeros "))]
    assert [" ".join(row).split() for row in rows[2:]] == [line.split() for line in shown]
    assert "winner's curse" in note
    files = Path(run.info.artifact_uri.removeprefix("file://"))
    assert {path.name for path in files.iterdir()} == {"search.json", "study.db"}


def test_equal_units_are_pruned_at_the_first_rung_and_trained_no_further(searched):
    folder, _ = searched
    equal = [one for one in study_of(folder).trials if one.params["init"] == "zeros"]
    assert equal
    assert {(one.state, one.user_attrs["pruned"]) for one in equal} == {
        (TrialState.PRUNED, "symmetry never broken")
    }
    outcomes = read_outcomes(folder / "multirun" / "it")
    of_zeros = [one for one in outcomes if one.settings["init"] == "zeros"]
    assert {one.summary.iterations for one in of_zeros} == {4}
    assert not list((folder / FOLDER).glob("*"))


def test_a_finished_search_has_nothing_to_do(searched):
    folder, done = searched
    before = told(folder)
    again = run_python("-m", "initlab", "resume", folder=folder)
    assert again.returncode == 0, again.stderr
    assert told(folder) == before
    table = [line for line in done.stdout.splitlines() if line.startswith(("he ", "zeros "))]
    assert [line for line in again.stdout.splitlines() if line.startswith(("he ", "zeros "))] == table
    assert len(runs_of(MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db"), "initlab-sweeps")) == 1


def test_runs_that_are_in_the_store_are_not_trained_again(searched):
    folder, _ = searched
    client = MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")
    before = {run.info.run_id for run in runs_of(client)}
    words = ("hydra.sweeper.n_trials=8", "hydra.sweep.dir=multirun/again", "resume=true")
    done = run_command(*SEARCH, *words, folder=folder)
    assert done.returncode == 0, done.stderr
    assert {run.info.run_id for run in runs_of(client)} == before
    assert not list((folder / FOLDER).glob("*"))
    shutil.rmtree(folder / "multirun" / "again")


def test_a_search_goes_on_with_more_trials_as_one_that_had_them_from_the_start(searched, folder):
    words = ("hydra.sweeper.n_trials=12", "hydra.sweeper.fresh_seeds=0", "tracking.uri=null")
    other = run_command(*SEARCH, *words, folder=folder)
    assert other.returncode == 0, other.stderr
    older, _ = searched
    done = run_python("-m", "initlab", "resume", "hydra.sweeper.n_trials=12", folder=older)
    assert done.returncode == 0, done.stderr
    assert told(older) == told(folder)
    assert told(older)[:8] == told(folder)[:8]
    found = found_in(older / "multirun" / "it")
    assert found is not None
    assert found.ended == 12
    assert all(len(one.validation) == 7 for one in found.best)
    kept = runs_of(MlflowClient(f"sqlite:///{older}/mlruns/mlflow.db"), "initlab-sweeps")
    named = [run for run in kept if run.data.tags.get("sweep") == "it"]
    assert [run.data.params["trials"] for run in named] == ["12"]


def test_a_study_is_not_mixed_with_another_one(searched):
    folder, _ = searched
    done = run_python("-m", "initlab", "resume", "hydra.sweeper.seeds=4", folder=folder)
    assert done.returncode == 1
    assert "hydra.sweeper.seeds=4: the search that was begun has 3; begin another one" in done.stderr


def test_under_hydras_own_launcher_a_search_comes_to_the_same(command, folder):
    few = (
        "hydra.sweeper.n_trials=2",
        "hydra.sweeper.rungs=[10]",
        "hydra.sweeper.seeds=1",
        "hydra.sweeper.fresh_seeds=0",
    )
    found = []
    for launcher in ("basic", "stacked"):
        words = (f"hydra/launcher={launcher}", "tracking.uri=null", f"hydra.sweep.dir=multirun/{launcher}")
        own = [word for word in QUICK if launcher == "stacked" or not word.startswith("hydra.launcher")]
        done = command("-m", "hydra/sweeper=stacked_optuna", *SPACE, *own, *few, *words)
        assert done.returncode == 0, done.stderr
        found.append([(one.params, one.value, one.state) for one in study_of(folder, launcher).trials])
    assert found[0] == found[1]


def test_a_dry_run_says_how_many_jobs_there_may_be_and_leaves_nothing(command, folder):
    done = command(*SEARCH, "hydra.sweeper.n_trials=8", "dry_run=true")
    assert "8 trials of 3 seeds to train, 24 jobs at most. " in done.stdout
    assert "The best 2 settings again, with fresh seeds: 7 each." in done.stdout
    assert not (folder / "multirun").exists()


@pytest.mark.parametrize(("words", "said"), [
    (["init=he"], "hydra/sweeper=stacked_optuna: has nothing to choose"),
    (["init=he,zeros", "dataset=autotrainer_blob"], "has no validation part, by which a search must choose"),
    (["init=he,zeros", "hydra.launcher.until=decided"], "until=decided: must be null in a search"),
    (["init=he,zeros", "seed=4294967290"], "seed=4294967290: must leave 28 seeds up to 4294967295"),
    (["optimizer.lerning_rate=interval(0,1)"], "Did you mean optimizer.learning_rate?"),
    (["init=he,zeros", "stretch=[0,5]"], "stretch=[0,5]: a search itself says how far its jobs go"),
])  # fmt: skip
def test_what_cannot_be_searched_is_said_before_anything_is_trained(command, folder, words, said):
    done = command("-m", "hydra/sweeper=stacked_optuna", "train.iterations=40", *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "multirun").exists()


def test_without_optuna_one_line_says_how_to_get_it(monkeypatch):
    import hydra_plugins.initlab_stacked_optuna as plugin
    from initlab.errors import ConfigError

    monkeypatch.setattr(plugin, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'initlab\[optuna\]'"):
        plugin.StackedOptuna({}, {}).setup(hydra_context=None, task_function=None, config=None)


def test_discovery_does_not_import_optuna(tmp_path):
    code = "import sys, hydra_plugins.initlab_stacked_optuna; print('optuna' in sys.modules)"
    assert run_python("-c", code, folder=tmp_path, fresh=True).stdout.strip() == "False"
