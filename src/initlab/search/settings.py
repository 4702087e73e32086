"""The settings of a search, ``hydra.sweeper``, each with its rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from omegaconf import OmegaConf

from initlab.config.rules import Count, Seed, Size, list_of, one_of
from initlab.config.schema import read
from initlab.errors import ConfigError
from initlab.verdicts import CAUSES

DIAGNOSES = tuple(cause.__name__.replace("_", " ") for cause in CAUSES)

Percents = Annotated[
    Sequence[int],
    list_of("whole numbers from 1 to 99, such as [10, 30]", lambda v: type(v) is int and 1 <= v <= 99),
]
Diagnoses = Annotated[
    Sequence[str], list_of("causes that a diagnosis names, such as [diverged]", lambda v: v in DIAGNOSES)
]


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """How is searched.

    ``n_trials`` trials, asked ``batch`` at a time, each with the same ``seeds`` seeds, from the config's own
    on. Each is looked at after ``rungs`` percent of its training and left there where the ``pruner`` finds it
    behind the others, or where more than half of its seeds have one of the ``diagnoses``. The ``best`` are
    trained again with ``fresh_seeds`` others. ``seed`` is that of the ``sampler``.
    """

    n_trials: Count
    batch: Count
    seeds: Count
    sampler: Annotated[str, one_of("tpe", "random")]
    pruner: Annotated[str, one_of("median", "halving", "none")]
    rungs: Percents
    diagnoses: Diagnoses
    best: Count
    fresh_seeds: Size
    seed: Seed

    @property
    def shares(self) -> list[int]:
        """The percents of a training after which a trial is looked at, rising."""
        return sorted(set(self.rungs))


def settings_of(values: Mapping[str, Any], hydra: Any) -> SearchSettings:
    """Returns the settings of a search; raises ConfigError where one is not allowed, or where the launcher
    would add jobs of its own.
    """
    if until := hydra.launcher.get("until"):
        raise ConfigError(f"hydra.launcher.until={until}: must be null in a search, which adds its own jobs")
    plain = {
        key: OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
        for key, value in values.items()
    }
    return read(SearchSettings, plain, "hydra.sweeper")
