"""A run's data as MLflow shows it: a name, a digest of the training examples and where they come from."""

from functools import lru_cache
from typing import TYPE_CHECKING

from initlab.datasets import Dataset

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput


@lru_cache(maxsize=64)
def dataset_input(dataset: Dataset, name: str) -> "DatasetInput":
    """Returns MLflow's entity of a dataset that a run trains on; runs that share the dataset share it."""
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.numpy_dataset import NumpyDataset
    from mlflow.entities import DatasetInput, InputTag

    source = CodeDatasetSource({"mlflow.source.name": dataset.source})
    entity = NumpyDataset(dataset.X_train.T, source, dataset.Y_train.T, name)._to_mlflow_entity()
    return DatasetInput(entity, [InputTag("mlflow.data.context", "training")])
