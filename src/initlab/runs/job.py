"""A job: a config whose parts have been built and checked, ready to train alone or in a stack."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from hashlib import file_digest
from os.path import expanduser
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from initlab.config.rules import is_number
from initlab.config.schema import Diagnostics, Settings, Train, plain, read
from initlab.config.targets import GROUPS, load_component, name_of_choice
from initlab.config.trust import check_trust
from initlab.datasets import Dataset
from initlab.diagnostics import diagnostics_named
from initlab.errors import ConfigError, naming
from initlab.initializers import initial_parameters
from initlab.memory import refuse_beyond_memory
from initlab.networks.network import Network
from initlab.networks.outputs import OUTPUT_OF_TASK
from initlab.optimizers.layer_rates import rate_factors
from initlab.optimizers.rules import Update, clipped
from initlab.optimizers.schedules import constant, scheduled
from initlab.runs.needs import check_memory
from initlab.threads import one_thread
from initlab.training.stack import Data, Stack
from initlab.types import Array

Config = DictConfig | dict[str, Any]
"""A job's config, or one that is resolved and made of dicts, lists and values."""

TIMES_ITS_SIZE = 5  # in memory, while a file becomes a frame and then features
NOT_OF_THE_RUN = ("resume", "dry_run", "stretch")  # of the command
WAY_TO_THE_STORE = "database_uri"
CACHE_BYTES = 5 * 2**20  # stacks of 32 of the notebook's network; `make bench` shows larger ones lose


@dataclass(frozen=True)
class Job:
    """Everything one run needs: its plain config, the parts that it describes and, of a run that goes on from
    a checkpoint, the arrays that it holds.
    """

    values: Mapping[str, Any]
    settings: Settings
    tags: Mapping[str, str]
    dataset: Dataset
    network: Network
    model: "partial[Any]"
    init: "partial[Any]"
    bias: "partial[Any]"
    update: "partial[Any]"
    schedule: "partial[Any]"
    begun: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @cached_property
    def initial(self) -> Array:
        """The flat parameters (P,) before training; raises ConfigError where the start cannot make them."""
        # With more BLAS threads the last bits of a start that multiplies matrices would be others.
        with naming("init"), one_thread(), np.errstate(all="ignore"):
            X, seed = self.dataset.X_train, self.settings.seed
            start = initial_parameters(self.init, self.network, seed, X=X, bias=self.bias)
            return start.astype(self.settings.train.precision)

    @cached_property
    def rate_factors(self) -> Array | None:
        """The factor on the learning rate of each trained number (P,); None where there is but one rate."""
        rates = self.values["optimizer"].get("layer_rates")
        with naming("optimizer"):
            return rate_factors(self.network, self.update.func, self.update.keywords, layer_rates=rates)

    @property
    def first(self) -> int:
        """The number of the iteration that it begins with."""
        return int(self.begun["iteration"]) if self.begun else 0

    @property
    def seconds(self) -> float:
        """How long it had trained by then."""
        return float(self.begun["seconds"]) if self.begun else 0.0

    def draw(self) -> None:
        """Draws the start; raises ConfigError where that cannot be done."""
        _ = self.initial

    @property
    def name(self) -> str:
        """The run's readable name: he-seed3, or he-seed3 learning_rate=0.1 where a sweep varies that too."""
        return f"{self.tags['init']}-seed{self.settings.seed} {self.tags.get('variant', '')}".strip()

    @property
    def stack_key(self) -> Hashable:
        """Equal for jobs that can train in one stack: they differ in start, seed, data and numbers only, and
        begin with the same iteration.
        """
        settings = self.settings
        parts = (self.dataset.X_train, self.dataset.X_test, self.dataset.X_validation)
        shapes = tuple(None if X is None else X.shape for X in parts)
        rules = (_rule(self.update), _rule(self.schedule))
        sections = (settings.train, settings.diagnostics, settings.plots, settings.tracking, settings.stretch)
        return (self.network, shapes, rules, sections, self.first)


def _rule(chosen: "partial[Any]") -> Hashable:
    """Returns what two rules must share to be one rule with an array for each of its numbers."""
    words = tuple((key, value) for key, value in chosen.keywords.items() if not is_number(value))
    return chosen.func, tuple(sorted(chosen.keywords)), words


def build(cfg: Config, tags: Mapping[str, str]) -> Job:
    """Returns the job of a config; raises ConfigError before anything is trained, drawn or tracked."""
    return job_of(plain(cfg), tags)


def job_of(values: Mapping[str, Any], tags: Mapping[str, str]) -> Job:
    """Returns the job of a plain config, as ``build`` does."""
    settings = read(Settings, values)
    _check_diagnostics(settings.diagnostics)
    _check_stretch(settings)
    _check_model(settings)
    allowed = check_trust(settings.allow_targets)
    parts = {group: load_component(values, group, allowed) for group in GROUPS}
    choices = {group: name_of_choice(group, tags.get(group), values[group]["_target_"]) for group in GROUPS}
    dataset, network = data_and_network(parts["dataset"], parts["model"])
    _check_batch(settings.train.batch_size, dataset.X_train.shape[-1], network.normalization)
    check_memory(settings, dataset, network)
    job = Job(
        values=_of_the_run(values),
        settings=settings,
        tags={**tags, **choices, "seed": str(settings.seed), "output": network.output_name},
        dataset=dataset,
        network=network,
        model=parts["model"],
        init=parts["init"],
        bias=parts["bias"],
        update=parts["optimizer"],
        schedule=parts["schedule"],
    )
    _ = job.rate_factors  # tells of settings that do not fit
    return job


def _of_the_run(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a plain config without what says how the command does it, of which no run needs to know."""
    own = {key: value for key, value in values.items() if key not in NOT_OF_THE_RUN}
    tracking = {key: value for key, value in own["tracking"].items() if key != WAY_TO_THE_STORE}
    return {**own, "tracking": tracking}


def data_and_network(data: "partial[Any]", model: "partial[Any]") -> tuple[Dataset, Network]:
    """Returns the examples and the network for them, with the output that their task asks for."""
    with naming("dataset"):
        dataset = _made(data.func, *_identity(data.keywords))
    with naming("model"):
        network: Network = model(len(dataset.X_train), len(dataset.Y_train))
    return dataset, replace(network, output_name=OUTPUT_OF_TASK[dataset.task])


def _check_diagnostics(diagnostics: Diagnostics) -> None:
    for key, names in (("names", diagnostics.names), ("rare", diagnostics.rare)):
        with naming(f"diagnostics.{key}"):
            diagnostics_named(names)


def _check_stretch(settings: Settings) -> None:
    iterations = settings.train.iterations
    given = f"stretch={list(settings.stretch or ())}"
    if settings.last > iterations:
        raise ConfigError(f"{given}: must end at train.iterations={iterations} at most")
    if settings.in_part and settings.tracking.uri is not None:
        raise ConfigError(
            f"{given}: ends before train.iterations={iterations}, and a run that is kept must be whole; add "
            "tracking.uri=null"
        )


def _check_model(settings: Settings) -> None:
    tracking = settings.tracking
    if tracking.model and tracking.uri is None and not settings.in_part:  # a search has parts tracked nowhere
        raise ConfigError(
            "tracking.model=true: a model is among a tracked run's files, and tracking.uri=null tracks none; "
            "leave out one of the two"
        )


def _check_batch(batch_size: int | None, examples: int, normalization: str) -> None:
    if batch_size is not None and batch_size > examples:
        raise ConfigError(
            f"train.batch_size={batch_size}: must be null or at most the {examples} training examples"
        )
    if batch_size and normalization == "batch" and 1 in (batch_size, examples % batch_size):
        raise ConfigError(
            f"train.batch_size={batch_size}: makes a batch of one of the {examples} training examples, and "
            "model.normalization=batch needs two; choose another size"
        )


def _identity(keywords: Mapping[str, Any]) -> tuple[Hashable, Hashable]:
    """Returns what tells two datasets apart: the settings, and the state of the file that ``path`` names."""
    settings = tuple((key, tuple(v) if isinstance(v, list) else v) for key, v in keywords.items())
    path = Path(expanduser(str(keywords.get("path", ""))))
    if not path.is_file():
        return settings, None
    refuse_beyond_memory(f"path={path}", path.stat().st_size * TIMES_ITS_SIZE)
    with path.open("rb") as file:
        return settings, file_digest(file, "sha256").digest()


@lru_cache(maxsize=64)
def _made(function: Any, keywords: tuple[tuple[str, Any], ...], content: Hashable) -> Dataset:
    """Returns the dataset; runs that ask for the same one share it."""
    dataset = function(**dict(keywords))
    if not isinstance(dataset, Dataset):
        name, kind = getattr(function, "__name__", "the function"), type(dataset).__name__
        raise TypeError(f"{name} returned a {kind}; it must be an initlab.datasets.Dataset")
    return dataset


def largest_stack(job: Job) -> int:
    """Returns how many jobs like this one train fastest together: as many as the processor's cache holds."""
    examples = job.settings.train.batch_size or job.dataset.X_train.shape[-1]
    numbers_per_example = 4 * sum(job.network.sizes[1:])  # inputs, z, delta and scratch of a tape
    return max(1, CACHE_BYTES // (numbers_per_example * examples * job.initial.itemsize))


def stack_of(jobs: Sequence[Job]) -> Stack:
    """Returns the stack of jobs whose ``stack_key`` is the same."""
    first, settings = jobs[0], jobs[0].settings
    return Stack(
        network=first.network,
        start=np.stack([job.initial for job in jobs]),
        seeds=[job.settings.seed for job in jobs],
        data=_stacked_data([job.dataset for job in jobs], settings.train.precision),
        update=_stacked_update(jobs, settings.train),
        settings=settings,
        begun=[job.begun for job in jobs if job.begun],
    )


def _stacked_data(datasets: Sequence[Dataset], precision: str) -> Data:
    first = datasets[0]
    shared = all(dataset is first for dataset in datasets)

    def stacked(name: str) -> Any:  # an array, or None of a part that there is not
        array = getattr(first, name)
        if array is not None and not shared:
            array = np.stack([getattr(dataset, name) for dataset in datasets])
        return None if array is None else array.astype(precision)

    return Data(**{name: stacked(name) for name in Data._fields})


def _stacked_update(jobs: Sequence[Job], train: Train) -> Update:
    """Returns the jobs' update rule, with its schedule and its clipping, every number as an array (R, 1) of
    the runs' own values.
    """
    rule = _with_layer_rates(_stacked([job.update for job in jobs], train.precision), jobs)
    update: Update = rule
    if any(job.schedule.func is not constant or job.schedule.keywords["warmup"] for job in jobs):
        update = scheduled(rule, _stacked([job.schedule for job in jobs], train.precision), train.iterations)
    return update if train.clip is None else clipped(update, train.clip)


def _with_layer_rates(rule: "partial[Any]", jobs: Sequence[Job]) -> "partial[Any]":
    """Returns the rule with a learning rate of its own for every number (R, P), where a run asks for that."""
    if all(job.rate_factors is None for job in jobs):
        return rule
    rate = rule.keywords["learning_rate"]
    factors = [1.0 if job.rate_factors is None else job.rate_factors for job in jobs]
    by_number = np.stack([np.broadcast_to(each, jobs[0].network.trained) for each in factors])
    return partial(rule, learning_rate=rate * by_number.astype(rate.dtype))


def _stacked(rules: Sequence["partial[Any]"], precision: str) -> "partial[Any]":
    first = rules[0]
    numbers = {
        name: np.array([[rule.keywords[name]] for rule in rules], precision)
        for name, value in first.keywords.items()
        if is_number(value)
    }
    return partial(first.func, **{**first.keywords, **numbers})
