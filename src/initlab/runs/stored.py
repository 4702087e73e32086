"""A tracked run, read back: the counterpart of ``record``."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np
import yaml
from numpy.typing import NDArray

from initlab.errors import TrackingError, first_line
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
    summary = _summary(run_id, uri, run, history["cost"], output=_output(run.metrics, weights))
    return Stored(yaml.safe_load(run.files[CONFIG]), summary, history, weights)


def _arrays(run_id: str, name: str, npz: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(npz), allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, OSError, BadZipFile) as error:
        raise TrackingError(f"run {run_id}: {name}: cannot be read: {first_line(error)}") from error


def _summary(run_id: str, uri: str, run: StoredRun, costs: Array, output: str) -> Summary:
    metrics, names = run.metrics, run.tags.get("diagnosis", "")
    score = "r2" if output == "linear" else "accuracy"
    diverged_at = metrics.get("diverged_at")
    return Summary(
        name=run.name,
        tags={key: text for key, text in run.tags.items() if not key.startswith(("mlflow.", "diagnosis"))},
        output=output,
        iterations=len(costs),
        seconds=metrics["seconds"],
        initial_cost=float(costs[0]),
        final_cost=metrics.get("final_cost"),
        score_train=metrics.get(f"{score}/train"),
        score_test=metrics.get(f"{score}/test"),
        diverged_at=None if diverged_at is None else int(diverged_at),
        diagnosis=[
            Finding(name, run.tags[f"diagnosis.{name.replace(' ', '_')}"])
            for name in names.split(", ")
            if name
        ],
        run_id=run_id,
        address=run.address,
        store=uri,
    )


def _output(metrics: Mapping[str, float], weights: Mapping[str, Array]) -> str:
    """Returns the output's name, as far as scores tell: a diverged run has none, and no use for the name."""
    if "r2/train" in metrics:
        return "linear"
    last = f"b{sum(name.startswith('W') for name in weights) // 2}"
    return "sigmoid" if len(weights[last]) == 1 else "softmax"
