"""Planning a sweep: what sets its jobs apart, which of them go together, which are shown on its sheet."""

import re
from collections import deque
from collections.abc import Sequence
from typing import Any

from initlab.signals import check
from initlab.sweeps.compose import Composer
from initlab.sweeps.control import without_control
from initlab.sweeps.group import JobGroup
from initlab.sweeps.sweep_job import SweepJob

LARGEST_GROUP = 32  # as many small networks as train fastest together, see `make bench`
SMALLEST_GROUP = 8  # smaller stacks would lose more than another process wins
OF_START = ("init=", "init._target_=")


def jobs_of(composer: Composer, overrides: Sequence[list[str]], first_number: int) -> list[SweepJob]:
    """Returns the jobs that the overrides describe, numbered from first_number."""
    own = variants([without_control(job) for job in overrides])
    numbered = enumerate(zip(overrides, own, strict=True), first_number)
    return [_job(composer, number, job, variant) for number, (job, variant) in numbered]


def _job(composer: Composer, number: int, overrides: list[str], variant: str) -> SweepJob:
    check()
    return SweepJob(number, without_control(overrides), composer.recipe(overrides), variant)


def variants(overrides: Sequence[Sequence[str]]) -> list[str]:
    """Returns for each job the overrides, but for start and seed, that set it apart: 'learning_rate=0.1'."""
    settings = [dict(override.partition("=")[::2] for override in job) for job in overrides]
    keys = dict.fromkeys(key for job in settings for key in job if f"{key}=" not in (*OF_START, "seed="))
    varied = [key for key in keys if len({job.get(key) for job in settings}) > 1]
    return [" ".join(f"{key.split('.')[-1]}={job[key]}" for key in varied if key in job) for job in settings]


def groups_of(
    jobs: Sequence[SweepJob], processes: int, callbacks: Any = None, stamp: str | None = None
) -> deque[JobGroup]:
    """Returns the jobs in groups: those that look alike together, and enough for all processes."""
    alike: dict[tuple[str, ...], list[SweepJob]] = {}
    for job in jobs:
        alike.setdefault(_what_keeps_apart(job.overrides), []).append(job)
    groups: deque[JobGroup] = deque()
    for some in alike.values():
        size = max(SMALLEST_GROUP, min(LARGEST_GROUP, -(-len(some) // processes)))
        groups += [JobGroup(some[i : i + size], callbacks, stamp) for i in range(0, len(some), size)]
    return groups


def _what_keeps_apart(overrides: Sequence[str]) -> tuple[str, ...]:
    """Returns the overrides but those in which the runs of a stack may differ."""
    free = re.compile(r"(init|seed|dataset\.seed|init\..*|optimizer\..*)=")
    return tuple(override for override in overrides if not free.match(override))
