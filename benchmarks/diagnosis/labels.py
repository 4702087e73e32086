"""The labels: whether a training went well is told by examples that nothing else has seen.

A run's network answers FRESH examples drawn anew from the law of its dataset; a vote of NEIGHBOURS among as
many others says what is attainable there. A run whose accuracy falls short of it by more than FAULTY is
faulty, by less than NORMAL normal; what is between is neither, is left out and counted. A fault is the cause
of a failure if the same config without it is normal.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from initlab.datasets import Dataset
from initlab.networks.tape import evaluate
from initlab.runs.summary import Trained

FRESH, NEIGHBOURS = 20_000, 51
NORMAL, FAULTY = 0.03, 0.06
SEED = 987_654


def deficit(run: Trained) -> float:
    """Returns by how much a run's accuracy on fresh examples falls short of what is attainable; ∞ if it
    diverged.
    """
    if run.summary.diverged_at is not None:
        return np.inf
    node = {key: value for key, value in run.job.values["dataset"].items() if key != "_partial_"}
    X, Y, attainable = _fresh(tuple(sorted(node.items())))
    with np.errstate(all="ignore"):
        [score] = evaluate(run.job.network, run.parameters[np.newaxis].astype(float), X, Y)[1]
    return attainable - float(score)


@lru_cache(maxsize=32)
def _fresh(node: tuple[tuple[str, Any], ...]) -> tuple[Any, Any, float]:
    """Returns fresh examples and the accuracy of the nearest neighbours among as many others."""
    from sklearn.neighbors import KNeighborsClassifier

    settings = dict(node)
    name = settings.pop("_target_").rpartition(".")[2]
    X, Y, known, labels = _drawn(name, settings)
    vote = KNeighborsClassifier(NEIGHBOURS).fit(known.T, labels.T if len(labels) > 1 else labels[0])
    said = vote.predict(X.T).reshape(X.shape[-1], -1).T
    return X, Y, float(np.mean(np.all(said == Y, axis=0)))


def _drawn(name: str, settings: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    import initlab.datasets as datasets

    if name.startswith("autotrainer"):
        drawn = [_autotrainers(name, settings, SEED + part) for part in range(2)]
        return (*drawn[0], *drawn[1])
    make: Callable[..., Dataset] = getattr(datasets, name)
    data = make(**{**settings, "n_train": FRESH, "n_test": FRESH, "seed": SEED})
    return data.X_test, data.Y_test, data.X_train, data.Y_train


def _autotrainers(name: str, settings: dict[str, Any], seed: int) -> tuple[Any, Any]:
    from sklearn.datasets import make_blobs, make_circles

    if name == "autotrainer_circle":
        X, labels = make_circles(FRESH, noise=0.1, random_state=seed)
        return settings["scale"] * X.T, (labels[np.newaxis] == 1).astype(float)
    *_, centers = make_blobs(
        1000, centers=3, cluster_std=2, random_state=settings["seed"], return_centers=True
    )
    X, labels = make_blobs(FRESH, centers=centers, cluster_std=2, random_state=seed)
    return settings["scale"] * X.T, (labels == np.arange(3)[:, np.newaxis]).astype(float)
