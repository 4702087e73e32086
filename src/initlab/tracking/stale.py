"""Runs that a store says are RUNNING though their process is gone: MLflow would leave them so for ever."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from initlab.tracking.engine import engine_of
from initlab.tracking.process import process_of, why_gone
from initlab.tracking.turns import turn
from initlab.tracking.writer import now

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from sqlalchemy import Engine

RUNS_A_CALL = 1000

_logger = logging.getLogger(__name__)


class Running(NamedTuple):
    """A run that is RUNNING for all that its store knows: its id, its name, its tag ``process`` in a mapping,
    and when it was heard of last, in ms since 1970.
    """

    run_id: str
    name: str
    tags: Mapping[str, str]
    heard_at: int


class Stale(NamedTuple):
    """A run whose process is gone: its id, its name, and why that is said."""

    run_id: str
    name: str
    because: str


def stale_runs(client: "MlflowClient") -> list[Stale]:
    """Returns the runs of a store that are RUNNING though the process that their tags name is gone.

    A process of this machine is looked for; one of another counts as gone when nothing was heard of it for
    longer than the lease. A run without the tag is somebody else's. Errors are those of MLflow or database.
    """
    time = now()
    found = ((run, why_gone(process_of(run.tags), run.heard_at, time)) for run in running_runs(client))
    return [Stale(run.run_id, run.name, because) for run, because in found if because]


def end_stale(client: "MlflowClient", but: Collection[str] = ()) -> list[Stale]:
    """Ends the stale runs of a store, ``but`` those of these ids, as FAILED, with the reason as their tag
    ``ended_because``, says so in a line, and returns them. Errors are those of MLflow or database.
    """
    stale = end_these(client, [run for run in stale_runs(client) if run.run_id not in but])
    if len(stale) == 1:
        _logger.warning("1 run was RUNNING though its process is gone; it is FAILED now")
    elif stale:
        runs = f"{len(stale):,} runs were"
        _logger.warning("%s RUNNING though their processes are gone; they are FAILED now", runs)
    return stale


def end_these(client: "MlflowClient", stale: Sequence[Stale]) -> list[Stale]:
    """Ends stale runs as FAILED, with the reason as their tag; returns those that nobody else has ended."""
    if not stale:
        return []
    with turn(client, "ending"):  # of two processes that set a tag of a run at once, one would fail
        still = {run.run_id for run in stale_runs(client)}
        left = [one for one in stale if one.run_id in still]
        for one in left:
            client.set_tag(one.run_id, "ended_because", one.because)
            client.set_terminated(one.run_id, "FAILED")
    return left


def running_runs(client: "MlflowClient") -> Iterator[Running]:
    """Yields the runs of all experiments of a store that are RUNNING and have a tag ``process``."""
    engine = engine_of(client)
    yield from _asked(client) if engine is None else _selected(engine)


def _selected(engine: "Engine") -> list[Running]:
    import sqlalchemy as sa

    from initlab.tracking.sql import TABLES

    runs, tags, latest = (TABLES[name].c for name in ("runs", "tags", "latest_metrics"))
    heard = sa.select(sa.func.max(latest.timestamp)).where(latest.run_uuid == runs.run_uuid).scalar_subquery()
    query = (
        sa.select(runs.run_uuid, runs.name, tags.value, sa.func.coalesce(heard, runs.start_time))
        .where(runs.status == "RUNNING", runs.lifecycle_stage == "active")
        .where(tags.run_uuid == runs.run_uuid, tags.key == "process")
    )
    with engine.connect() as connection:
        return [Running(i, name, {"process": tag}, at) for i, name, tag, at in connection.execute(query)]


def _asked(client: "MlflowClient") -> Iterator[Running]:
    experiments = [one.experiment_id for one in client.search_experiments()]
    token = None
    while True:
        page = client.search_runs(
            experiments, "attributes.status = 'RUNNING'", max_results=RUNS_A_CALL, page_token=token
        )
        yield from (_running(run) for run in page if "process" in run.data.tags)
        token = page.token
        if not token:
            return


def _running(run: "Run") -> Running:
    times: Sequence[int] = [one.timestamp for one in run.data._metric_objs]
    return Running(run.info.run_id, run.info.run_name, run.data.tags, max([run.info.start_time, *times]))
