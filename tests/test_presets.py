"""Every named study runs by one short command, here at reduced size."""

import pytest
from conftest import ROOT, runs_of
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf

from initlab.config.schema import Settings, plain, read
from initlab.runs.outcome import read_outcomes
from initlab.sweeps.compose import Composer

SMALL = ("train.iterations=3", "plots.frames=0", "hydra.launcher.n_jobs=1")
REDUCED = {
    "notebook": ([], 1),
    # Four starts are others by another name, and one is of residual networks.
    "gallery": (["seed=2"], len(list((ROOT / "conf" / "init").glob("*.yaml"))) - 5),
    "symmetry": (["seed=2", "init=zeros,constant,he"], 3 * 2),
    "learning_rate": (["seed=2", "init=he,random", "optimizer.learning_rate=0.01,10"], 2 * 2),
    "activations": (["seed=2", "init=lsuv"], 14),
    "width": (["seed=2", "init=he,orthogonal", "model.width=3,7"], 2 * 2),
    "depth": (["seed=2", "init=he,lsuv", "model.depth=2,11"], 2 * 2),
    "edge_of_chaos": (["seed=2", "init.sigma_w=1,3", "model.depth=2,5", "model.width=7"], 2 * 2),
    "normalization": (["seed=2", "init=he", "model.depth=3"], 3),
    "cures": (["seed=2", "fault=symmetry,clip"], 2 * 2),
    "real_data": (["seed=2", "init=he", "model.hidden=[7]"], 4),
}
UNTRACKED = (
    "activations",
    "cures",
    "depth",
    "learning_rate",
    "width",
)  # their tracking is that of the others
STUDIES = sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))


def test_every_study_is_run_here():
    assert sorted(REDUCED) == STUDIES


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_runs_by_its_name_alone(study, command, folder, client):
    overrides, jobs = REDUCED[study]
    untracked = ["tracking.uri=null"] if study in UNTRACKED else []
    kept = f"report.keep={str(study == 'edge_of_chaos').lower()}"
    done = command(f"experiment={study}", *overrides, *SMALL, kept, *untracked)
    assert done.returncode == 0, done.stderr
    outcomes = read_outcomes(folder)
    assert len(outcomes) == jobs
    assert {outcome.summary.tags["experiment"] for outcome in outcomes} == {study}
    assert all(outcome.summary.verdicts for outcome in outcomes)
    runs = runs_of(client)
    if untracked:
        assert runs == []
        return
    assert len(runs) == jobs
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert {run.data.tags["experiment"] for run in runs} == {study}
    assert all(run.data.tags["diagnosis"] for run in runs)
    if study == "edge_of_chaos":
        [summary] = runs_of(client, "initlab-sweeps")
        files = {file.path for file in client.list_artifacts(summary.info.run_id)}
        assert {"boundaries.png", "comparison.png", "phase.png", "report.html", "runs.csv"} <= files


@pytest.mark.parametrize("study", [study for study in STUDIES if study != "notebook"])
def test_every_job_of_a_study_composes(study):
    with initialize_config_module("initlab.conf", version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        whole = loader.load_configuration("config", [f"experiment={study}"], run_mode=RunMode.RUN)
        assert whole.hydra.mode.name == "MULTIRUN"
        composer = Composer(loader, whole)
        for key, values in whole.hydra.sweeper.params.items():
            choices = [] if "(" in str(values) else str(values).split(",")
            for choice in choices:
                cfg = composer.compose([f"experiment={study}", f"{key}={choice}"])
                read(Settings, plain(OmegaConf.masked_copy(cfg, [part for part in cfg if part != "hydra"])))
