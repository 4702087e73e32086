"""The yardstick: a sweep as most projects write it, by Hydra's own launchers and MLflow's fluent API.

``python -m benchmarks.chaos.plain -m seed=0,1,2`` trains the published network in plain NumPy and tracks each
job with its parameters and its cost at every iteration. ``hydra/launcher=joblib`` runs jobs side by side.
"""

import time
from dataclasses import dataclass

import hydra
import mlflow
from hydra.core.config_store import ConfigStore
from mlflow.entities import Metric
from omegaconf import DictConfig

from benchmarks.plain import plain_step
from initlab import initializers
from initlab.datasets import circles
from initlab.networks.network import mlp, named_parameters


@dataclass
class Config:
    """What a job of this little application is told; MLFLOW_TRACKING_URI says where it is tracked."""

    init: str = "he"
    seed: int = 3
    iterations: int = 300
    experiment: str = "plain"


ConfigStore.instance().store(name="plain", node=Config)


@hydra.main(version_base="1.3", config_path=None, config_name="plain")
def main(cfg: DictConfig) -> None:
    """Trains and tracks one job."""
    mlflow.set_experiment(cfg.experiment)
    data = circles(n_train=300, n_test=100, noise=0.05, seed=1)
    network = mlp(2, hidden=[10, 5], activation="relu")
    start = initializers.initial_parameters(getattr(initializers, cfg.init), network, cfg.seed)
    parameters = list(named_parameters(network, start).values())
    with mlflow.start_run(run_name=f"{cfg.init}-seed{cfg.seed}") as run:
        mlflow.log_params({str(key): value for key, value in cfg.items()})
        costs: list[Metric] = []
        for iteration in range(cfg.iterations):
            parameters, cost, _ = plain_step(parameters, data.X_train, data.Y_train, 0.01)
            costs.append(Metric("cost", cost, time.time_ns() // 1_000_000, iteration))
        for first in range(0, len(costs), 100):
            mlflow.MlflowClient().log_batch(run.info.run_id, costs[first : first + 100])
        mlflow.log_metric("final_cost", cost)


if __name__ == "__main__":
    main()
