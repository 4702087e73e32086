"""A job: a config whose parts have been built and checked, ready to train alone or in a stack."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from omegaconf import DictConfig

from initlab.activations import Array
from initlab.config import GROUPS, Settings, part, plain, settings_of
from initlab.datasets import Dataset
from initlab.errors import ConfigError
from initlab.initializers import initial_parameters
from initlab.loop import Update
from initlab.network import Network

CACHE_BYTES = 5 * 2**20  # stacks of 32 of the notebook's network; `make bench` shows larger ones lose


@dataclass(frozen=True)
class Job:
    """Everything one run needs: its plain config and what it describes.

    ``initial`` are the flat parameters (P,) before training.
    """

    values: Mapping[str, Any]
    settings: Settings
    tags: Mapping[str, str]
    dataset: Dataset
    network: Network
    initial: Array
    update: "partial[Any]"

    @property
    def name(self) -> str:
        """The run's readable name: he-seed3, or he-seed3 learning_rate=0.1 where a sweep varies that too."""
        return f"{self.tags['init']}-seed{self.settings.seed} {self.tags.get('variant', '')}".strip()

    @property
    def stack_key(self) -> Hashable:
        """Equal for jobs that can train in one stack: they differ in start, seed, data and numbers only."""
        words = tuple((k, v) for k, v in self.update.keywords.items() if not _is_number(v))
        settings = self.settings
        shapes = (self.dataset.X_train.shape, self.dataset.X_test.shape)
        rule = (self.update.func, tuple(sorted(self.update.keywords)), words)
        sections = (settings.train, settings.diagnostics, settings.plots, settings.tracking)
        return (self.network, shapes, rule, sections)


def build(cfg: DictConfig, tags: Mapping[str, str]) -> Job:
    """Returns the job of a config; raises ConfigError before anything is trained, drawn or tracked."""
    values = plain(cfg)
    settings = settings_of(values)
    parts = {group: part(values, group, settings.allow_targets) for group in GROUPS}
    choices = {group: str(chosen.func.__name__) for group, chosen in parts.items()}
    with _naming("dataset"):
        dataset = _made(parts["dataset"].func, tuple(_hashable(parts["dataset"].keywords)))
    _check_batch(settings.train.batch_size, dataset.X_train.shape[-1])
    with _naming("model"):
        network: Network = parts["model"](len(dataset.X_train), len(dataset.Y_train))
    with _naming("init"):
        initial = initial_parameters(parts["init"], network.shapes, settings.seed)
    return Job(
        values=values,
        settings=settings,
        tags={**choices, "seed": str(settings.seed), **tags},
        dataset=dataset,
        network=network,
        initial=initial.astype(settings.train.precision),
        update=parts["optimizer"],
    )


@contextmanager
def _naming(group: str) -> Iterator[None]:
    """Puts the group's name before what a part says against its settings."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{group}: {error}") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


def _check_batch(batch_size: int | None, examples: int) -> None:
    if batch_size is not None and batch_size > examples:
        raise ConfigError(
            f"train.batch_size={batch_size}: must be null or at most the {examples} training examples"
        )


def _hashable(keywords: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(k, tuple(v) if isinstance(v, list) else v) for k, v in keywords.items()]


@lru_cache(maxsize=64)
def _made(function: Any, keywords: tuple[tuple[str, Any], ...]) -> Dataset:
    """Returns the dataset; runs that ask for the same one share it."""
    dataset: Dataset = function(**dict(keywords))
    return dataset


def largest_stack(job: Job) -> int:
    """Returns how many jobs like this one train fastest together: as many as the processor's cache holds."""
    examples = job.settings.train.batch_size or job.dataset.X_train.shape[-1]
    numbers_per_example = 4 * sum(job.network.sizes[1:])  # inputs, z, delta and scratch of `Pass`
    return max(1, CACHE_BYTES // (numbers_per_example * examples * job.initial.itemsize))


def stacked_data(jobs: Sequence[Job]) -> tuple[Array, Array, Array, Array]:
    """Returns X_train, Y_train, X_test, Y_test in the jobs' precision: (n, m) where shared, else (R, n,
    m).
    """
    first, precision = jobs[0].dataset, jobs[0].settings.train.precision
    names = ("X_train", "Y_train", "X_test", "Y_test")
    if all(job.dataset is first for job in jobs):
        arrays = [getattr(first, name) for name in names]
    else:
        arrays = [np.stack([getattr(job.dataset, name) for job in jobs]) for name in names]
    X_train, Y_train, X_test, Y_test = (array.astype(precision) for array in arrays)
    return X_train, Y_train, X_test, Y_test


def stacked_update(jobs: Sequence[Job]) -> Update:
    """Returns the jobs' optimizer with every number as an array (R, 1) of the runs' own values."""
    precision = jobs[0].settings.train.precision
    first = jobs[0].update
    stacked = {
        name: np.array([[job.update.keywords[name]] for job in jobs], precision)
        for name, value in first.keywords.items()
        if _is_number(value)
    }
    return partial(first.func, **{**first.keywords, **stacked})
