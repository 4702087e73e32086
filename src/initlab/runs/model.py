"""A run's network as what predicts from data as they were measured."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from initlab.config.targets import load_component
from initlab.config.trust import trusted
from initlab.datasets import Dataset
from initlab.datasets.preparation import Scale
from initlab.networks.network import Network
from initlab.predictor import Column, Predictor, Target
from initlab.types import Array

AS_IT_IS = Scale(0.0, 1.0)


class Meaning(NamedTuple):
    """What the numbers that a network reads and says stand for: raw columns in, classes or targets out."""

    columns: Sequence[Column]
    is_table: bool
    classes: Sequence[str | int] = ()
    targets: Sequence[Target] = ()


def predictor_of(network: Network, meaning: Meaning, weights: Mapping[str, Array]) -> Predictor:
    """Returns what predicts by a network with its trained parameters by name, W1, b1, …, among others."""
    return Predictor(
        columns=meaning.columns,
        is_table=meaning.is_table,
        classes=meaning.classes,
        targets=meaning.targets,
        activation=network.activation_name,
        skips=network.skips,
        branch_scale=network.branch_scale,
        branch_depth=network.branch_depth,
        normalization=network.normalization,
        weights={name: values for name, values in weights.items() if not name.endswith("_initial")},
    )


def meaning_of(dataset: Dataset) -> Meaning:
    """Returns what the features and the labels of a dataset stand for."""
    if dataset.preparation:
        classifies = dataset.task != "regression"
        return meaning_of_table(json.loads(dataset.preparation.json), classifies)
    n_x, n_y = len(dataset.X_train), len(dataset.Y_train)
    names, scales = dataset.features or [None] * n_x, dataset.scales or [AS_IT_IS] * n_x
    columns = [Column(name, "number", *scale) for name, scale in zip(names, scales, strict=True)]
    if dataset.task == "regression":
        targets = [Target(None, *scale) for scale in dataset.target_scales or [AS_IT_IS] * n_y]
        return Meaning(columns, False, targets=targets)
    return Meaning(columns, False, dataset.classes or tuple(range(max(2, n_y))))


def meaning_of_table(prepared: Mapping[str, Any], classifies: bool) -> Meaning:
    """Returns what the columns and the target of a table stand for, by what preprocessing.json holds."""
    columns = [_column(name, kind, prepared) for name, kind in prepared["columns"].items()]
    if classifies:
        return Meaning(columns, True, prepared["classes"])
    names = prepared["targets"] or [prepared["target"]]
    return Meaning(columns, True, targets=[Target(name, **prepared["scales"][name]) for name in names])


def _column(name: str, kind: str, prepared: Mapping[str, Any]) -> Column:
    filled = prepared["filled"].get(name)
    fill = filled["value"] if filled else None
    if kind == "text":
        return Column(name, kind, categories=prepared["categories"][name], fill=fill)
    return Column(name, kind, **prepared["scales"][name], fill=fill)


def network_of(
    values: Mapping[str, Any], output: str, weights: Mapping[str, Array], allow_targets: Sequence[str] = ()
) -> Network:
    """Returns the network that a plain config describes, with the sizes of weights by name: no data are read.

    Raises ConfigError where another module than Initlab's makes it that ``allow_targets`` does not name.
    """
    layers = sum(name.startswith("W") and not name.endswith("_initial") for name in weights)
    model = load_component(values, "model", (*allow_targets, *trusted()))
    network: Network = model(weights["W1"].shape[1], weights[f"W{layers}"].shape[0])
    return replace(network, output_name=output)
