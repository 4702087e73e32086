"""What a command would do: which jobs it would train, train again, or skip because they are done."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from initlab.errors import InitlabError
from initlab.sweeps.control import without_control
from initlab.sweeps.job_folder import as_hydra_config, own_part
from initlab.sweeps.sweep_job import SweepJob
from initlab.sweeps.task import tags_of

MOST_JOBS = 20  # named one by one


def tell(jobs: Sequence[SweepJob], done: Collection[int]) -> None:
    """Prints what would be done with jobs, of which those with the numbers ``done`` are known to be done."""
    plans = {job.number: "skip" if job.number in done else _plan(job) for job in jobs}
    counts = [
        f"{len(some):,} {words}"
        for kind, words in (("train", "to train"), ("again", "to train again"), ("skip", "done before"))
        if (some := [number for number, plan in plans.items() if plan == kind])
    ]
    other = sum(plan not in ("train", "again", "skip") for plan in plans.values())
    print(f"{len(jobs):,} jobs: {', '.join([*counts, *([f'{other:,} other'] if other else [])])}.")
    for job in jobs[:MOST_JOBS]:
        print(f"  {plans[job.number]:6} {' '.join(job.overrides)}")
    if len(jobs) > MOST_JOBS:
        print(f"  … and {len(jobs) - MOST_JOBS:,} more")


def tell_of_one(cfg: DictConfig) -> None:
    """Prints what would be done with the job that Hydra runs now."""
    job: Any = HydraConfig.get()
    plan = plan_of(cfg, tags_of(job, job.mode == RunMode.MULTIRUN), Path(job.runtime.cwd))
    print(f"{plan:6} {' '.join(without_control(job.overrides.task))}".strip())


def _plan(job: SweepJob) -> str:
    whole = job.numbered()
    with as_hydra_config(whole):
        tags = tags_of(whole.hydra, True, job.variant)
        return plan_of(own_part(whole), tags, Path(whole.hydra.runtime.cwd))


def plan_of(cfg: DictConfig, tags: dict[str, str], folder: Path) -> str:
    """Returns what would be done with a job: ``train``, ``again``, ``skip``, or why it would not be."""
    from initlab.runs.claimed import claim_on
    from initlab.runs.job import build

    try:
        job = build(cfg, tags)
        claim = claim_on(job, folder) if cfg.resume else None
    except InitlabError as error:
        return f"fail ({error})"
    if claim is None:
        return "train"
    if claim.trained_by and not claim.finished:
        return f"wait (process {claim.trained_by.pid} on {claim.trained_by.host} trains it)"
    return "skip" if claim.finished else "again" if claim.over else "train"
