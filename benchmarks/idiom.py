"""The yardstick: a sweep as most projects write it, by Hydra's basic launcher and MLflow's fluent API.

``python -m benchmarks.idiom -m seed=0,1,2 logging=batch`` trains the published network in plain NumPy and
tracks each job with parameters, the cost at every iteration, gradient norms, a boundary image and two
figures drawn by pyplot. ``logging=batch`` collects the metrics and writes them by ``log_batch``;
``logging=naive`` calls ``log_metrics`` at every iteration.
"""

import time
from dataclasses import dataclass
from typing import Any

import hydra
import matplotlib as mpl
import mlflow
import numpy as np
from hydra.core.config_store import ConfigStore
from mlflow.data.numpy_dataset import from_numpy
from mlflow.entities import Metric
from numpy.typing import NDArray
from omegaconf import DictConfig

from initlab.datasets import circles
from initlab.initializers import he, initial_parameters
from initlab.networks.network import mlp, named_parameters

from .plain import plain_step

mpl.use("agg")


@dataclass
class Config:
    """What a job of this little application is told."""

    seed: int = 3
    iterations: int = 1500
    measure_every: int = 10
    learning_rate: float = 0.01
    logging: str = "batch"
    uri: str = "sqlite:///idiom.db"


ConfigStore.instance().store(name="idiom", node=Config)


@hydra.main(version_base="1.3", config_path=None, config_name="idiom")
def main(cfg: DictConfig) -> None:
    """Trains and tracks one job."""
    mlflow.set_tracking_uri(cfg.uri)
    mlflow.set_experiment("idiom")
    data = circles(n_train=300, n_test=100, noise=0.05, seed=1)
    network = mlp(2, hidden=[10, 5], activation="relu")
    parameters = list(named_parameters(network, initial_parameters(he, network, cfg.seed)).values())
    with mlflow.start_run(run_name=f"he-seed{cfg.seed}") as run:
        mlflow.log_params({str(key): value for key, value in cfg.items()})
        mlflow.log_input(from_numpy(data.X_train.T, targets=data.Y_train[0]), context="training")
        costs: list[float] = []
        metrics: list[Metric] = []
        for iteration in range(cfg.iterations):
            parameters, cost, norms = plain_step(parameters, data.X_train, data.Y_train, cfg.learning_rate)
            costs.append(cost)
            found = {"cost": cost}
            if iteration % cfg.measure_every == 0:
                found |= {f"grad_norm/layer{n}": norm for n, norm in enumerate(norms, start=1)}
            if cfg.logging == "naive":
                mlflow.log_metrics(found, step=iteration)
            else:
                now = time.time_ns() // 1_000_000
                metrics += [Metric(key, value, now, iteration) for key, value in found.items()]
        for start in range(0, len(metrics), 1000):
            mlflow.MlflowClient().log_batch(run.info.run_id, metrics[start : start + 1000])
        _log_pictures(parameters, costs, data.X_train, data.Y_train)


def _log_pictures(
    parameters: list[NDArray[Any]], costs: list[float], X: NDArray[Any], Y: NDArray[Any]
) -> None:
    from matplotlib import pyplot as plt

    side = np.linspace(-1.3, 1.3, 100)
    x1, x2 = np.meshgrid(side, side)
    W1, b1, W2, b2, W3, b3 = parameters
    a1 = np.maximum(W1 @ np.stack([x1.ravel(), x2.ravel()]) + b1, 0)
    p = 1 / (1 + np.exp(-(W3 @ np.maximum(W2 @ a1 + b2, 0) + b3))).reshape(x1.shape)
    boundary, axes = plt.subplots()
    colors = axes.contourf(x1, x2, p, levels=20)
    axes.scatter(X[0], X[1], c=Y[0], edgecolors="white")
    boundary.colorbar(colors)
    mlflow.log_figure(boundary, "boundary.png")
    canvas: Any = boundary.canvas
    canvas.draw()
    mlflow.log_image(np.asarray(canvas.buffer_rgba()), key="boundary", step=len(costs) - 1)
    curve, axes = plt.subplots()
    axes.plot(costs)
    mlflow.log_figure(curve, "cost.png")
    plt.close("all")


if __name__ == "__main__":
    main()
