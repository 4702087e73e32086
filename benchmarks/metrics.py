"""How many metric rows a second reach SQLite: by us, by ``log_batch``, and by raw executemany."""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Metric

from initlab.tracking import Series, Tracker

ROWS, ROUNDS = 36_000, 5  # what a run of 15 000 iterations leaves

INSERT = "INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, ?, ?)"


def measure() -> list[tuple[str, str, str]]:
    """Returns a row for each writer: name, rows a second, relative to log_batch."""
    values, steps = np.random.RandomState(1).standard_normal(ROWS), np.arange(ROWS)
    times = steps + 1_700_000_000_000
    with tempfile.TemporaryDirectory() as folder:
        tracker = Tracker("sqlite:///mlflow.db", "bench", Path(folder))
        entities = [Metric("cost", v, t, s) for v, t, s in _rows(values, times, steps)]

        def ours(run_id: str) -> None:
            tracker.log([Series(run_id, "cost", values, steps, times)])

        def log_batch(run_id: str) -> None:
            for start in range(0, ROWS, 1000):
                tracker.client.log_batch(run_id, entities[start : start + 1000])

        def raw(run_id: str) -> None:
            with sqlite3.connect(Path(folder) / "mlflow.db") as connection:
                rows = [("cost", v, t, s, False, run_id) for v, t, s in _rows(values, times, steps)]
                connection.executemany(INSERT, rows)
            connection.close()

        writers = {"Initlab": ours, "MLflow's log_batch": log_batch, "sqlite3 executemany": raw}
        rates: dict[str, list[float]] = {name: [] for name in writers}
        for _ in range(ROUNDS):
            for name, write in writers.items():
                rates[name].append(_rate(write, tracker.client, tracker.experiment_id))
    yardstick = median(rates["MLflow's log_batch"])
    return [(name, f"{median(r):,.0f}", f"{median(r) / yardstick:.1f}") for name, r in rates.items()]


def _rate(write: Callable[[str], None], client: MlflowClient, experiment_id: str) -> float:
    run_id = client.create_run(experiment_id).info.run_id
    started = time.perf_counter()
    write(run_id)
    return ROWS / (time.perf_counter() - started)


def _rows(*columns: Any) -> Any:
    return zip(*(column.tolist() for column in columns), strict=True)
