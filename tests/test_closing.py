"""A sweep is closed in the same way under every launcher, and what cannot be kept costs no run."""

import json
from pathlib import Path

import pytest
from conftest import runs_of

from initlab.runs.outcome import read_outcome, read_outcomes

SHORT = ("-m", "init=zeros,he", "seed=1,2", "train.iterations=20", "plots.frames=0")
QUICK = (*SHORT[3:], "report.keep=false", "tracking.uri=null")


def closing(folder: Path) -> dict:
    [file] = folder.glob("multirun/*/sweep.json")
    return json.loads(file.read_text())


@pytest.mark.parametrize("launcher", [["hydra/launcher=basic"], ["hydra.launcher.n_jobs=1"], []])
def test_every_launcher_closes_a_sweep_once(command, folder, client, launcher):
    done = command(*SHORT, *launcher)
    assert done.returncode == 0, done.stderr
    [summary] = runs_of(client, "initlab-sweeps")
    files = {file.path for file in client.list_artifacts(summary.info.run_id)}
    assert {"comparison.png", "boundaries.png", "report.html", "report.md", "report.tex", "runs.csv"} <= files
    said = closing(folder)
    for sentence in said["verdict"]:
        assert sentence in done.stdout
    assert list(said["addresses"]) == ["The means over seeds", "A typical run of each"]
    assert Path(said["report"]).read_bytes() == client_file(summary, "report.html")
    assert summary.data.params["command"].startswith("initlab -m init=zeros,he seed=1,2")


def client_file(run, name: str) -> bytes:
    return Path(run.info.artifact_uri.removeprefix("file://"), name).read_bytes()


def test_the_numbers_of_the_summary_run_are_those_of_the_runs(command, client):
    assert command(*SHORT, "hydra.launcher.n_jobs=1").returncode == 0
    [summary] = runs_of(client, "initlab-sweeps")
    for init in ("zeros", "he"):
        costs = [run.data.metrics["final_cost"] for run in runs_of(client) if run.data.tags["init"] == init]
        assert summary.data.metrics[f"final_cost.median/{init}"] == pytest.approx(sum(costs) / 2)
        assert summary.data.metrics[f"diverged.share/{init}"] == 0


def test_a_sweep_that_is_not_tracked_has_a_verdict_and_nothing_else(command, folder):
    done = command(*SHORT, "tracking.uri=null", "hydra.launcher.n_jobs=1")
    assert "2 seeds decide nothing between" in done.stdout
    assert "it takes at least 7." in done.stdout
    assert "MLflow" not in done.stdout
    assert closing(folder)["report"] is None


def test_a_lone_job_closes_without_a_word(command, folder):
    done = command("-m", "init=he", "train.iterations=20", "plots.frames=0")
    assert done.returncode == 0
    assert "Nothing is compared" not in done.stdout
    assert not list(folder.glob("multirun/*/sweep.json"))


def test_a_failed_job_does_not_keep_the_others_from_their_answer(command, client):
    done = command(*SHORT[:2], "seed=1,-1", *SHORT[3:], "hydra.launcher.n_jobs=1")
    assert done.returncode == 1
    assert "One seed decides nothing between" in done.stdout
    assert len(runs_of(client, "initlab-sweeps")) == 1


def test_nothing_is_kept_that_is_not_wanted(command, folder, client):
    done = command(*SHORT, "report.keep=false", "hydra.launcher.n_jobs=1")
    assert done.returncode == 0, done.stderr
    assert client.get_experiment_by_name("initlab-sweeps") is None
    assert "2 seeds decide nothing between" in done.stdout
    assert "Compare them in MLflow (initlab ui): " in done.stdout
    assert closing(folder)["report"] is None


@pytest.mark.parametrize("processes", [1, 2])
def test_the_outcomes_of_a_whole_sweep_are_read_from_one_file(command, folder, processes, monkeypatch):
    words = ["-m", "init=zeros,he", "seed=range(0,11)", f"hydra.launcher.n_jobs={processes}"]
    command(*words, "hydra.sweep.dir=multirun/one", *QUICK)
    sweep = folder / "multirun" / "one"
    together = read_outcomes(sweep)
    assert together == [read_outcome(sweep / str(number)) for number in range(22)]
    monkeypatch.setattr("initlab.runs.outcome.read_outcome", pytest.fail)
    assert read_outcomes(sweep) == together


def test_that_file_does_not_outlive_what_it_says(command, folder):
    words = ["-m", "seed=1,2,3", "hydra.sweep.dir=multirun/one", *QUICK]
    command(*words)
    sweep = folder / "multirun" / "one"
    assert (sweep / "outcomes.json").is_file()
    for more in (["hydra/launcher=basic"], ["hydra.sweeper.max_batch_size=2"]):
        command(*words, *more, "train.iterations=7")
        assert not (sweep / "outcomes.json").exists()
        assert {one.summary.iterations for one in read_outcomes(sweep)} == {7}
        command(*words)
    command("-m", "seed=4,5", *words[2:])
    assert [one.summary.tags["seed"] for one in read_outcomes(sweep)] == ["4", "5", "3"]
