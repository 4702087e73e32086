"""A network as an MLflow model from code: files that MLflow loads and serves, none of them a pickle.

MLflow's own ``log_model`` writes the same files by way of a copy on disk, loads them to try them, and takes
40 ms, of its first model 600. Here they are written by MLflow's public classes, among a run's other files.
"""

import json
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec

from initlab import predictor
from initlab.predictor import NUMBERS, Column, Predictor

FOLDER = "model"  # of a run's files: the model's address is runs:/<run id>/model
CODE, REQUIREMENTS, PYTHON, CONDA = "network_model.py", "requirements.txt", "python_env.yaml", "conda.yaml"
EXAMPLE, REQUEST = "input_example.json", "serving_input_example.json"
HISTORY_TAG = "mlflow.log-model.history"  # by which MLflow's pages find a run's models
TYPES = {
    "number": DataType.double,
    "whole number": DataType.long,
    "true or false": DataType.boolean,
    "text": DataType.string,
}
OF_SCIPY = ("gelu", "erf")  # activations
ASKED_BY_MLFLOW = '''

# How MLflow asks the predictor that stands beside this file in the folder network.

import mlflow  # noqa: E402
import pandas  # noqa: E402


class NetworkModel(mlflow.pyfunc.PythonModel):
    """Says classes or targets or, with the parameter probabilities, the probability of each class."""

    def load_context(self, context):
        self.predictor = Predictor.read(Path(context.artifacts["network"]))

    def predict(self, context, model_input: pandas.DataFrame, params=None):
        if (params or {}).get("probabilities"):
            names = [str(name) for name in self.predictor.classes]
            return pandas.DataFrame(self.predictor.predict_proba(model_input), columns=names)
        return self.predictor.predict(model_input)


mlflow.models.set_model(NetworkModel())
'''


def model_files(
    network: Predictor, run_id: str | None, model_id: str | None = None
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Returns the files of a network's model by their path within a run's files, and the run's tag that tells
    MLflow's pages of it. ``run_id`` is the store's, None where that is not known yet; ``model_id`` is that of
    a logged model which has the files to itself.
    """
    example, request = _examples(network)
    model = Model(artifact_path=FOLDER, run_id=run_id, model_id=model_id, signature=_signature(network))
    model.saved_input_example_info = example
    model.add_flavor(
        "python_function",
        loader_module="mlflow.pyfunc.loaders.code_model",
        python_version=platform.python_version(),
        env={"conda": CONDA, "virtualenv": PYTHON},
        model_code_path=CODE,
        artifacts={"network": {"path": "network", "uri": "network"}},
        streamable=False,
    )
    files = {
        CODE: _code(),
        **{f"network/{name}": content for name, content in network.files.items()},
        EXAMPLE: json.dumps(next(iter(request.values()))).encode(),
        REQUEST: json.dumps(request).encode(),
        **_environment(network.activation in OF_SCIPY),
    }
    model.model_size_bytes = sum(map(len, files.values()))
    files["MLmodel"] = model.to_yaml().encode()
    history = {HISTORY_TAG: json.dumps([model.get_tags_dict()])}
    return {f"{FOLDER}/{name}": content for name, content in files.items()}, history


@cache
def _code() -> bytes:
    return Path(predictor.__file__).read_bytes() + ASKED_BY_MLFLOW.encode()


def _signature(network: Predictor) -> ModelSignature:
    """Returns what the model takes and gives: a table of a table's columns, an array of other inputs."""
    if network.is_table:
        inputs = Schema([ColSpec(TYPES[column.kind], column.name) for column in network.columns])
    else:
        inputs = Schema([TensorSpec(np.dtype(np.float64), (-1, len(network.columns)))])
    if network.targets:
        shape = (-1,) if len(network.targets) == 1 else (-1, len(network.targets))
        return ModelSignature(inputs, Schema([TensorSpec(np.dtype(np.float64), shape)]))
    word = all(isinstance(name, str) for name in network.classes)
    asked = ParamSchema([ParamSpec("probabilities", DataType.boolean, False)])
    return ModelSignature(inputs, Schema([ColSpec(DataType.string if word else DataType.long)]), asked)


def _examples(network: Predictor) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns what MLmodel says of the input example, and that as a request: one row of means and of first
    categories, which is nobody's own.
    """
    row = [_typical(column) for column in network.columns]
    paths = {"artifact_path": EXAMPLE, "serving_input_path": REQUEST}
    if not network.is_table:
        return {**paths, "type": "ndarray"}, {"inputs": [row]}
    table = {"columns": [column.name for column in network.columns], "data": [row]}
    return {**paths, "type": "dataframe", "pandas_orient": "split"}, {"dataframe_split": table}


def _typical(column: Column) -> float | int | bool | str:
    if column.kind not in NUMBERS:
        return column.categories[0]
    kinds: Mapping[str, Any] = {"whole number": round, "true or false": lambda mean: mean > 0.5}
    typical: float | int | bool = kinds.get(column.kind, float)(column.mean)
    return typical


@cache
def _environment(scipy: bool) -> dict[str, bytes]:
    """Returns the files that say in which versions a model is served as it was trained."""
    packages = ["mlflow", "numpy", "pandas", *(["scipy"] if scipy else [])]
    pinned, python = [f"{name}=={version(name)}" for name in packages], platform.python_version()
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": pinned}],
    }
    virtual = {
        "python": python,
        "build_dependencies": ["pip", "setuptools", "wheel"],
        "dependencies": [f"-r {REQUIREMENTS}"],
    }
    return {
        REQUIREMENTS: "\n".join([*pinned, ""]).encode(),
        CONDA: yaml.safe_dump(conda, sort_keys=False).encode(),
        PYTHON: yaml.safe_dump(virtual, sort_keys=False).encode(),
    }
