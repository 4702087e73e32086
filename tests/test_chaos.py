"""A short form of `make chaos`: sweeps that are killed or lose their store come to what others do."""

import os
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest
import warm
from conftest import environment
from mlflow import MlflowClient

from benchmarks.chaos import faults, trial, undisturbed
from benchmarks.chaos.applications import INITLAB
from benchmarks.chaos.campaign import Campaign
from benchmarks.chaos.cases import Wanted, draw
from benchmarks.chaos.counts import Count, count
from benchmarks.chaos.processes import Command
from benchmarks.chaos.state import numbers_of
from benchmarks.chaos.stores import Sqlite, programs_of_postgresql
from benchmarks.chaos.undisturbed import Undisturbed

KILLS = (0, 5, 10, 3)  # every signal and every target, of the twelve kinds that take turns


class Imported(Command):
    """A command whose processes need not import anything, in a session of their own; `make chaos` has fresh
    interpreters.
    """

    _one_at_a_time = threading.Lock()

    def __init__(self, arguments: tuple[str, ...], folder: Path, said: Path, uri: str) -> None:
        self.arguments = arguments
        with self._one_at_a_time:
            self.process = warm.Process(arguments, folder, environment(MLFLOW_TRACKING_URI=uri), session=True)

    def left(self) -> list[int]:
        return [pid for pid in psutil.pids() if self._has(pid)]

    def _has(self, pid: int) -> bool:
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            ours = os.getsid(pid) == self.process.pid
            return ours and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        return False

    def workers(self) -> list[int]:
        return self.process.workers()


@pytest.fixture
def patient(monkeypatch):
    """Where several tests run at once a stop takes longer; `make chaos` measures it."""
    monkeypatch.setattr(faults, "SECONDS_TO_STOP", faults.SECONDS_FOR_ORPHANS)
    for module in (trial, undisturbed):
        monkeypatch.setattr(module, "Command", Imported)


def results_of(wanted, numbers, folder):
    return Campaign(INITLAB, wanted, folder, lambda result: None).run(numbers, lanes=2)


def test_a_killed_sweep_that_is_gone_on_with_comes_to_what_it_would_have(tmp_path, patient):
    results = results_of(Wanted(2, ["smallest"], ["sqlite"]), KILLS, tmp_path)
    assert [problem for result in results for problem in result.problems] == []
    assert [result.count for result in results] == [Count(jobs=6)] * len(KILLS)
    assert len({result.case.kind for result in results}) == len(KILLS)
    moments = {blow.moment for result in results for blow in result.blows}
    assert len(moments) >= 3, moments


def test_a_sweep_whose_database_goes_away_comes_to_what_it_would_have(tmp_path, patient):
    if programs_of_postgresql() is None:
        pytest.skip("PostgreSQL is not installed here")
    [result] = results_of(Wanted(36, ["smallest"], ["postgresql"], "outages"), [0], tmp_path)
    assert result.problems == []
    assert result.count == Count(jobs=6)


def test_the_same_seed_draws_the_same_cases_and_each_kind_of_kill_has_its_turn():
    wanted = Wanted(7, ["wide"], ["sqlite", "postgresql"])
    cases = [draw(wanted, number) for number in range(24)]
    assert cases == [draw(wanted, number) for number in range(24)]
    assert cases != [draw(Wanted(8, ["wide"], ["sqlite", "postgresql"]), number) for number in range(24)]
    assert len({case.kind for case in cases}) == 12
    assert {case.store for case in cases} == {"sqlite", "postgresql"}
    assert {case.first for case in cases} == {True, False}
    outages = [draw(Wanted(7, ["wide"], ["server"], "outages"), number).faults[0] for number in range(50)]
    assert all(1 <= outage.seconds <= 60 for outage in outages)
    assert {outage.hang for outage in outages} == {outage.impatient for outage in outages} == {True, False}


@pytest.fixture
def place(tmp_path, migrated_database):
    return Sqlite(migrated_database).place(tmp_path, "chaos", first=False)


def a_run(place, seed, cost, status, **tags):
    client = MlflowClient(f"sqlite:///{place.folder}/mlruns/mlflow.db")
    found = client.get_experiment_by_name("chaos")
    experiment = found.experiment_id if found else client.create_experiment("chaos")
    run_id = client.create_run(experiment, tags=tags).info.run_id
    client.log_param(run_id, "init", "he")
    client.log_param(run_id, "seed", seed)
    client.log_metric(run_id, "cost", cost, step=0)
    if status != "RUNNING":
        client.set_terminated(run_id, status)


def test_what_is_lost_doubled_running_or_has_other_numbers_is_counted(place):
    for seed, cost, status, tags in (
        (1, 0.5, "FINISHED", {}),
        (2, 0.5, "FINISHED", {}),
        (2, 0.5, "FINISHED", {"superseded": "sweep"}),
        (3, 0.5, "RUNNING", {}),
        (4, 0.5, "FAILED", {"superseded": "sweep"}),
        (4, 0.5 + 2**-53, "FINISHED", {}),
    ):
        a_run(place, seed, cost, status, **tags)
    right = numbers_of(place.runs()[0], place.database, place.folder, ())
    usual = Undisturbed({f"init=he seed={seed}": right for seed in (1, 2, 3, 4, 5)}, {}, 0)
    counted = count(place, usual, ())
    assert counted == Count(5, lost=2, doubled=1, other_bits=1, running=1, unfinished=1, ruined=False)
    assert len(counted.problems) == 5


def test_a_store_that_mlflow_cannot_open_is_ruined(place):
    with closing(sqlite3.connect(place.folder / "mlruns" / "mlflow.db")) as database, database:
        database.execute("DROP TABLE alembic_version")
    assert count(place, Undisturbed({"init=he seed=1": {}}, {}, 0), ()) == Count(1, lost=1, ruined=True)


LEAVES_ONE = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
"""


def test_a_process_that_lives_on_is_found_wherever_it_went(tmp_path):
    command = Command(("-c", LEAVES_ONE), tmp_path, tmp_path / "said.txt", "")
    assert command.wait(60) == 0
    [pid] = command.left()
    assert pid != command.process.pid
    assert command.seconds_until_gone(0.2) >= 0.2
    assert command.end() == 1
    assert command.left() == []
