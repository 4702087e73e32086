"""Bulk writing into SQLite and PostgreSQL leaves what MLflow's client leaves, from several processes too."""

import logging
import sqlite3
import threading
import time
import tracemalloc
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import warm
from conftest import environment, mlflow_server
from mlflow import MlflowClient
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.numpy_dataset import from_numpy
from mlflow.entities import DatasetInput, InputTag, Metric, Param, RunTag
from stores import TABLES, disconnect, execute, rows_of, running_postgresql

from initlab.errors import TrackingError
from initlab.tracking import Data, Description, Run, Series, Tracker, sql
from initlab.tracking.bulk import BulkWriter
from initlab.tracking.client import KEY, ClientWriter
from initlab.tracking.description import environment_tags
from initlab.tracking.new_database import PAGE_SIZE
from initlab.tracking.process import this_process
from initlab.tracking.record import new_id
from initlab.tracking.writer import Ending

THEN = 1_700_000_000_000
CIRCLES, OTHERS = (
    Data("circles", "drawn here", rng.standard_normal((31, 2)), rng.standard_normal((31, 1)))
    for rng in (np.random.RandomState(1), np.random.RandomState(2))
)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a real PostgreSQL server on loopback, whose database 'template' is migrated."""
    with running_postgresql() as server:
        yield server.address


@pytest.fixture(params=["sqlite", "postgresql"])
def uri(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The address of an empty store."""
    if request.param == "sqlite":
        yield f"sqlite:///{folder}/mlruns/mlflow.db"
        return
    server, name = request.getfixturevalue("postgresql"), f"d{uuid.uuid4().hex}"
    execute(f"{server}/postgres", f"CREATE DATABASE {name} TEMPLATE template")
    yield f"{server}/{name}"
    disconnect(f"{server}/{name}")


@pytest.fixture
def tracker(uri: str, folder: Path) -> Tracker:
    tracker = Tracker(uri, "initlab", folder)
    assert isinstance(tracker._writer, BulkWriter)
    return tracker


@pytest.fixture
def changed_tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if MLflow's table of tags had another column."""
    monkeypatch.setitem(sql.KNOWN, "tags", "key! value run_uuid! since")
    sql._tables_are_known.cache_clear()
    yield
    sql._tables_are_known.cache_clear()


def a_stack() -> list[Description]:
    return [
        Description(
            name=f"he-seed{seed}",
            parameters={"optimizer.learning_rate": "0.01", "Größe": "µ – 漢字 🎲\t\\N", "long": "x" * 7001},
            tags={"seed": str(seed), "note": "Zeile\nzwei", "long": "y" * 9001, "mlflow.user": "Ada"},
            data=data,
        )
        for seed, data in enumerate([CIRCLES, CIRCLES, OTHERS], start=1)
    ]


def some_series(run_ids: list[str], steps: range) -> list[Series]:
    rng, step = np.random.RandomState(steps.start), np.array(steps)
    return [
        Series(run_id, key, scale * rng.standard_normal(len(steps)), step, THEN + step // 2)
        for run_id in run_ids
        for key, scale in (("cost", 1.0), ("grad_norm/layer1", 1e-310), ("large", 1e300))
    ]


METRICS = {"final_cost": 0.25, "seconds": 3.0}
TAGS = {"mlflow.note.content": "**ü**", "seed": "changed"}


PARTS = (range(0, 40), range(40, 61), range(30, 37))  # the last one comes late


def write_by_initlab(tracker: Tracker) -> list[Run]:
    with suppress(KeyboardInterrupt), tracker.runs(a_stack()) as runs:
        for part in PARTS:
            tracker.log(some_series([run.run_id for run in runs], part))
        runs[0].finish(METRICS, TAGS)
        runs[1].fail(METRICS, TAGS)
        raise KeyboardInterrupt  # which ends the third run KILLED
    return runs


def write_by_mlflow(client: MlflowClient, folder: Path) -> str:
    """Returns the id of an experiment with the same runs, made by calls of MLflow's client alone."""
    place = client.get_experiment_by_name("initlab").artifact_location
    shared = place if place.startswith("file:") else None
    experiment_id = client.create_experiment("theirs", artifact_location=shared)
    run_ids = [start_by_mlflow(client, experiment_id, one, folder) for one in a_stack()]
    for part in PARTS:
        for one in some_series(run_ids, part):
            arrays = one.values.tolist(), one.timestamps.tolist(), one.steps.tolist()
            client.log_batch(one.run_id, metrics=[Metric(one.key, *of) for of in zip(*arrays, strict=True)])
    for run_id in run_ids[:2]:
        metrics = [Metric(*pair, time.time_ns() // 1_000_000, 0) for pair in METRICS.items()]
        client.log_batch(run_id, metrics=metrics, tags=[RunTag(*pair) for pair in TAGS.items()])
    for run_id, status in zip(run_ids, ("FINISHED", "FAILED", "KILLED"), strict=True):
        client.set_terminated(run_id, status)
    return experiment_id


def start_by_mlflow(client: MlflowClient, experiment_id: str, one: Description, folder: Path) -> str:
    user = {"mlflow.user": one.tags["mlflow.user"]}
    run_id = client.create_run(experiment_id, tags=user, run_name=one.name).info.run_id
    tags = {**environment_tags(folder), "process": this_process().tag, **one.tags}
    client.log_batch(
        run_id,
        params=[Param(*pair) for pair in one.parameters.items()],
        tags=[RunTag(*pair) for pair in tags.items()],
    )
    source = CodeDatasetSource({"mlflow.source.name": one.data.source})
    data = from_numpy(one.data.X, source, one.data.Y, name=one.data.name)
    context = InputTag("mlflow.data.context", "training")
    client.log_inputs(run_id, datasets=[DatasetInput(data._to_mlflow_entity(), [context])])
    return run_id


def now() -> int:
    return time.time_ns() // 1_000_000


def test_the_rows_are_those_of_mlflows_client_column_by_column(tracker, folder):
    began = now() - 1000
    write_by_initlab(tracker)
    ours = rows_of(tracker.client, tracker.experiment_id, began)
    theirs = rows_of(tracker.client, write_by_mlflow(tracker.client, folder), began)
    for table in TABLES:
        assert ours[table] == theirs[table], table
    assert [len(ours[table]) for table in ("runs", "datasets", "inputs")] == [3, 2, 3]
    assert len(ours["metrics"]) == 3 * 3 * (40 + 21 + 7) + 2 * 2


def read_back(client: MlflowClient, experiment_id: str) -> list[tuple]:
    found = client.search_runs([experiment_id], order_by=["attributes.run_name"])
    return [everything_of(client, client.get_run(run.info.run_id)) for run in found]


def everything_of(client: MlflowClient, run) -> tuple:
    info, run_id = run.info, run.info.run_id
    assert info.artifact_uri.endswith(f"/{run_id}/artifacts")
    histories = {
        key: sorted(
            (m.step, m.value, min(m.timestamp, THEN + 999)) for m in client.get_metric_history(run_id, key)
        )
        for key in run.data.metrics
    }
    kept = (info.run_name, info.status, info.user_id, info.lifecycle_stage)
    times = (info.start_time <= info.end_time <= now(), info.start_time >= now() - 60_000)
    inputs = [one.to_dictionary() for one in run.inputs.dataset_inputs]
    tags = {key: value for key, value in run.data.tags.items() if key != KEY}
    return (kept, times, run.data.params, tags, run.data.metrics, histories, inputs)


def test_mlflow_reads_back_what_its_own_client_would_have_written(tracker, folder):
    write_by_initlab(tracker)
    ours = read_back(tracker.client, tracker.experiment_id)
    assert ours == read_back(tracker.client, write_by_mlflow(tracker.client, folder))
    (kept, times, parameters, tags, metrics, _, _), *_ = ours
    assert kept == ("he-seed1", "FINISHED", "Ada", "active")
    assert times == (True, True)
    assert parameters["long"] == "x" * 6000
    assert tags["long"] == "y" * 8000
    assert parameters["Größe"] == "µ – 漢字 🎲\t\\N"
    assert metrics["cost"] == some_series(["r"], PARTS[1])[0].values[-1]  # not what came late


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("tags.note = 'Zeile\nzwei'", [1, 2, 3]),
        ("params.`optimizer.learning_rate` = '0.01' and params.`Größe` LIKE '%漢字%'", [1, 2, 3]),
        ("metrics.final_cost < 0.3 and attributes.status = 'FAILED'", [2]),
        ("metrics.final_cost > 0.3", []),
        ("attributes.run_name = 'he-seed3'", [3]),
        ("attributes.user_id = 'Ada' and dataset.name = 'circles'", [1, 2, 3]),
    ],
)
def test_runs_are_found_by_what_they_hold(tracker, words, found):
    write_by_initlab(tracker)
    runs = tracker.client.search_runs([tracker.experiment_id], words, order_by=["attributes.run_name"])
    assert [run.info.run_name for run in runs] == [f"he-seed{seed}" for seed in found]


def test_ids_of_runs_are_uuids_that_rise_with_time():
    before = time.time_ns() // 1_000_000
    ids = [new_id() for _ in range(997)]
    after = time.time_ns() // 1_000_000
    assert len(set(ids)) == 997
    for one in map(uuid.UUID, ids):
        assert (one.version, one.variant) == (7, uuid.RFC_4122)
        assert before <= one.int >> 80 <= after
    moments = [one[:12] for one in ids]
    assert moments == sorted(moments)
    assert max(Counter(one[12:] for one in ids).values()) == 1
    assert len({one[-2:] for one in ids}) > 200  # of 256 folders


def test_a_stack_changes_as_few_pages_of_a_large_database_as_of_a_small_one(folder):
    tracker, database = Tracker("sqlite:///mlflow.db", "initlab", folder), folder / "mlflow.db"
    pairs = {f"{key}-of-a-run": "x" for key in "abcdefghijklm"}

    def pages_changed(runs: int) -> int:
        before = database.read_bytes()
        with tracker.runs([Description("he", pairs, pairs)] * runs) as begun:
            ids = [run.run_id for run in begun]
            tracker.log([Series(i, key, *np.zeros((3, 1), int)) for i in ids for key in pairs])
        after = database.read_bytes()
        places = range(0, len(after), PAGE_SIZE)
        return sum(before[at : at + PAGE_SIZE] != after[at : at + PAGE_SIZE] for at in places)

    pages_changed(401)
    of_small = pages_changed(11)
    pages_changed(3001)
    assert pages_changed(11) < 2 * of_small


def test_the_runs_of_a_stack_are_listed_in_their_order(tracker):
    with tracker.runs(a_stack() * 7) as runs:
        pass
    listed = tracker.client.search_runs([tracker.experiment_id], order_by=["attributes.start_time"])
    assert [run.info.run_id for run in listed] == [run.run_id for run in runs]


def test_values_that_are_not_finite_are_left_out(tracker):
    with tracker.runs(a_stack()[:1]) as [run]:
        run.log({"cost": [1.0, np.nan, np.inf], "never": [np.nan, np.inf, -np.inf]}, range(3))
        run.finish({"final_cost": float("inf"), "diverged": 1.0})
    assert tracker.client.get_run(run.run_id).data.metrics == {"cost": 1.0, "diverged": 1.0}


def test_what_cannot_be_written_as_a_whole_is_not_written_in_part(tracker):
    def rows() -> dict[str, list]:
        return rows_of(tracker.client, tracker.experiment_id, began=0)

    good, *_ = a_stack()
    bad = Description("bad", {"p": "\ud800"}, good.tags, OTHERS)
    with pytest.raises(UnicodeEncodeError), tracker.runs([good, bad]):
        pass
    assert not any(rows().values())
    with tracker.runs([good]) as [run]:
        before = rows()
        with pytest.raises(
            TrackingError, match="^metrics cannot be written to .*: .*(FOREIGN KEY|foreign key)"
        ):
            tracker.log(some_series([run.run_id, "no-such-run"], range(7)))
        endings = [Ending(run.run_id, "FINISHED", {"seconds": 3.0}), Ending("no-such-run", "FINISHED")]
        with pytest.raises(TrackingError, match="^a run to be ended is no longer in the database"):
            tracker._writer.close(endings)
        assert rows() == before


def test_names_that_mlflow_refuses_are_readable_errors(tracker):
    good, *_ = a_stack()
    for parameters, tags in (({"a[0]": "1"}, {}), ({}, {"a//b": "1"}), ({"p" * 251: "1"}, {})):
        bad = Description("bad", parameters, tags, good.data)
        words = r"^(a\[0\]: cannot be|a//b: cannot be|p+: is longer)"
        with pytest.raises(TrackingError, match=words), tracker.runs([bad]):
            pass
    with pytest.raises(TrackingError, match=r"^dead units \[%\]: cannot be a name"):
        tracker.log([some_series(["r"], range(7))[0]._replace(key="dead units [%]")])


def test_runs_are_not_started_in_an_experiment_that_was_deleted_meanwhile(tracker):
    tracker.client.delete_experiment(tracker.experiment_id)
    with pytest.raises(TrackingError, match="was deleted meanwhile"), tracker.runs(a_stack()):
        pass


STACKS = """
import sys
import time
from pathlib import Path
import numpy as np
from initlab.tracking import Data, Description, Series, Tracker
tracker = Tracker(sys.argv[1], "initlab", Path(sys.argv[2]))
data, steps = Data("circles", "drawn", np.eye(31), np.ones(31)), np.arange(211)
Path(sys.argv[3]).touch()
while not Path("go").exists():
    time.sleep(0.001)
for stack in range(5):
    descriptions = [Description(f"{stack}-{n}", {"p": str(n)}, {}, data) for n in range(7)]
    with tracker.runs(descriptions) as runs:
        keys = "cost", "norm"
        tracker.log([Series(run.run_id, key, steps * 0.5, steps, steps) for run in runs for key in keys])
        for run in runs:
            run.finish({"final_cost": 1.0})
"""


def test_several_processes_at_once_lose_nothing(tracker, uri, folder):
    ready = [folder / f"ready{n}" for n in range(3)]
    writers = [warm.Process(["-c", STACKS, uri, folder, one], folder, environment()) for one in ready]
    while not all(one.exists() for one in ready):
        assert [writer.poll() for writer in writers] == [None] * 3
        time.sleep(0.01)
    (folder / "go").touch()  # all at once, now that each is ready
    errors = [writer.communicate(timeout=300)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 3, errors
    rows, runs = rows_of(tracker.client, tracker.experiment_id, began=now() - 600_000), 3 * 5 * 7
    assert {table: len(rows[table]) for table in TABLES} == {
        "runs": runs,
        "tags": runs * len(environment_tags(folder) | {"mlflow.runName": "", "process": ""}),
        "params": runs,
        "metrics": runs * (2 * 211 + 1),
        "latest_metrics": runs * 3,
        "datasets": 1,
        "inputs": runs,
        "input_tags": runs,
    }
    found = tracker.client.search_runs([tracker.experiment_id], "attributes.status = 'FINISHED'")
    assert len(found) == runs
    assert {run.data.metrics["cost"] for run in found} == {105.0}


def test_a_writer_waits_for_another_program_that_writes(folder):
    database = folder / "mlruns" / "mlflow.db"
    tracker = Tracker(f"sqlite:///{database}", "initlab", folder)
    other = sqlite3.connect(database, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(1, other.rollback).start()
    began = time.monotonic()
    with tracker.runs(a_stack()):
        assert time.monotonic() - began > 0.9
    other.close()


def test_rows_are_made_a_few_at_a_time(folder):
    tracker = Tracker(f"sqlite:///{folder}/mlruns/mlflow.db", "initlab", folder)
    with tracker.runs(a_stack()) as runs:
        series = some_series([run.run_id for run in runs], range(20_011))
        tracemalloc.start()
        try:
            tracker.log(series)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 10e6  # the 180 099 rows at once would take 30 MB


def test_other_tables_than_the_known_ones_are_left_to_mlflows_client(uri, folder, changed_tables, caplog):
    began = now() - 1000
    with caplog.at_level(logging.WARNING, "initlab"):
        trackers = [Tracker(uri, experiment, folder) for experiment in ("initlab", "more")]
    [said] = [record.getMessage() for record in caplog.records if record.name.startswith("initlab")]
    assert "its table tags is not the one Initlab knows" in said
    assert "\n" not in said
    tracker = trackers[0]
    assert isinstance(tracker._writer, ClientWriter)
    write_by_initlab(tracker)
    ours = rows_of(tracker.client, tracker.experiment_id, began)
    assert ours == rows_of(tracker.client, write_by_mlflow(tracker.client, folder), began)


def test_a_run_that_a_client_cannot_start_ends_the_others_of_its_stack(folder, changed_tables):
    tracker = Tracker(f"sqlite:///{folder}/mlruns/mlflow.db", "initlab", folder)
    good, *_ = a_stack()
    bad = Description("bad", {"p": "\ud800"}, good.tags, CIRCLES)
    words = "^runs cannot be started in .*: .*surrogates not allowed"
    with pytest.raises(TrackingError, match=words), tracker.runs([good, bad]):
        pass
    found = tracker.client.search_runs([tracker.experiment_id])
    assert {run.info.status for run in found} == {"FAILED"}


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    """MLflow's own server on an empty store."""
    with mlflow_server(folder, "--artifacts-destination", folder / "files") as address:
        yield address


def test_a_server_is_left_the_same_by_several_calls_at_once(server, folder, capsys):
    tracker = Tracker(server, "initlab", folder)
    assert isinstance(tracker._writer, ClientWriter)
    run, *_ = write_by_initlab(tracker)
    assert capsys.readouterr().out == ""
    ours = read_back(tracker.client, tracker.experiment_id)
    assert ours == read_back(tracker.client, write_by_mlflow(tracker.client, folder))
    files = {"config.yaml": b"a: 1", **{f"images/{n}+step.png": bytes([n]) for n in range(11)}}
    run.write(files)
    kept = folder / "files" / tracker.experiment_id / run.run_id / "artifacts"
    assert {str(path.relative_to(kept)): path.read_bytes() for path in kept.rglob("*.*")} == files
    run.place = "mlflow-artifacts:/x"
    with pytest.raises(TrackingError, match="^mlflow-artifacts:/x: cannot be written: "):
        run.write({"../up": b""})
