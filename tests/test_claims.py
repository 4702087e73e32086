"""Who trains what: processes that are gone, runs that they leave RUNNING, and jobs that are claimed once."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import mlflow_server, run_python
from mlflow import MlflowClient

from initlab.tracking import Description, Tracker
from initlab.tracking.claims import Claim, Known, claim_of, known_runs, supersede
from initlab.tracking.process import LEASE_MS, Process, process_of, this_process, why_gone
from initlab.tracking.stale import end_stale, stale_runs
from initlab.tracking.turns import turn
from initlab.tracking.writer import now

HOUR = 3_600_000


def test_this_process_lives_and_one_that_has_ended_does_not():
    here = this_process()
    assert here.pid == os.getpid()
    assert here.is_local
    assert here.lives
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not here._replace(pid=ended.pid).lives
    # Its number went to a process that began later.
    assert not here._replace(started=here.started - 60).lives


def test_a_process_that_nobody_has_waited_for_is_gone():
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as ended:
        ended.stdout.read()
        time.sleep(0.3)
        started = this_process().started
        assert not Process(socket.gethostname(), this_process().boot, ended.pid, started).lives


def test_a_process_of_another_machine_is_gone_when_its_lease_has_run_out():
    far = Process("elsewhere", "another boot", os.getpid(), 0.0)
    assert why_gone(far, heard_at=0, now=LEASE_MS - 1) is None
    assert why_gone(far, heard_at=0, now=5 * HOUR) == (
        f"nothing was heard for 5 hours of its process {os.getpid()} on elsewhere"
    )
    same_name = far._replace(host=socket.gethostname())  # as containers have it
    assert why_gone(same_name, heard_at=0, now=LEASE_MS - 1) is None
    assert why_gone(None, heard_at=0, now=5 * HOUR) is None


@pytest.mark.parametrize("tag", [None, "", "12", "{}", '{"host": "a"}', "[1, 2]"])
def test_a_run_without_a_process_in_its_tags_is_somebody_elses(tag):
    assert process_of({} if tag is None else {"process": tag}) is None


def job(number: int = 0, identity: str = "a", sweep: str | None = "s") -> Description:
    of_sweep = {"sweep": sweep, "sweep_job": str(number)} if sweep else {}
    return Description(f"job{number}", {}, {"identity": identity, **of_sweep})


def known(run_id: str, status: str, of: Description, **tags: str) -> Known:
    return Known(run_id, status, {"process": this_process().tag, **of.tags, **tags}, now())


DEAD = this_process()._replace(started=1.0)


@pytest.mark.parametrize(
    ("runs", "finished", "trained", "over", "attempt"),
    [
        ([], None, False, [], 1),
        ([known("r", "FINISHED", job())], "r", False, ["r"], 2),
        ([known("r", "FINISHED", job(identity="b"))], None, False, ["r"], 2),  # the code was another
        (
            [known("r", "FINISHED", job(3))],
            None,
            False,
            [],
            1,
        ),  # another job of the sweep with the same config
        ([known("r", "FINISHED", job(sweep="before"))], "r", False, [], 1),
        ([known("r", "FINISHED", job(sweep=None))], "r", False, [], 1),
        ([known("r", "FAILED", job(sweep="before"))], None, False, [], 1),
        ([known("r", "RUNNING", job(sweep="before"))], None, True, [], 1),  # by one that goes on as well
        ([known("r", "RUNNING", job(sweep="before", identity="b"))], None, False, [], 1),
        ([known("r", "RUNNING", job())], None, True, ["r"], 2),
        ([known("r", "RUNNING", job(), process=DEAD.tag)], None, False, ["r"], 2),
        ([known("q", "KILLED", job()), known("r", "FAILED", job(), attempt="2")], None, False, ["q", "r"], 3),
        ([known("q", "FINISHED", job(sweep="before")), known("r", "FINISHED", job())], "r", False, ["r"], 2),
    ],
)
def test_a_job_is_free_unless_it_has_finished_or_lives(runs, finished, trained, over, attempt):
    claim = claim_of(job(), runs, now())
    assert claim == Claim(finished, this_process() if trained else None, over, attempt)
    assert claim.is_free is (finished is None and not trained)


def test_a_lone_job_is_no_sweeps():
    lone = job(sweep=None)
    assert claim_of(lone, [known("r", "KILLED", job())], now()).is_free
    assert claim_of(lone, [known("r", "RUNNING", lone)], now()).trained_by == this_process()
    assert claim_of(lone, [known("r", "FINISHED", job())], now()).finished == "r"


LEAVE = """
import os, sys
from pathlib import Path
from initlab.tracking import Description, Tracker
tracker = Tracker(sys.argv[1], "initlab", Path(sys.argv[2]))
tags = {"identity": "a", "sweep": "s", "sweep_job": "0"}
with tracker.runs([Description("left", {}, tags)]) as [run]:
    run.log({"cost": 2.0}, 0)
    print(run.run_id, flush=True)
    os._exit(9)
"""


def left_running(uri: str, folder) -> str:
    """The id of a run whose process has ended without a word."""
    done = run_python("-c", LEAVE, uri, folder, folder=folder)
    assert done.returncode == 9, done.stderr
    return done.stdout.strip()


@pytest.fixture(params=["sqlite", "server"])
def store(request, folder) -> "tuple[str, MlflowClient]":
    database = f"sqlite:///{folder}/mlruns/mlflow.db"
    if request.param == "sqlite":
        yield database, MlflowClient(database)
        return
    with mlflow_server(folder, "--default-artifact-root", folder / "mlruns" / "artifacts") as address:
        yield address, MlflowClient(address)


def test_a_run_that_a_dead_process_left_running_ends_failed_with_the_reason(store, folder):
    uri, client = store
    tracker = Tracker(uri, "other", folder)
    left = left_running(uri, folder)
    with tracker.runs([Description("alive", {}, {})]) as [alive]:
        [stale] = stale_runs(client)
        assert (stale.run_id, stale.name) == (left, "left")
        assert [one.run_id for one in end_stale(client)] == [left]
        assert client.get_run(alive.run_id).info.status == "RUNNING"
    run = client.get_run(left)
    assert run.info.status == "FAILED"
    assert run.data.tags["ended_because"] == stale.because
    assert stale.because.endswith("ended without a word")
    assert run.data.metrics == {"cost": 2.0}
    assert end_stale(client) == []


def test_several_who_find_the_same_dead_processes_end_each_run_once(store, folder):
    uri, client = store
    experiment = client.create_experiment("left")
    left = [client.create_run(experiment, tags={"process": DEAD.tag}).info.run_id for _ in range(7)]
    with ThreadPoolExecutor(4) as threads:
        ended = list(threads.map(lambda _: end_stale(MlflowClient(uri)), range(4)))
    assert sorted(one.run_id for some in ended for one in some) == sorted(left)
    assert {client.get_run(run_id).info.status for run_id in left} == {"FAILED"}


def test_the_next_start_on_a_store_marks_them(command, folder, client):
    left = left_running(f"sqlite:///{folder}/mlruns/mlflow.db", folder)
    done = command("train.iterations=1", "plots.frames=0")
    assert "1 run was RUNNING though its process is gone; it is FAILED now" in done.stdout
    assert client.get_run(left).info.status == "FAILED"


def test_what_the_store_knows_of_a_job_and_its_earlier_attempts(store, folder):
    uri, client = store
    tracker = Tracker(uri, "initlab", folder)
    left = left_running(uri, folder)
    jobs = [job(0), job(1, "b")]
    others = [job(1, "b"), job(2, "a", "before"), job(3, "c", "before"), job(4, "d")]
    with tracker.runs(others) as [mine, before, *_]:  # a sweep of thousands is not read for some of its jobs
        found = known_runs(client, tracker.experiment_id, jobs)
        assert {one.run_id for one in found} == {left, mine.run_id, before.run_id}
    claims = [claim_of(one, known_runs(client, tracker.experiment_id, jobs), now()) for one in jobs]
    assert claims == [Claim(before.run_id, None, [left], 2), Claim(mine.run_id, None, [mine.run_id], 2)]
    supersede(client, claims[0].over)
    run = client.get_run(left)
    assert run.info.status == "FAILED"
    assert run.data.tags["superseded"] == "s"
    assert "sweep" not in run.data.tags
    assert json.loads(run.data.tags["process"])["pid"] != os.getpid()


def test_one_turn_at_a_store_begins_when_the_other_has_ended(store, folder):
    _, client = store
    order: list[str] = []

    def other():
        with turn(client, "claims"):
            order.append("other")

    with turn(client, "claims"):
        thread = threading.Thread(target=other)
        thread.start()
        time.sleep(0.5)
        order.append("this")
    thread.join(20)
    assert order == ["this", "other"]
    assert not client.search_registered_models()


def test_a_turn_at_a_server_that_its_holder_left_behind_ends(folder):
    with mlflow_server(folder) as address:
        client = MlflowClient(address)
        client.create_registered_model("initlab-claims", {"process": DEAD.tag})
        with turn(client, "claims"):
            assert process_of(client.get_registered_model("initlab-claims").tags) == this_process()
