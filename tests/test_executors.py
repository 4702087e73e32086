"""Sweeps on Ray and by SLURM: the bits of processes, whatever is killed; no job lost, none doubled."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import warm
from conftest import environment, free_port, mlflow_server, run_command, run_python, runs_of
from mlflow import MlflowClient
from moto.server import ThreadedMotoServer
from stores import PostgreSQL, execute, running_postgresql

from benchmarks.executors.clusters import Cluster, UnavailableError, ray_nodes, slurm
from initlab.errors import ConfigError
from initlab.runs.outcome import Outcome
from initlab.sweeps.executors import ray as on_ray
from initlab.sweeps.executors import slurm as by_slurm
from initlab.sweeps.executors.protocol import Lost
from initlab.sweeps.executors.queues import SlurmQueue
from initlab.sweeps.executors.share import Inbox, Outbox, Said, attempt_file
from initlab.sweeps.executors.slurm import OnSlurm
from initlab.sweeps.group import JobEnding, JobGroup
from initlab.sweeps.launched import Launched
from initlab.sweeps.ledger import Ledger
from initlab.sweeps.surroundings import surroundings_of

JOBS = 11  # in groups of 8 and 3
SHORT = ("plots.frames=0", "report.keep=false", "tracking.every=1000")
SWEEP = ("-m", "init=he", f"seed=range(0,{JOBS})", "train.iterations=20000", *SHORT)
LOCAL = ("hydra/launcher=stacked_slurm", "hydra.launcher.cluster=local", "hydra.launcher.array_parallelism=2")
SECONDS = 240


# What needs no cluster


@pytest.mark.parametrize("launcher", ["stacked_ray", "stacked_slurm"])
def test_a_store_that_is_a_file_is_refused_in_one_line(tmp_path, launcher):
    words = LOCAL[1:] if launcher == "stacked_slurm" else ()
    done = run_command("-m", "seed=1,2", f"hydra/launcher={launcher}", *words, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "tracking.uri=sqlite:///mlruns/mlflow.db: is a file, which one machine can write to; "
        f"hydra/launcher={launcher} needs an MLflow server (http://…) or PostgreSQL (postgresql://…)\n"
    )
    assert not (tmp_path / "multirun").exists()


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch):
    for module in (on_ray, by_slurm):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"stacked_ray needs Ray: pip install 'initlab\[ray\]'"):
        on_ray.OnRay(None, None, 1).check()
    with pytest.raises(ConfigError, match=r"stacked_slurm needs submitit: pip install 'initlab\[slurm\]'"):
        settings().check()


def settings(**changed: object) -> OnSlurm:
    usual = {
        "cluster": "local", "partition": None, "account": None, "qos": None, "constraint": None,
        "timeout_min": 5, "signal_delay_s": 90, "cpus_per_task": 1, "mem_gb": None,
        "array_parallelism": 7, "batches_per_task": 3,
    }  # fmt: skip
    return OnSlurm(Path("nowhere"), **(usual | changed))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cluster": "cloud"}, "hydra.launcher.cluster=cloud: must be slurm or local"),
        ({"timeout_min": 0}, "hydra.launcher.timeout_min=0: must be a whole number of at least 1"),
        ({"array_parallelism": -1}, "hydra.launcher.array_parallelism=-1: must be a whole number"),
        ({"mem_gb": 0.0}, "hydra.launcher.mem_gb=0.0: must be null or greater than 0"),
        (
            {"timeout_min": 1},
            "hydra.launcher.signal_delay_s=90: must be greater than 0 and less than the 60 s",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_what_would_be_right(changed, said):
    with pytest.raises(ConfigError) as caught:
        settings(**changed).check()
    assert str(caught.value).startswith(said)


def test_where_no_ray_cluster_is_that_is_said_at_once():
    with pytest.raises(OSError, match="refused"):
        on_ray._knock(f"ray://127.0.0.1:{free_port()}")


def test_without_slurm_the_launcher_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match="there is no sbatch here; cluster=local does without SLURM"):
        settings(cluster="slurm").check()


def test_hydra_finds_the_launchers_without_importing_what_they_use():
    script = (
        "import hydra_plugins.initlab_stacked_launcher, sys; print(sys.modules.keys() & {'ray', 'submitit'})"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "set()\n"


def test_tasks_are_spread_over_as_many_processes_as_may_run():
    def sizes(tasks: int, most: int = 1000) -> list[int]:
        return [len(some) for some in executor.shares(deque(range(tasks)), most)]

    executor = settings(cluster="slurm", array_parallelism=7, batches_per_task=3)
    assert sizes(5) == [1] * 5
    assert sizes(13) == [2] * 6 + [1]
    assert sizes(100) == [3] * 33 + [1]
    assert sizes(100, most=2) == [3, 3]


def test_who_does_not_wait_submits_all_at_once():
    def sizes(tasks: int, most: int) -> list[int]:
        return [len(some) for some in executor.shares(deque(range(tasks)), most)]

    executor = settings(cluster="slurm", array_parallelism=7, batches_per_task=3, wait=False)
    assert sizes(13, most=1000) == [2] * 6 + [1]
    assert sizes(100, most=1000) == [3] * 33 + [1]
    assert sizes(103, most=5) == [21] * 4 + [19]


def test_who_does_not_wait_leaves_what_is_there_still_to_a_command_that_does(tmp_path, monkeypatch):
    monkeypatch.setattr(OnSlurm, "queue", EmptyQueue())
    settings(wait=False).rejoin(tmp_path)
    (tmp_path / "slurm").mkdir()
    (tmp_path / "slurm" / "submitted.json").write_text(json.dumps(["17_0", "17_1", "17_2"]))
    settings(wait=False).rejoin(tmp_path)
    for there, said in (({"17_1"}, "1 process that .* is there"), ({"17_0", "17_1"}, "2 processes .* are")):
        monkeypatch.setattr(EmptyQueue, "there", lambda self, ids, there=there: there)
        with pytest.raises(ConfigError, match=f"^hydra.launcher.wait=false: {said}.* which waits for them$"):
            settings(wait=False).rejoin(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ("hydra.launcher.until=decided",),
        ("hydra.sweeper.max_batch_size=1",),
        ("hydra/sweeper=stacked_optuna", "optimizer.learning_rate=interval(0.01,1)"),
    ],
)
def test_a_sweep_whose_jobs_depend_on_the_ends_of_others_must_wait(tmp_path, words):
    address = f"tracking.uri=http://127.0.0.1:{free_port()}"
    done = run_command(
        "-m", "init=zeros,he", *LOCAL, "hydra.launcher.wait=false", *words, address, folder=tmp_path
    )
    assert done.returncode == 1
    assert done.stderr == (
        "hydra.launcher.wait=false: needs all jobs at once, and a search, hydra.launcher.until and "
        "hydra.sweeper.max_batch_size give some after others have ended\n"
    )


def test_a_report_is_read_once_and_only_as_a_whole(tmp_path):
    stem, said = tmp_path / "reports", [Said(5, "first"), Said(7, "second"), Said(5, None, is_result=True)]
    inbox = Inbox(stem)
    assert not inbox.begun
    with attempt_file(stem).open("wb", buffering=0) as file:
        outbox, last = Outbox(file), pickle.dumps(said[1])
        outbox.put(said[0])
        file.write(last[:-3])
        assert list(inbox.take()) == said[:1]
        file.write(last[-3:])
        assert list(inbox.take()) == said[1:2]
    with attempt_file(stem).open("wb", buffering=0) as file:
        Outbox(file).put(said[2])
    assert list(inbox.take()) == said[2:]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["reports.0", "reports.1"]


@pytest.mark.parametrize(
    ("squeue", "there"),
    [
        ("echo 17_0; echo 17_2; echo 19_1", {"17_0", "17_2"}),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", set()),
        ("echo 'Unable to contact slurm controller' >&2; exit 1", {"17_0", "17_1", "17_2"}),
    ],
)
def test_what_has_left_the_queue_is_over_unless_slurm_does_not_answer(tmp_path, monkeypatch, squeue, there):
    (tmp_path / "squeue").write_text(f"#!/bin/sh\n{squeue}\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert SlurmQueue().there(["17_0", "17_1", "17_2"]) == there


class EmptyQueue:
    """A queue that everything has left."""

    def there(self, ids):
        return set()

    def fate(self, one):
        return f"{one} is gone"


def test_what_a_process_had_not_begun_when_it_died_goes_back_to_the_others(tmp_path):
    work, tasks = by_slurm._Work(settings(), None, None), deque(["fourth"])
    work._queue = EmptyQueue()
    begun = {1: "first", 2: "second", 3: "third"}
    work.processes["17"] = by_slurm._Process(begun, Inbox(tmp_path / "reports"))
    assert list(work.look(tasks)) == []  # its last words may be on their way
    assert list(work.look(tasks)) == [("first", Lost("17 is gone"))]
    assert tasks == deque(["fourth", "second", "third"])
    assert not work.processes


class Silent:
    """A progress that nobody sees."""

    def under_way(self, what, jobs):
        pass

    def ended(self, jobs):
        pass


def test_a_worker_that_is_lost_when_all_was_done_is_no_loss(tmp_path):
    told, group = Launched(), Fake([Numbered(3), Numbered(5)], None)
    ledger = Ledger(tmp_path, Silent(), told)
    for number in (3, 5):
        ledger.hear(group, JobEnding(number, Outcome([f"seed={number}"])))
    assert ledger.lose(group, "its node was lost") == []
    assert told == Launched()


class Fake(JobGroup):
    """A group whose jobs end at once."""

    def run(self, report):
        for job in self.jobs:
            report(JobEnding(job.number, f"in {Path.cwd() == self.folder}"))


class Numbered:
    def __init__(self, number: int) -> None:
        self.number, self.overrides = number, [f"seed={number}"]


@pytest.mark.parametrize("shared", [True, False])
def test_only_where_no_folder_is_shared_the_launching_process_leaves_the_outcomes(tmp_path, shared):
    home, sweep, here = tmp_path / "home", tmp_path / "sweep", Path.cwd()
    for folder in (home, sweep):
        folder.mkdir()
    if shared:
        (sweep / "launch.json").write_text("{}")
    told = []
    surroundings_of(home, sweep, None).run(Fake([Numbered(3), Numbered(5)], None), told.append)
    assert told == [JobEnding(number, f"in {not shared}", left=shared) for number in (3, 5)]
    assert Path.cwd() == here


def test_jobs_fail_in_a_line_where_files_would_be_lost_or_numbers_differ(tmp_path):
    group, files = Fake([Numbered(3)], None), tmp_path / "artifacts"
    told = []
    surroundings = surroundings_of(tmp_path, tmp_path / "unseen", files)
    surroundings.run(group, told.append)
    replace(surroundings, code="another").run(group, told.append)
    first, second = (ending.outcome.error for ending in told)
    assert first.startswith(
        f"{files}: the runs' files are to be there, and {os.uname().nodename} does not share"
    )
    assert second == f"{os.uname().nodename}: has another version of Initlab than the launching machine"


# With real stores and clusters


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with running_postgresql() as running:
        yield running


@pytest.fixture
def store(server, request) -> str:
    """A database of its own for each test."""
    name = f"d{abs(hash(request.node.name))}"
    execute(f"{server.address}/postgres", f"CREATE DATABASE {name} TEMPLATE template")
    return f"{server.address}/{name}"


def histories(client: MlflowClient) -> "dict[str, dict[str, bytes]]":
    """The arrays of the runs that count, by their seeds, as bytes; each seed has one run, and it FINISHED."""
    found = {}
    for run in runs_of(client):
        if "sweep" in run.data.tags:
            seed, folder = run.data.tags["seed"], Path(run.info.artifact_uri.removeprefix("file://"))
            assert run.info.status == "FINISHED"
            assert seed not in found
            arrays = {}
            for name in ("history.npz", "weights.npz"):
                with np.load(folder / name) as file:
                    arrays |= {f"{name} {key}": file[key].tobytes() for key in file}
            found[seed] = arrays
    return found


@pytest.fixture(scope="module")
def undisturbed(server, tmp_path_factory) -> "dict[str, dict[str, bytes]]":
    folder = tmp_path_factory.mktemp("processes")
    execute(f"{server.address}/postgres", "CREATE DATABASE processes TEMPLATE template")
    uri = f"{server.address}/processes"
    done = run_command(*SWEEP, "hydra.launcher.n_jobs=1", f"tracking.uri={uri}", folder=folder)
    assert done.returncode == 0, done.stderr
    found = histories(MlflowClient(uri))
    assert len(found) == JOBS
    return found


def started(folder: Path, cluster: Mapping[str, str], *words: str) -> warm.Process:
    return warm.Process(["-m", "initlab", *words], folder, environment(**cluster), session=True)


def wait_for_runs(sweep: warm.Process, client: MlflowClient, running: int) -> None:
    deadline = time.monotonic() + SECONDS
    while sum(run.info.status == "RUNNING" for run in runs_of(client)) < running:
        assert sweep.poll() is None, sweep.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ended(sweep: warm.Process) -> str:
    """What a command has said that ends well."""
    try:
        said, errors = sweep.communicate(timeout=SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(sweep.pid, signal.SIGKILL)
    assert sweep.returncode == 0, errors
    return said + errors


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    with ray_nodes(2) as cluster:
        yield cluster


def test_ray_gives_the_jobs_of_a_lost_node_to_another(tmp_path, nodes, store, undisturbed):
    client = MlflowClient(store)
    sweep = started(tmp_path, nodes.environment, *SWEEP, *nodes.words, f"tracking.uri={store}")
    wait_for_runs(sweep, client, JOBS)
    nodes.kill_a_node(tmp_path)
    said = ended(sweep)
    assert histories(client) == undisturbed
    assert "1 process died (its Ray" in said
    assert "state-dump" not in said  # Ray's own log
    outcomes = [json.loads(path.read_text()) for path in tmp_path.glob("multirun/*/*/outcome.json")]
    assert len([one for one in outcomes if one["summary"]]) == JOBS


def test_ctrl_c_ends_a_sweep_on_ray_and_marks_its_runs(tmp_path, nodes, store):
    client = MlflowClient(store)
    endless = ("-m", "seed=1,2", "train.iterations=10000000", *SHORT)
    sweep = started(tmp_path, nodes.environment, *endless, *nodes.words, f"tracking.uri={store}")
    wait_for_runs(sweep, client, 2)
    sweep.send_signal(signal.SIGINT)
    _, errors = sweep.communicate(timeout=60)
    assert sweep.returncode == 128 + signal.SIGINT
    assert errors.splitlines() == [
        "Stopped by SIGINT when 0 of 2 jobs had finished.",
        "2 runs under way are marked KILLED.",
        "To go on: initlab resume",
    ]
    assert [run.info.status for run in runs_of(client)] == ["KILLED"] * 2


def tasks_in(folder: Path) -> list[psutil.Process]:
    """The processes that train for submitit there."""
    found = psutil.process_iter(["name", "cmdline", "cwd"])
    ours = [one for one in found if one.info["cwd"] == str(folder) and one.info["name"].startswith("python")]
    return [one for one in ours if "submitit.core._submit" in (one.info["cmdline"] or [])]


def test_processes_of_submitit_are_queued_again_and_outlive_their_command(tmp_path, store, undisturbed):
    client = MlflowClient(store)
    sweep = started(tmp_path, {}, *SWEEP, *LOCAL, f"tracking.uri={store}")
    wait_for_runs(sweep, client, JOBS)
    for task in tasks_in(tmp_path)[:1]:
        task.send_signal(signal.SIGUSR2)  # its time is up
    sweep.kill()
    sweep.wait()
    said = ended(started(tmp_path, {}, "resume"))
    assert "that an earlier command has submitted." in said
    assert histories(client) == undisturbed
    assert not tasks_in(tmp_path)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    try:
        with slurm() as running:
            yield running
    except UnavailableError as error:
        pytest.skip(str(error))


def test_slurm_trains_the_same_bits_and_queues_again_what_it_interrupts(
    tmp_path, cluster, store, undisturbed
):
    client = MlflowClient(store)
    sweep = started(tmp_path, cluster.environment, *SWEEP, *cluster.words, f"tracking.uri={store}")
    wait_for_runs(sweep, client, JOBS)
    whole = {**os.environ, **cluster.environment}
    listed = subprocess.run(["squeue", "-h", "-r", "-o", "%i"], env=whole, capture_output=True, text=True)
    first, second = sorted(listed.stdout.split())
    subprocess.run(["scancel", "--signal=USR2", first], env=whole, check=True)  # as when its time is up
    subprocess.run(["scancel", second], env=whole, check=True)  # by somebody else
    ended(sweep)
    assert histories(client) == undisturbed
    assert {run.data.tags.get("attempt") for run in runs_of(client)} == {None, "2"}


@pytest.mark.parametrize("where", ["local", "slurm"])
def test_a_command_that_does_not_wait_leaves_its_sweep_to_resume(tmp_path, store, where, request):
    cluster = Cluster({}, LOCAL, None) if where == "local" else request.getfixturevalue("cluster")
    words = (
        "-m",
        "init=zeros,he",
        "seed=1,2",
        "train.iterations=2000",
        "plots.frames=0",
        f"tracking.uri={store}",
    )
    client = MlflowClient(store)
    left = ended(started(tmp_path, cluster.environment, *words, *cluster.words, "hydra.launcher.wait=false"))
    [sweep] = (tmp_path / "multirun").iterdir()
    assert left.splitlines() == [
        "4 jobs are submitted, and go on without this command.",
        f"To wait for the end: initlab resume {sweep.name}",
    ]
    assert not (sweep / "sweep.json").exists()
    said = ended(started(tmp_path, cluster.environment, "resume", sweep.name))
    assert {line.split()[0] for line in said.splitlines()} >= {"init", "zeros", "he", "Report:"}
    assert json.loads((sweep / "sweep.json").read_text())["run_id"]
    assert [run.info.status for run in runs_of(client) if "sweep_job" in run.data.tags] == ["FINISHED"] * 4
    assert not tasks_in(tmp_path)


def test_metrics_go_into_the_database_behind_a_server(tmp_path, server, store):
    words = ("-m", "seed=1,2", "train.iterations=20", *SHORT, "hydra.launcher.n_jobs=1")
    (tmp_path / "mlruns").mkdir()
    places = ("--backend-store-uri", store, "--artifacts-destination", tmp_path / "files")
    with mlflow_server(tmp_path, *places) as address:
        both = f"tracking.uri={address}", f"tracking.database_uri={store}"
        done = run_command(*words, *both, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        runs = runs_of(MlflowClient(store))
        wrong = f"tracking.database_uri={server.address}/template"
        other = run_command(*words, both[0], wrong, folder=tmp_path)
    assert [run.info.status for run in runs] == ["FINISHED"] * 2
    assert {run.info.artifact_uri.partition("/")[0] for run in runs} == {"mlflow-artifacts:"}
    assert "spool" not in runs[0].data.tags  # by which runs are found that were made through a server
    assert len(list((tmp_path / "files").rglob("history.npz"))) == 2
    assert other.returncode == 1
    assert f"{wrong}: is not the database of tracking.uri's server" in other.stderr


def test_files_go_to_an_s3_like_root_where_the_experiment_says_so(folder):
    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
        settings = {**keys, "MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        script = (
            "import boto3, mlflow\n"
            f"s3 = boto3.client('s3', endpoint_url='http://127.0.0.1:{port}')\n"
            "s3.create_bucket(Bucket='runs')\n"
            "client = mlflow.MlflowClient('sqlite:///mlruns/mlflow.db')\n"
            "client.create_experiment('away', artifact_location='s3://runs/away')\n"
        )
        assert run_python("-c", script, folder=folder, **settings).returncode == 0
        words = ("-m", "seed=1,2", "train.iterations=20", *SHORT, "tracking.experiment=away")
        done = run_command(*words, "hydra.launcher.n_jobs=1", folder=folder, **settings)
        assert done.returncode == 0, done.stderr
        list_all = (
            "import boto3\n"
            f"s3 = boto3.client('s3', endpoint_url='http://127.0.0.1:{port}')\n"
            "print(*[one['Key'].split('/')[-1] for one in s3.list_objects(Bucket='runs')['Contents']])\n"
        )
        names = run_python("-c", list_all, folder=folder, **settings).stdout.split()
        assert names.count("history.npz") == names.count("weights.npz") == 2
    finally:
        server.stop()
