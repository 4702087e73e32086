"""A tracked run, read back: the counterpart of ``record``."""

import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import yaml
from numpy.typing import NDArray

from initlab.config.targets import load_component
from initlab.config.trust import trusted
from initlab.datasets import Dataset
from initlab.errors import TrackingError, first_line
from initlab.networks.network import Network, flat_parameters
from initlab.networks.outputs import OUTPUTS
from initlab.predictor import Predictor
from initlab.runs.job import data_and_network
from initlab.runs.model import Meaning, meaning_of, meaning_of_table, network_of, predictor_of
from initlab.runs.summary import Summary
from initlab.tracking.reading import StoredRun, file_of, files_below, stored_run
from initlab.types import Array
from initlab.verdicts import Finding

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times faster

FRAME = r"images/boundary\+step\+(\d+)\+.*\+compressed\.webp$"  # as MLflow's log_image names them
CONFIG, HISTORY, WEIGHTS = "config.yaml", "history.npz", "weights.npz"
PREPARED = "preprocessing.json"


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
    return Stored(_config(run_id, run.files[CONFIG]), summary, history, weights)


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
        place=run.place,
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


def rebuilt(values: Mapping[str, Any], allow_targets: Sequence[str] = ()) -> tuple[Dataset, Network]:
    """Returns the data and the network that a plain config describes.

    Nothing else that it names is executed: they come from Initlab's own functions and from those of the
    modules that ``allow_targets`` names. Raises ConfigError where the data are no longer there.
    """
    allowed = (*allow_targets, *trusted())
    data, model = (load_component(values, group, allowed) for group in ("dataset", "model"))
    return data_and_network(data, model)


def stored_predictor(stored: Stored, allow_targets: Sequence[str] = ()) -> Predictor:
    """Returns what predicts by the weights of a tracked run.

    Of a table its preprocessing.json is enough; other data are made again, as ``rebuilt`` makes them. Raises
    ConfigError where those are no longer there.
    """
    meaning = _meaning_of_table(stored.summary)
    if meaning:
        network = network_of(stored.values, stored.summary.output, stored.weights, allow_targets)
    else:
        dataset, network = rebuilt(stored.values, allow_targets)
        meaning = meaning_of(dataset)
    return predictor_of(network, meaning, stored.weights)


def _meaning_of_table(run: Summary) -> Meaning | None:
    """Returns what a run's preprocessing.json says of its table, None where it has none that does."""
    assert run.store is not None and run.run_id is not None and run.place is not None  # noqa: PT018
    if PREPARED not in files_below(run.store, run.run_id, run.place, ""):
        return None
    try:
        with file_of(run.store, run.run_id, run.place, PREPARED) as path:
            prepared = json.loads(path.read_text(encoding="utf-8"))
        return meaning_of_table(prepared, run.rules.classifies) if "columns" in prepared else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrackingError(f"run {run.run_id}: {PREPARED}: cannot be read: {first_line(error)}") from error


@dataclass(frozen=True)
class RunFiles:
    """The files of a tracked run, each read from its store when it is asked for."""

    summary: Summary
    allow_targets: Sequence[str] = ()

    def arrays(self, name: str, *members: str) -> dict[str, NDArray[Any]]:
        """Returns the arrays of an npz file, all or those of ``members`` that are there."""
        with (
            self._file(name) as path,
            _readable(self.summary.run_id, name),
            np.load(path, allow_pickle=False) as arrays,
        ):
            return {key: arrays[key] for key in members or arrays if key in arrays}

    @cached_property
    def costs(self) -> Array:
        """The cost (n + 1,) after 0, 1, … n updates; (n,) if the run diverged at its last."""
        costs, final = self.arrays(HISTORY, "cost")["cost"].astype(np.float64), self.summary.final_cost
        return costs if final is None else np.append(costs, final)

    @cached_property
    def frames(self) -> dict[int, bytes]:
        """Its boundary's small pictures, as WebP, by the iterations after whose updates they were drawn."""
        run = self.summary
        assert run.store is not None and run.run_id is not None and run.place is not None  # noqa: PT018
        names = files_below(run.store, run.run_id, run.place, "images")
        found = {int(match[1]): name for name in names if (match := re.match(FRAME, name))}
        frames = {}
        for step, name in sorted(found.items()):
            with self._file(name) as path:
                frames[step] = path.read_bytes()
        return frames

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """Its whole config, plain."""
        with self._file(CONFIG) as path:
            return _config(self.summary.run_id, path.read_bytes())

    @cached_property
    def data_and_network(self) -> tuple[Dataset, Network]:
        """What it was trained on, and its network."""
        return rebuilt(self.values, self.allow_targets)

    @cached_property
    def parameters(self) -> Array:
        """Its trained parameters (P,)."""
        return flat_parameters(self.data_and_network[1], self.arrays(WEIGHTS))

    def _file(self, name: str) -> AbstractContextManager[Path]:
        run = self.summary
        assert run.store is not None
        assert run.run_id is not None
        assert run.place is not None
        return file_of(run.store, run.run_id, run.place, name)


Read = Callable[[Summary], RunFiles]
"""Gives the files of a run."""


@contextmanager
def _readable(run_id: str | None, name: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise TrackingError(f"run {run_id}: {name}: cannot be read: {first_line(error)}") from error


def _config(run_id: str | None, text: bytes) -> Mapping[str, Any]:
    try:
        values: Any = yaml.load(text, _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TrackingError(f"run {run_id}: {CONFIG}: cannot be read: {first_line(error)}") from error
    if not isinstance(values, dict):
        raise TrackingError(f"run {run_id}: {CONFIG}: holds no settings")
    return values


def _arrays(run_id: str, name: str, npz: bytes) -> dict[str, NDArray[Any]]:
    with _readable(run_id, name), np.load(io.BytesIO(npz), allow_pickle=False) as arrays:
        return dict(arrays)
