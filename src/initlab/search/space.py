"""The search space: which settings a search may choose, from Hydra's grammar of sweeps or from a mapping.

``optimizer.learning_rate=tag(log, interval(0.001, 1))`` is a number in between, on a logarithmic scale,
``int(interval(1, 8))`` a whole one, both ends included; ``range(1, 9, 2)`` is 1, 3, 5 or 7, as in a sweep,
and ``he,xavier`` or ``choice(he, xavier)`` one of the two.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from warnings import catch_warnings, simplefilter

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from omegaconf import OmegaConf
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from initlab.config.rules import LARGEST, Flag, Number, Rule, check_arguments, optional, shown
from initlab.config.schema import OptionalPositive
from initlab.errors import ConfigError, naming

Whole = Annotated[int, Rule("a whole number", lambda v: type(v) is int and abs(v) <= LARGEST)]
OptionalWhole = Annotated[int | None, optional(Whole)]
Choices = Annotated[
    Sequence[Any], Rule("a list of at least one value", lambda v: isinstance(v, list) and len(v) > 0)
]

OF_THE_TRIAL = {
    "seed": "a trial has hydra.sweeper.seeds seeds, from seed=… on",
    "dataset": "a search compares settings on the same examples",
    "stretch": "a search itself says how far its jobs go",
    "resume": "is no setting of a run",
    "dry_run": "is no setting of a run",
}


@dataclass(frozen=True)
class Space:
    """What a search may choose, by its key, and the overrides that all of its jobs have."""

    choices: Mapping[str, BaseDistribution]
    fixed: Sequence[str]

    def overrides(self, chosen: Mapping[str, Any]) -> list[str]:
        """Returns the overrides of a job, but for its seed, with these values of what may be chosen."""
        return [*self.fixed, *(f"{key}={_typed(chosen[key])}" for key in self.choices)]

    def samples(self) -> list[list[str]]:
        """Returns overrides in which every named choice occurs, beside the first of all others."""
        options = {key: _options(choice) for key, choice in self.choices.items()}
        first = {key: some[0] for key, some in options.items()}
        others = ({**first, key: option} for key, some in options.items() for option in some[1:])
        return [self.overrides(chosen) for chosen in (first, *others)]


def read_space(
    by_mapping: Mapping[str, Any],
    params: Mapping[str, Any],
    words: Sequence[str],
    loader: ConfigLoader | None = None,
) -> Space:
    """Returns the space of ``hydra.sweeper.search_space``, ``hydra.sweeper.params`` and the command line's
    words, of which the later count; raises ConfigError where there is nothing to choose.
    """
    choices: dict[str, BaseDistribution] = {}
    fixed: dict[str, str] = {}
    for key, entry in by_mapping.items():
        choices[str(key)] = _of_mapping(str(key), entry)
    lines = [*(f"{key}={value}" for key, value in params.items()), *words]
    for override in OverridesParser.create(config_loader=loader).parse_overrides(lines):
        key = override.get_key_element()
        if override.is_sweep_override():
            fixed.pop(key, None)
            choices[key] = _of_override(override)
        else:
            choices.pop(key, None)
            fixed[key] = str(override.input_line)
    _check(choices)
    if "stretch" in fixed:
        raise ConfigError(f"{fixed['stretch']}: {OF_THE_TRIAL['stretch']}")
    return Space(choices, list(fixed.values()))


def _check(choices: Mapping[str, BaseDistribution]) -> None:
    if not choices:
        raise ConfigError(
            "hydra/sweeper=stacked_optuna: has nothing to choose; give it something like init=he,xavier or "
            "'optimizer.learning_rate=tag(log,interval(0.001,1))'"
        )
    for key in choices:
        if why := OF_THE_TRIAL.get(key.lstrip("+").partition(".")[0].partition("@")[0]):
            raise ConfigError(f"{key}: cannot be searched for: {why}")


def _options(choice: BaseDistribution) -> Sequence[Any]:
    if isinstance(choice, CategoricalDistribution):
        return choice.choices
    assert isinstance(choice, IntDistribution | FloatDistribution)
    return [choice.low]


def _of_override(override: Override) -> BaseDistribution:
    value, key = override.value(), str(override.input_line)
    with naming(key):
        if isinstance(value, IntervalSweep):
            log = _is_log(value.tags)
            if isinstance(value.start, int) and isinstance(value.end, int):
                return IntDistribution(value.start, value.end, log=log)
            return FloatDistribution(float(value.start or 0), float(value.end or 0), log=log)
        if isinstance(value, RangeSweep) and not value.shuffle:
            return _of_range(value)
        words = list(override.sweep_string_iterator())
        if not words:
            raise ValueError("stands for no value at all")
        return CategoricalDistribution(list(dict.fromkeys(words)))


def _is_log(tags: set[str]) -> bool:
    if other := tags - {"log"}:
        raise ValueError(f"the tag {min(other)} is not known; the one tag is log")
    return "log" in tags


def _of_range(sweep: RangeSweep) -> BaseDistribution:
    if sweep.tags:
        raise ValueError("a range has no tags; only an interval can be on a logarithmic scale")
    values = list(sweep.range()) if sweep.step else []
    if not values:
        raise ValueError("stands for no value at all")
    low, high, step = min(values), max(values), abs(sweep.step)
    if all(isinstance(value, int) for value in values):
        return IntDistribution(int(low), int(high), step=int(step))
    return FloatDistribution(low, high, step=float(step))


def _float(
    *, low: Number, high: Number, log: Flag = False, step: OptionalPositive = None
) -> BaseDistribution:
    return FloatDistribution(float(low), float(high), log=log, step=step)


def _int(*, low: Whole, high: Whole, log: Flag = False, step: OptionalWhole = None) -> BaseDistribution:
    return IntDistribution(low, high, log=log, step=1 if step is None else step)


def _categorical(*, choices: Choices) -> BaseDistribution:
    return CategoricalDistribution(list(dict.fromkeys(map(_typed, choices))))


KINDS: Mapping[str, Callable[..., BaseDistribution]] = {
    "float": _float,
    "int": _int,
    "categorical": _categorical,
}


def _of_mapping(key: str, entry: Any) -> BaseDistribution:
    values = OmegaConf.to_container(entry) if OmegaConf.is_config(entry) else entry
    name = f"hydra.sweeper.search_space.{key}"
    if not isinstance(values, dict):
        raise ConfigError(f"{name}={shown(values)}: must be a section with type, and low and high or choices")
    settings = {str(word): value for word, value in values.items()}
    kind = settings.pop("type", None)
    if kind not in KINDS:
        raise ConfigError(f"{name}.type={shown(kind)}: must be one of {', '.join(KINDS)}")
    check_arguments(KINDS[kind], settings, name)
    with naming(name), catch_warnings():
        simplefilter("ignore")  # the last step may end below high
        return KINDS[kind](**settings)


def _typed(value: Any) -> str:
    """Returns a value as Hydra reads it back; a text is taken as it stands."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_typed, value))}]"
    return repr(float(value)) if isinstance(value, float) else str(value)
