"""A tracked run, read back: the counterpart of ``record``."""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from zipfile import BadZipFile

import numpy as np
import yaml
from numpy.typing import NDArray

from initlab.errors import TrackingError, first_line
from initlab.networks.outputs import OUTPUTS
from initlab.runs.summary import Summary
from initlab.tracking.reading import StoredRun, stored_run
from initlab.types import Array
from initlab.verdicts import Finding

CONFIG, HISTORY, WEIGHTS = "config.yaml", "history.npz", "weights.npz"


@dataclass(frozen=True)
class Stored:
    """What a tracked run holds: its plain config, its summary, its exact history and its weights by name."""

    values: Mapping[str, Any]
    summary: Summary
    history: Mapping[str, NDArray[Any]]
    weights: Mapping[str, Array]


def read_back(run_id: str, uri: str) -> Stored:
    """Returns a training run of the store at uri (absolute); raises TrackingError where it is not there
    or has not finished.
    """
    run = stored_run(run_id, uri, [CONFIG, HISTORY, WEIGHTS])
    history, weights = (_arrays(run_id, name, run.files[name]) for name in (HISTORY, WEIGHTS))
    summary = summary_of(run_id, uri, _completed(run, history["cost"], weights))
    return Stored(yaml.safe_load(run.files[CONFIG]), summary, history, weights)


def summary_of(run_id: str, uri: str, run: StoredRun) -> Summary:
    """Returns the summary of a training run of the store at uri (absolute) by its tags and metrics alone.

    A first cost that was not finite is NaN: MLflow does not hold it. Raises TrackingError for a run that has
    not come to its end, and for one that was tracked before such runs had the metric ``iterations``.
    """
    metrics, names = run.metrics, run.tags.get("diagnosis", "")
    if "iterations" not in metrics or "output" not in run.tags:
        raise TrackingError(
            f"run {run_id}: has no metric iterations or no tag output: it has not ended, or is an old run, "
            "which initlab.load reads"
        )
    output = run.tags["output"]
    score = OUTPUTS[output].score_name
    return Summary(
        name=run.name,
        tags={key: text for key, text in run.tags.items() if not key.startswith(("mlflow.", "diagnosis"))},
        output=output,
        iterations=int(metrics["iterations"]),
        seconds=metrics["seconds"],
        initial_cost=metrics.get("initial_cost", math.nan),
        final_cost=metrics.get("final_cost"),
        score_train=metrics.get(f"{score}/train"),
        score_validation=metrics.get(f"{score}/validation"),
        score_test=metrics.get(f"{score}/test"),
        reached_at=_whole(metrics.get("reached_at")),
        diverged_at=_whole(metrics.get("diverged_at")),
        diagnosis=[
            Finding(name, run.tags[f"diagnosis.{name.replace(' ', '_')}"])
            for name in names.split(", ")
            if name
        ],
        run_id=run_id,
        address=run.address,
        store=uri,
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def _completed(run: StoredRun, costs: Array, weights: Mapping[str, Array]) -> StoredRun:
    """Returns the run with what its files say and its metrics and tags do not: those of an old run, and a
    first cost that was not finite.
    """
    metrics = {"iterations": float(len(costs)), "initial_cost": float(costs[0]), **run.metrics}
    return replace(run, metrics=metrics, tags={"output": _output(run.metrics, weights), **run.tags})


def _output(metrics: Mapping[str, float], weights: Mapping[str, Array]) -> str:
    """Returns an old run's output, as far as scores tell: one that diverged had none."""
    if "r2/train" in metrics:
        return "linear"
    last = f"b{sum(name.startswith('W') for name in weights) // 2}"
    return "sigmoid" if len(weights[last]) == 1 else "softmax"


def _arrays(run_id: str, name: str, npz: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(npz), allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, OSError, BadZipFile) as error:
        raise TrackingError(f"run {run_id}: {name}: cannot be read: {first_line(error)}") from error
