"""The search: trials are asked, trained as stacks, looked at and told, a batch at a time; then the best are
trained again with seeds that no trial has seen.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import optuna
from hydra.core.config_loader import ConfigLoader
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf
from optuna.trial import FrozenTrial, TrialState

from initlab.errors import ConfigError
from initlab.numerals import number, percent
from initlab.search.batch import BEHIND, Batch, jobs_of
from initlab.search.found import Candidate, Found
from initlab.search.jobs import Jobs, LaunchedJobs, validation_words
from initlab.search.judging import score_of
from initlab.search.settings import SearchSettings
from initlab.search.space import Space
from initlab.search.study import batches, ended, failed, open_study
from initlab.sweeps.control import without_control
from initlab.sweeps.task import JobFailed

LARGEST_SEED = 2**32 - 1
Keep = Callable[[Found], None]


@dataclass(frozen=True)
class Plan:
    """What is to be searched, how, with which seeds; what a score is called, and whether it is a share."""

    settings: SearchSettings
    space: Space
    seeds: range
    fresh: range
    score: str
    classifies: bool

    @property
    def nothing_yet(self) -> Found:
        """What has been found before the first trial."""
        seeds, fresh = ([some.start, len(some)] for some in (self.seeds, self.fresh))
        return Found(self.settings.n_trials, seeds, fresh, self.score, self.classifies)

    def shown(self, value: float) -> str:
        """Returns a score as text."""
        return percent(value) if self.classifies else number(value)


def search(
    config: DictConfig, loader: ConfigLoader, launcher: Launcher, settings: SearchSettings, space: Space
) -> None:
    """Searches, and leaves the study and what it has found in the sweep's folder.

    Raises ConfigError for what cannot be searched, before anything is trained, and JobFailed at the end where
    trials have failed.
    """
    jobs = LaunchedJobs(config, loader, launcher)
    plan = _plan(jobs, settings, space)
    if config.get("dry_run"):
        print(_would(plan))
        return
    jobs.folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, jobs.folder / "multirun.yaml")
    study = open_study(jobs.folder, settings)
    _check_same(study, plan)

    def keep(found: Found) -> None:
        found.write(jobs.folder)
        if found.ended or found.failed:
            print(_progress(found, plan), flush=True)

    errors = run_trials(study, jobs, plan, keep)
    replace(found_of(study, plan), best=refreshed(study, jobs, plan)).write(jobs.folder)
    if errors:
        raise JobFailed(errors[0])


def run_trials(study: optuna.Study, jobs: Jobs, plan: Plan, keep: Keep = lambda found: None) -> list[str]:
    """Runs the trials that are missing; returns what those that failed, failed of. Gives ``keep`` what has
    been found, before the first batch and after each.
    """
    batch, errors = Batch(study, jobs, plan.settings), list[str]()
    keep(found_of(study, plan))
    for trials in batches(study, plan.settings, plan.space):
        errors += batch.run(trials, plan.space, plan.seeds)
        keep(found_of(study, plan))
    return errors


def best_of(study: optuna.Study, count: int) -> list[FrozenTrial]:
    """Returns so many trials of the best values, the first of equals first, each with other settings."""
    whole = [one for one in ended(study) if one.state == TrialState.COMPLETE]
    different = [one for one in whole if "same_as" not in one.user_attrs]
    return sorted(different, key=lambda one: -_value(one))[:count]


def refreshed(study: optuna.Study, jobs: Jobs, plan: Plan) -> list[Candidate]:
    """Returns the best settings with the scores of fresh seeds, which are trained for that."""
    best = candidates_of(study, plan)
    wanted = [job for one in best for job in jobs_of([*plan.space.fixed, *one.overrides], plan.fresh)]
    if not wanted:
        return best
    print(f"{_best(len(best))} again, with fresh seeds: {len(plan.fresh)} each.", flush=True)
    came = iter(jobs.train(wanted))
    found = []
    for one in best:
        summaries = [outcome.summary for outcome in (next(came) for _ in plan.fresh) if outcome.summary]
        validation, test = ([score_of(each, part) for each in summaries] for part in ("validation", "test"))
        found.append(replace(one, validation=validation, test=test))
    return found


def candidates_of(study: optuna.Study, plan: Plan) -> list[Candidate]:
    """Returns the best settings of a study, with the values of the search."""
    keys = len(plan.space.choices)
    return [
        Candidate(plan.space.overrides(one.params)[-keys:], one.number, _value(one))
        for one in best_of(study, plan.settings.best)
    ]


def found_of(study: optuna.Study, plan: Plan) -> Found:
    """Returns what has been found so far, with the values of the search alone."""
    there = ended(study)
    whole = [one for one in there if one.state == TrialState.COMPLETE]
    pruned = Counter(one.user_attrs["pruned"] for one in there if one.state == TrialState.PRUNED)
    made = [one.user_attrs["iterations"] for one in there if "iterations" in one.user_attrs]
    return replace(
        plan.nothing_yet,
        whole=len(whole),
        different=sum("same_as" not in one.user_attrs for one in whole),
        behind=pruned.pop(BEHIND, 0),
        diagnosed=dict(pruned),
        failed=len(failed(study)),
        saved=1 - sum(done for done, _ in made) / sum(all_of for _, all_of in made) if made else 0.0,
        best=candidates_of(study, plan),
    )


def _value(trial: FrozenTrial) -> float:
    assert trial.value is not None
    return trial.value


def _plan(jobs: LaunchedJobs, settings: SearchSettings, space: Space) -> Plan:
    """Returns what is to be done; raises an error where a choice cannot be composed, or the job not built."""
    for sample in space.samples():
        jobs.config(sample)
    added = validation_words(jobs.config(space.samples()[0]).dataset)
    for word in added:
        print(f"{word}: examples to choose by{_taken(word)}.", flush=True)
    space = replace(space, fixed=[*space.fixed, *added])
    job = jobs.built(space.samples()[0])
    seeds = range(job.settings.seed, job.settings.seed + settings.seeds)
    fresh = range(seeds.stop, seeds.stop + settings.fresh_seeds)
    if fresh.stop - 1 > LARGEST_SEED:
        needed = len(seeds) + len(fresh)
        raise ConfigError(f"seed={seeds.start}: must leave {needed} seeds up to {LARGEST_SEED}")
    rules = job.network.output
    return Plan(settings, space, seeds, fresh, rules.score_label, rules.classifies)


def _taken(word: str) -> str:
    return ", taken out of the training part" if "share" in word else ", drawn beside the others"


def _would(plan: Plan) -> str:
    trials, seeds = plan.settings.n_trials, len(plan.seeds)
    said = f"{trials} trials of {seeds} seeds to train, {trials * seeds} jobs at most"
    if not plan.fresh:
        return f"{said}."
    return f"{said}. {_best(plan.settings.best)} again, with fresh seeds: {len(plan.fresh)} each."


def _best(count: int) -> str:
    return "The best setting" if count == 1 else f"The best {count} settings"


def _check_same(study: optuna.Study, plan: Plan) -> None:
    """Raises ConfigError where a study that was begun before is about something else."""
    about = {
        "hydra.sweeper.seeds": len(plan.seeds),
        "seed": plan.seeds.start,
        "rungs": plan.settings.shares,
        "overrides": without_control(plan.space.fixed),
        "search space": {key: repr(choice) for key, choice in plan.space.choices.items()},
    }
    for name, value in about.items():
        before = study.user_attrs.get(name, value)
        if before != value:
            raise ConfigError(f"{name}={value}: the search that was begun has {before}; begin another one")
        study.set_user_attr(name, value)


def _progress(found: Found, plan: Plan) -> str:
    done = f"{found.ended + found.failed:,} of {found.wanted:,} trials, {found.ended - found.whole:,} pruned"
    if not found.best:
        return f"{done}; none has come to its end."
    best = found.best[0]
    return f"{done}; the best is trial {best.trial}, {plan.shown(best.value)}."
