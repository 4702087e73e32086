"""What a tracking store holds of a sweep: read by SQL, so that nothing is repaired by looking at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

RUNS = """SELECT r.run_uuid, r.status, r.artifact_uri, e.name FROM runs r JOIN experiments e
          ON e.experiment_id = r.experiment_id WHERE r.lifecycle_stage = 'active' ORDER BY r.start_time"""
PARAMETERS = """SELECT run_uuid, key, value FROM params WHERE key IN ('init', 'seed', 'model.activation')
                ORDER BY run_uuid, key"""
SUPERSEDED = "SELECT run_uuid FROM tags WHERE key = 'superseded'"
METRICS = """SELECT key, step, value FROM metrics WHERE run_uuid = :run_id AND key <> 'seconds'
             ORDER BY key, step, value"""


@dataclass(frozen=True)
class Tracked:
    """A run: which job it is of, how it stands, and whether it ``counts``: not if it was superseded."""

    run_id: str
    job: str
    status: str
    files: str  # where they are, as a URI
    counts: bool


def tracked(database: str, experiment: str) -> list[Tracked]:
    """Returns the runs of an experiment and of those beside it; raises what the database raises."""
    with _connected(database) as connection:
        runs = connection.execute(sa.text(RUNS)).all()
        parameters = connection.execute(sa.text(PARAMETERS)).all()
        superseded = set(connection.execute(sa.text(SUPERSEDED)).scalars())
    jobs: dict[str, str] = {}
    for run_id, key, value in parameters:
        jobs[run_id] = f"{jobs.get(run_id, '')} {key}={value}".strip()
    return [
        Tracked(run_id, jobs.get(run_id, ""), status, files, name == experiment and run_id not in superseded)
        for run_id, status, files, name in runs
        if name.startswith(experiment)
    ]


def numbers_of(run: Tracked, database: str, files: Path, kept: tuple[str, ...]) -> Mapping[str, str]:
    """Returns digests of all the numbers that a run has: its metrics, and the arrays in each ``kept`` file.

    Those of two runs are the same if they are equal bit for bit. ``files`` is where the run's files are.
    """
    with _connected(database) as connection:
        rows = connection.execute(sa.text(METRICS), {"run_id": run.run_id}).all()
    said = ((key, step, float(value).hex()) for key, step, value in rows)
    return {"metrics": _digest(map(repr, said)), **{name: _digest_of_arrays(files / name) for name in kept}}


def _connected(database: str) -> Any:
    return sa.create_engine(database, poolclass=sa.NullPool).connect()


def _digest(parts: Any) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()


def _digest_of_arrays(path: Path) -> str:
    if not path.is_file():
        return "missing"
    with np.load(path) as arrays:
        found = {name: arrays[name] for name in sorted(arrays.files)}
    return _digest(f"{name} {a.dtype} {a.shape} {a.tobytes().hex()}" for name, a in found.items())
