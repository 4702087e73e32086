"""The stacked launcher: Hydra's own suite, and what it promises beyond."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import warm
from conftest import ROOT, environment, folder_with, run_command, runs_of
from hydra import initialize_config_module
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.test_utils.launcher_common_tests import IntegrationTestSuite, LauncherTestSuite
from hydra.types import HydraContext, RunMode
from mlflow import MlflowClient
from omegaconf import open_dict

import initlab.terminal.command
from initlab.config.options import in_subfolders
from initlab.sweeps.executors.processes import Processes
from initlab.sweeps.group import JobFailed
from initlab.sweeps.launch import Sweep, launch
from initlab.sweeps.plan import LARGEST_GROUP, SMALLEST_GROUP, groups_of, variants
from initlab.terminal.progress import SweepProgress

SHORT = ("train.iterations=40", "plots.frames=1")
LONG = ("train.iterations=10000000", "tracking.every=1000", "plots.frames=0")
TWO_BATCHES = ("model.hidden=[3],[2]", "seed=1,2", "hydra.launcher.n_jobs=2")  # a process for each network
HERE = "hydra.launcher.n_jobs=1"  # in the command's own process


def test_hydra_discovers_it():
    assert "StackedLauncher" in [found.__name__ for found in Plugins.instance().discover(Launcher)]


# The suite expects each job in its own folder, which was Hydra's default when it was written.
@pytest.mark.parametrize(("launcher_name", "overrides"), [("stacked", ["hydra.job.chdir=true"])])
class TestHydrasLauncherSuite(LauncherTestSuite):
    """Hydra's suite trains foreign task functions, which the launcher runs one by one as Hydra does."""


@pytest.mark.parametrize(("task_launcher_cfg", "extra_flags"), [({}, ["-m", "hydra/launcher=stacked"])])
class TestHydrasIntegrationSuite(IntegrationTestSuite):
    """The same with applications in processes of their own."""

    @pytest.fixture(autouse=sys.version_info >= (3, 14))
    def command_lines(self, tmp_path, monkeypatch):
        """Lets Hydra 1.3 read a command line on Python 3.14, as Initlab's commands do by themselves."""
        looks = "import argparse\nargparse.ArgumentParser._check_help = lambda parser, action: None\n"
        (tmp_path / "sitecustomize.py").write_text(looks)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def arrays_of(run, name: str) -> dict[str, np.ndarray]:
    with np.load(Path(run.info.artifact_uri.removeprefix("file://"), name)) as arrays:
        return dict(arrays)


def picture_of(run, name: str) -> bytes:
    return Path(run.info.artifact_uri.removeprefix("file://"), name).read_bytes()


SWEEP = ("-m", "init=random,zeros", "seed=1,2,3", "optimizer.learning_rate=0.01,0.3", *SHORT)


class Done(NamedTuple):
    """What a sweep said and where it tracked."""

    stdout: str
    client: MlflowClient

    @property
    def runs(self) -> dict[str, Any]:
        return {run.data.tags["sweep_job"]: run for run in runs_of(self.client)}


def done_sweep(folder: Path, *arguments: str) -> Done:
    done = run_command(*arguments, folder=folder)
    assert done.returncode == 0, done.stderr
    return Done(done.stdout, MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db"))


@pytest.fixture(scope="module")
def together(tmp_path_factory, migrated_database) -> Done:
    """A sweep of 12 jobs in stacks of 8 and 4, each in a process of its own."""
    folder = folder_with(migrated_database, tmp_path_factory.mktemp("together"))
    return done_sweep(folder, *SWEEP, "hydra.launcher.n_jobs=2")


def test_every_number_and_picture_is_the_same_as_when_each_job_runs_alone(together, folder):
    alone = done_sweep(folder, *SWEEP, "hydra/launcher=basic")
    assert "median [range]" in alone.stdout
    by_job = together.runs, alone.runs
    assert by_job[0].keys() == by_job[1].keys()
    assert len(by_job[0]) == 12
    for job, run in by_job[0].items():
        other = by_job[1][job]
        for name in ("history.npz", "weights.npz"):
            ours, theirs = arrays_of(run, name), arrays_of(other, name)
            assert ours.keys() == theirs.keys()
            assert all(np.array_equal(ours[key], theirs[key], equal_nan=True) for key in ours)
        assert picture_of(run, "boundary.png") == picture_of(other, "boundary.png")
        metrics = [{k: v for k, v in r.data.metrics.items() if k != "seconds"} for r in (run, other)]
        assert metrics[0] == metrics[1]
        assert run.data.params == other.data.params


def test_jobs_fill_processes_with_alike_jobs_together():
    class Fake:
        def __init__(self, *overrides: str) -> None:
            self.overrides = list(overrides)

    def sizes(jobs, processes):
        return [len(group.jobs) for group in groups_of(jobs, processes)]

    seeds = [Fake("init=he", f"seed={seed}") for seed in range(1000)]
    assert max(sizes(seeds, 2)) == LARGEST_GROUP
    assert sizes(seeds[:3], 2) == [3]
    assert sizes(seeds[:20], 2) == [10, 10]
    assert min(sizes(seeds[:16], 8)) == SMALLEST_GROUP
    mixed = [Fake(f"model.hidden=[{n}]", f"seed={s}") for s in range(20) for n in (2, 3)]
    for group in groups_of(mixed, 2):
        assert len({job.overrides[0] for job in group.jobs}) == 1


def test_a_run_is_named_by_what_sets_it_apart():
    rates = [f"optimizer.learning_rate={rate}" for rate in (0.1, 0.2)]
    jobs = [["init=he", "seed=1", rate, "train.iterations=5"] for rate in rates]
    assert variants(jobs) == ["learning_rate=0.1", "learning_rate=0.2"]


def test_a_sweep_over_seeds_is_summed_up_by_median_and_range(together):
    lines = together.stdout.splitlines()
    assert "median [range]" in next(line for line in lines if line.startswith("init"))
    rows = [line.split() for line in lines if line.startswith(("random  ", "zeros  "))]
    assert [row[:3] for row in rows] == [
        [init, rate, "3"] for init in ("random", "zeros") for rate in ("0.01", "0.3")
    ]
    assert [float(word.strip("[,]")) for word in rows[2][3:6]] == pytest.approx([math.log(2)] * 3, rel=1e-4)


def test_the_sweep_has_a_summary_run_of_its_own(together):
    [summary] = runs_of(together.client, "initlab-sweeps")
    assert summary.info.status == "FINISHED"
    assert {summary.data.tags["sweep"]} == {run.data.tags["sweep"] for run in together.runs.values()}
    assert picture_of(summary, "boundaries.png").startswith(b"\x89PNG")
    table = picture_of(summary, "runs.csv").decode().splitlines()
    keys = "init,seed,optimizer.learning_rate,train.iterations,plots.frames"
    assert table[0].startswith(f"{keys},name,initial_cost,final_cost")
    assert len(table) == 13


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, migrated_database) -> tuple[subprocess.CompletedProcess[str], MlflowClient]:
    """A sweep over two data sets in which jobs fail and diverge."""
    folder = folder_with(migrated_database, tmp_path_factory.mktemp("mixed"))
    overrides = ("dataset=moons,blobs", "optimizer.learning_rate=0.1,-1,1e200", HERE, *SHORT)
    done = run_command("-m", *overrides, folder=folder)
    return done, MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")


def test_runs_on_different_data_get_sheets_of_their_own(mixed):
    _, client = mixed
    [summary] = runs_of(client, "initlab-sweeps")
    files = [file.path for file in client.list_artifacts(summary.info.run_id)]
    sheets = ["boundaries-1.png", "boundaries-2.png"]
    assert sorted(file for file in files if file.startswith("boundaries")) == sheets
    assert {"comparison.png", "report.html", "report.md", "report.tex", "runs.csv"} <= set(files)
    assert picture_of(summary, "boundaries-1.png") != picture_of(summary, "boundaries-2.png")


def test_a_bad_job_in_a_stack_costs_only_itself_and_all_failures_are_listed(mixed):
    done, client = mixed
    assert done.returncode == 1
    assert "Of 6 jobs that ended, 2 failed:" in done.stderr
    for data in ("moons", "blobs"):
        [line] = [line for line in done.stderr.splitlines() if line.startswith(f"  dataset={data} ")]
        assert "optimizer.learning_rate=-1: must be a finite number greater than 0" in line
    assert "Traceback" not in done.stderr
    assert "diverged at" in done.stdout
    assert "he-seed3" in done.stdout
    assert [run.info.status for run in runs_of(client)] == ["FINISHED"] * 4
    assert sum(run.data.metrics["diverged"] for run in runs_of(client)) == 2


def launched(folder: Path, jobs: list[list[str]], *fixed: str) -> list[JobReturn]:
    with initialize_config_module("initlab.conf", version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", list(fixed), run_mode=RunMode.MULTIRUN)
        with open_dict(master):
            master.hydra.runtime.cwd = str(folder)
        context = HydraContext(config_loader=loader, callbacks=Callbacks())
        sweep = Sweep(
            context, initlab.terminal.command.train.__wrapped__, master, Processes(1), None, 2, SweepProgress
        )
        return launch(sweep, [[*job, *fixed] for job in jobs], 5)


def test_sweepers_get_what_the_jobs_return(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jobs = [["init=zeros"], ["optimizer.learning_rate=1e200"], ["seed=-1"]]
    fixed = ["train.iterations=9", "tracking.uri=null"]
    zeros, diverged, failed = launched(tmp_path, jobs, *fixed)
    assert zeros.return_value == pytest.approx(0.6931471805599453)
    assert diverged.return_value == float("inf")
    assert zeros.overrides == ["init=zeros", *fixed]
    with pytest.raises(JobFailed, match="seed=-1: must be a whole number"):
        _ = failed.return_value


def test_callbacks_see_every_job(tmp_path):
    (tmp_path / "probe.py").write_text(
        "from hydra.experimental.callback import Callback\n"
        "class Probe(Callback):\n"
        "    def on_job_start(self, config, **kwargs):\n"
        "        print('START', config.hydra.job.num)\n"
        "    def on_job_end(self, config, job_return, **kwargs):\n"
        "        print('END', config.hydra.job.num, job_return.status.name)\n"
    )
    done = run_command(
        "-m",
        "seed=1,-1",
        "+hydra.callbacks.probe._target_=probe.Probe",
        "tracking.uri=null",
        *SHORT,
        folder=tmp_path,
        PYTHONPATH=f"{ROOT}:{tmp_path}",
    )
    seen = [line for line in done.stdout.splitlines() if line.startswith(("START", "END"))]
    assert seen == ["START 0", "START 1", "END 1 FAILED", "END 0 COMPLETED"]


def started_sweep(folder: Path, *arguments: str) -> warm.Process:
    return warm.Process(["-m", "src.train", "-m", *arguments], folder, environment(), session=True)


def wait_for(condition, seconds: float = 90):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def is_gone(pid: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def seeds_of(client: MlflowClient, status: str, **params: str) -> list[str]:
    """Returns the seeds of the runs with that status and, if any are given, those parameters."""
    found = [run for run in runs_of(client) if run.info.status == status]
    return sorted(run.data.tags["seed"] for run in found if params.items() <= run.data.params.items())


def test_the_jobs_of_a_killed_worker_run_again(folder, client):
    lengths = "train.iterations=20000,20"
    assert not runs_of(client)  # and the first question, which takes longest, is asked
    sweep = started_sweep(folder, lengths, *TWO_BATCHES[1:], "tracking.every=1000", "plots.frames=0")
    long = {"train.iterations": "20000"}
    wait_for(lambda: seeds_of(client, "RUNNING", **long) == ["1", "2"])
    os.kill(sweep.workers()[0], signal.SIGKILL)  # the oldest has the first batch
    _, errors = sweep.communicate(timeout=200)
    assert sweep.returncode == 0, errors
    assert "1 process died (its process was ended by SIGKILL), 2 jobs of it tried again." in errors
    assert seeds_of(client, "FINISHED") == ["1", "1", "2", "2"]
    assert seeds_of(client, "FAILED") == seeds_of(client, "FAILED", **long) == ["1", "2"]
    assert len(runs_of(client)) == 6
    ended = {run.info.status: "sweep" in run.data.tags for run in runs_of(client)}
    assert ended == {"FINISHED": True, "FAILED": False}  # what was tried again does not count twice
    attempts = {
        run.data.tags.get("attempt") for run in runs_of(client) if run.data.params.items() >= long.items()
    }
    assert attempts == {None, "2"}


@pytest.fixture
def long_sweep(folder, client) -> Iterator[tuple[warm.Process, list[int]]]:
    """A sweep whose two workers both train, and the workers."""
    sweep = started_sweep(folder, *TWO_BATCHES, *LONG)
    try:
        wait_for(lambda: seeds_of(client, "RUNNING") == ["1", "1", "2", "2"])
        time.sleep(0.5)
        yield sweep, sweep.workers()
    finally:
        with suppress(ProcessLookupError):  # a failed test leaves nothing behind that trains on
            os.killpg(sweep.pid, signal.SIGKILL)
        sweep.wait()


def test_a_stopped_sweep_ends_its_workers_and_their_runs_killed(long_sweep, client):
    sweep, workers = long_sweep
    assert len(workers) == 2
    os.kill(sweep.pid, signal.SIGHUP)  # its workers get SIGTERM
    _, errors = sweep.communicate(timeout=60)
    assert errors.splitlines()[-3:] == [
        "Stopped by SIGHUP when 0 of 4 jobs had finished.",
        "4 runs under way are marked KILLED.",
        "To go on: initlab resume",
    ]
    assert sweep.returncode == 128 + signal.SIGHUP
    assert {run.info.status for run in runs_of(client)} == {"KILLED"}
    assert all(is_gone(worker) for worker in workers)


def test_no_worker_outlives_its_parent(long_sweep, client):
    sweep, workers = long_sweep
    assert len(workers) == 2
    os.kill(sweep.pid, signal.SIGKILL)
    sweep.communicate(timeout=60)
    wait_for(lambda: all(is_gone(worker) for worker in workers), seconds=20)
    assert {run.info.status for run in runs_of(client)} == {"KILLED"}


def test_other_launchers_keep_working(command, client):
    done = command("-m", "init=he,zeros", "hydra/launcher=joblib", "report.keep=false", *SHORT)
    assert done.returncode == 0, done.stderr
    assert sorted(run.info.run_name for run in runs_of(client)) == ["he-seed3", "zeros-seed3"]
    assert "he-seed3" in done.stdout


def test_a_wrong_number_of_processes_is_a_readable_error(tmp_path):
    done = run_command("-m", "seed=1,2", "hydra.launcher.n_jobs=0", "tracking.uri=null", folder=tmp_path)
    assert done.returncode == 1
    assert "hydra.launcher.n_jobs=0: must be null or a whole number of at least 1" in done.stderr
    assert "Traceback" not in done.stderr


def test_hydra_values_in_a_config_mean_the_job_itself(folder, client, monkeypatch):
    monkeypatch.chdir(folder)
    launched(folder, [["init=he"], ["init=zeros"]], "tracking.experiment=sweep-${hydra:job.num}", *SHORT)
    for number, init in ((5, "he"), (6, "zeros")):
        [run] = runs_of(client, f"sweep-{number}")
        assert run.data.tags["init"] == init


@pytest.mark.parametrize(
    ("number", "folder"),
    [(0, "0"), (7, "7"), (499, "499"), (500, "500-999/500"), (777, "500-999/777"), (1000, "1000-1499/1000")],
)
def test_no_folder_of_a_large_sweep_holds_more_than_some_hundred_jobs(number, folder):
    assert in_subfolders(number) == folder
