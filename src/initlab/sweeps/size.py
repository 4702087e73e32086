"""How many jobs a sweep has, counted before any of them is made."""

from math import ceil, isfinite, prod

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, RangeSweep
from omegaconf import DictConfig

from initlab.errors import ConfigError
from initlab.memory import in_words, machine_bytes
from initlab.sweeps.control import is_search
from initlab.sweeps.hydra_private import plain

BYTES_OF_A_JOB = 3000  # its overrides, its recipe and its outcome, before it is trained


def check_size(config: DictConfig, loader: ConfigLoader) -> None:
    """Raises ConfigError for a sweep that has no job at all, or more than this machine can list; a search is
    told how many it may have.
    """
    sweeper = config.hydra.sweeper
    if is_search(config.hydra):
        return
    batch = sweeper.get("max_batch_size")
    if batch is not None and batch < 1:
        raise ConfigError(
            f"hydra.sweeper.max_batch_size={batch}: must be null or a whole number of at least 1"
        )
    params = [f"{key}={value}" for key, value in (plain(sweeper.get("params")) or {}).items()]
    words = [*params, *plain(config.hydra.overrides.task)]
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(words)
    counts = {one.get_key_element(): _count(one) for one in parsed}  # of two with one key, the later counts
    empty = [one for one in parsed if counts[one.get_key_element()] == 0]
    if empty:
        raise ConfigError(f"{empty[0].input_line}: stands for no value at all, so the sweep has no jobs")
    jobs, has = prod(counts.values()), machine_bytes()
    if has is not None and jobs * BYTES_OF_A_JOB > has:
        raise ConfigError(
            f"the sweep has {jobs:,} jobs, which need {in_words(jobs * BYTES_OF_A_JOB)} of memory; "
            f"this machine has {in_words(has)}"
        )


def _count(override: Override) -> int:
    """Returns how many values an override stands for; 1 where another sweeper than Hydra's own chooses."""
    if not override.is_discrete_sweep():
        return 1
    sweep = override.value()
    if not isinstance(sweep, RangeSweep):
        return sum(1 for _ in override.sweep_iterator())
    start, stop, step = (float(edge) for edge in (sweep.start or 0, sweep.stop or 0, sweep.step))
    if step == 0 or not all(map(isfinite, (start, stop, step))):
        raise ConfigError(f"{override.input_line}: has no end")
    return max(0, ceil((stop - start) / step))
