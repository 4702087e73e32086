"""Claiming jobs, so that no two processes train one: a job that is resumed is first looked for in the store.

A job's claim is its RUNNING run, whose tag ``process`` says who trains it. Whoever resumes jobs looks for
their runs, and starts new ones, while it alone may do so (see ``turns``).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from initlab.tracking.client import in_flight
from initlab.tracking.description import Description
from initlab.tracking.engine import engine_of
from initlab.tracking.process import Process, process_of, why_gone
from initlab.tracking.writer import now

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from sqlalchemy import Engine

SHOWN = ("identity", "sweep", "sweep_job", "process", "attempt")
RUNS_A_CALL = 1000
BECAUSE = "its process is gone, and its job was tried again"


class Known(NamedTuple):
    """A run that the store holds: its id, its status, its telling tags, and when it was heard of last."""

    run_id: str
    status: str
    tags: Mapping[str, str]
    heard_at: int


class Claim(NamedTuple):
    """What the store knows of a job that is to be trained once: the id of the run that has finished it, or
    the process that trains it, or neither; and the ids of earlier attempts that are over.
    """

    finished: str | None
    trained_by: Process | None
    over: Sequence[str]
    attempt: int

    @property
    def is_free(self) -> bool:
        """Whether the job is to be trained."""
        return self.finished is None and self.trained_by is None


def claims_of(client: "MlflowClient", experiment: str, jobs: Sequence[Description]) -> list[Claim]:
    """Returns what an experiment of the client's store holds of jobs, in order."""
    known, time = known_runs(client, experiment, jobs), now()
    return [claim_of(job, known, time) for job in jobs]


def claim_of(job: Description, known: Iterable[Known], time: int) -> Claim:
    """Returns what the known runs say of a job at a time in ms since 1970.

    A run of the same job of the same sweep counts, or of no sweep if the job is of none. One of another sweep
    counts only where it has the same identity, and has finished or is being trained.
    """
    identity, place = job.tags.get("identity"), _place(job.tags)
    own = [run for run in known if _place(run.tags) == place and (place[0] or _is(run, identity))]
    finished = [run for run in known if run.status == "FINISHED" and _is(run, identity)]
    finished.sort(key=lambda run: run not in own)
    of_job = [run for run in finished if run in own or place[0] != run.tags.get("sweep")]
    same = [run for run in known if _is(run, identity) and place[0] != run.tags.get("sweep")]
    running = [run for run in (*own, *same) if run.status == "RUNNING" and not _gone(run, time)]
    alive = [process_of(run.tags) for run in running]
    attempts = [int(run.tags.get("attempt", 1)) for run in own]
    return Claim(
        of_job[0].run_id if of_job else None,
        next(iter(alive), None),
        [run.run_id for run in own],
        max(attempts, default=0) + 1,
    )


def _place(tags: Mapping[str, str]) -> tuple[str | None, str | None]:
    return tags.get("sweep"), tags.get("sweep_job")


def _is(run: Known, identity: str | None) -> bool:
    return identity is not None and run.tags.get("identity") == identity


def _gone(run: Known, time: int) -> bool:
    return process_of(run.tags) is None or why_gone(process_of(run.tags), run.heard_at, time) is not None


def known_runs(client: "MlflowClient", experiment: str, jobs: Sequence[Description]) -> list[Known]:
    """Returns the runs of an experiment that may be of these jobs: those with their numbers, in any sweep,
    and those with their identities.
    """
    engine = engine_of(client)
    return _asked(client, experiment, jobs) if engine is None else _selected(engine, experiment, jobs)


def _selected(engine: "Engine", experiment: str, jobs: Sequence[Description]) -> list[Known]:
    from initlab.tracking.sql import TABLES

    runs, tags, latest = (TABLES[name] for name in ("runs", "tags", "latest_metrics"))
    told = [(key, {job.tags[key] for job in jobs if key in job.tags}) for key in ("identity", "sweep_job")]
    found = sa.or_(*(sa.and_(tags.c.key == key, tags.c.value.in_(values)) for key, values in told))
    which = sa.select(tags.c.run_uuid).where(found)
    last = sa.select(sa.func.max(latest.c.timestamp)).where(latest.c.run_uuid == runs.c.run_uuid)
    heard = sa.func.coalesce(last.scalar_subquery(), runs.c.start_time)
    which_runs = (
        sa.select(runs.c.run_uuid, runs.c.status, heard)
        .where(runs.c.experiment_id == int(experiment), runs.c.lifecycle_stage == "active")
        .where(runs.c.run_uuid.in_(which))
    )
    their_tags = (
        sa.select(tags.c.run_uuid, tags.c.key, tags.c.value)
        .where(tags.c.key.in_(SHOWN))
        .where(tags.c.run_uuid.in_(which))
    )
    with engine.connect() as connection:
        there = {run_id: (status, heard) for run_id, status, heard in connection.execute(which_runs)}
        of_runs: dict[str, dict[str, str]] = {run_id: {} for run_id in there}
        for run_id, key, value in connection.execute(their_tags):
            if run_id in of_runs:
                of_runs[run_id][key] = value
    return [Known(run_id, there[run_id][0], of_runs[run_id], there[run_id][1]) for run_id in there]


def _asked(client: "MlflowClient", experiment: str, jobs: Sequence[Description]) -> list[Known]:
    def ask(words: str) -> "list[Run]":
        return list(client.search_runs([experiment], words, max_results=RUNS_A_CALL))

    questions = [f"tags.identity = '{job.tags['identity']}'" for job in jobs]
    questions += [
        f"tags.sweep = '{job.tags['sweep']}' AND tags.sweep_job = '{job.tags['sweep_job']}'"
        for job in jobs
        if "sweep" in job.tags
    ]
    found = {run.info.run_id: run for some in in_flight(ask, questions) for run in some}
    return [_known(run) for run in found.values()]


def _known(run: "Run") -> Known:
    tags = {key: run.data.tags[key] for key in SHOWN if key in run.data.tags}
    times = [one.timestamp for one in run.data._metric_objs]
    return Known(run.info.run_id, run.info.status, tags, max([run.info.start_time, *times]))


def supersede(client: "MlflowClient", over: Sequence[str]) -> None:
    """Marks runs, by their ids, as earlier attempts: their tag ``sweep`` becomes ``superseded``, so whatever
    looks for a sweep's runs leaves them out. One that its process has left RUNNING ends as FAILED.
    """
    engine = engine_of(client)
    if not over:
        return
    if engine is not None and engine.dialect.name in ("sqlite", "postgresql"):
        _supersede_all(engine, over)
        return
    for run in (client.get_run(run_id) for run_id in over):
        if run.info.status == "RUNNING":
            client.set_tag(run.info.run_id, "ended_because", BECAUSE)
            client.set_terminated(run.info.run_id, "FAILED")
        if "sweep" in run.data.tags:
            client.set_tag(run.info.run_id, "superseded", run.data.tags["sweep"])
            client.delete_tag(run.info.run_id, "sweep")


def _supersede_all(engine: "Engine", over: Sequence[str]) -> None:
    from initlab.tracking.sql import TABLES, insert_or_replace, transaction

    runs, tags = TABLES["runs"], TABLES["tags"]
    left = runs.c.run_uuid.in_(over), runs.c.status == "RUNNING"
    sweeps = tags.c.run_uuid.in_(over), tags.c.key == "sweep"
    with transaction(engine) as connection:
        ids = connection.execute(sa.select(runs.c.run_uuid).where(*left)).scalars().all()
        why = [{"key": "ended_because", "value": BECAUSE, "run_uuid": run_id} for run_id in ids]
        insert_or_replace(connection, tags, why)
        connection.execute(sa.update(runs).where(*left).values(status="FAILED", end_time=now()))
        connection.execute(sa.update(tags).where(*sweeps).values(key="superseded"))
