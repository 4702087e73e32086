"""The study of a search: Optuna's record of its trials, in the sweep's folder, asked and told.

A sampler of its own seed draws each trial, so that a study that was broken off goes on as it would have gone.
What was under way then, or had failed, is asked again, with the same parameters.
"""

import math
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy import NullPool

from initlab.search.settings import SearchSettings
from initlab.search.space import Space

FILE = "study.db"
KEPT = 3  # of how many trials at a rung successive halving keeps one
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
AGAIN = "tried again"  # has the number of the trial that failed and is asked again as this one


class Halving(BasePruner):
    """Keeps the best third of the trials that have come to a rung, those of the present batch among them.

    Li et al. 2020, 'A system for massively parallel hyperparameter tuning'. Optuna's own takes trials one
    after another, and would always keep the first of a batch.
    """

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Returns whether a trial is behind at the rung for which it has reported last."""
        at = trial.last_step
        if at is None:
            return False
        there = [
            each.intermediate_values[at]
            for each in study.get_trials(deepcopy=False)
            if at in each.intermediate_values and each.state != TrialState.FAIL
        ]
        return trial.intermediate_values[at] < sorted(there, reverse=True)[math.ceil(len(there) / KEPT) - 1]


def open_study(folder: Path, settings: SearchSettings) -> optuna.Study:
    """Returns the study of a sweep's folder, a new one where there is none; what a process left under way,
    and what had failed, waits to be asked again.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=stored(folder / FILE),
        study_name=folder.name,
        pruner=pruner_of(settings),
        direction="maximize",
        load_if_exists=True,
    )
    take_up(study)
    return study


def stored(file: Path) -> RDBStorage:
    """Returns the storage of a study in a SQLite file, which is open only while something reads or writes."""
    return RDBStorage(f"sqlite:///{file}", engine_kwargs={"poolclass": NullPool})


def take_up(study: optuna.Study) -> None:
    """Lets what was under way when a search was broken off, and what had failed, wait to be asked again."""
    for left in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(left.number, state=TrialState.FAIL)
        study.enqueue_trial(left.params)
    for one in failed(study):
        study.enqueue_trial(one.params, user_attrs={AGAIN: one.number})


def pruner_of(settings: SearchSettings) -> BasePruner:
    """Returns what says which trials are behind at a rung."""
    pruners: dict[str, type[BasePruner]] = {"median": MedianPruner, "halving": Halving, "none": NopPruner}
    return pruners[settings.pruner]()


def batches(study: optuna.Study, settings: SearchSettings, space: Space) -> Iterator[list[Trial]]:
    """Yields the trials to do, a batch at a time, until there are so many as are wanted; the first may be the
    rest of a batch that was broken off.

    Each batch must have been told when the next is asked for. One of which all trials failed is the last,
    unless all had failed before.
    """
    while (done := len(ended(study)) + len(failed(study))) < settings.n_trials:
        until = min(settings.n_trials, done + settings.batch - done % settings.batch)
        before = len(ended(study))
        trials = [_ask(study, settings, space, place) for place in range(done, until)]
        yield trials
        if len(ended(study)) == before and not all(AGAIN in one.user_attrs for one in trials):
            return


def ended(study: optuna.Study) -> list[FrozenTrial]:
    """Returns the trials that went to their end or were pruned, in the order in which they were asked."""
    return study.get_trials(deepcopy=False, states=ENDED)


def failed(study: optuna.Study) -> list[FrozenTrial]:
    """Returns the trials that failed, those left out that were asked again or were broken off."""
    there = study.get_trials(deepcopy=False)
    again = {one.user_attrs.get(AGAIN) for one in there}
    fallen = [one for one in there if one.state == TrialState.FAIL and "failed" in one.user_attrs]
    return [one for one in fallen if one.number not in again]


def _ask(study: optuna.Study, settings: SearchSettings, space: Space, place: int) -> Trial:
    study.sampler = _sampler(settings, place)
    return study.ask(dict(space.choices))


def _sampler(settings: SearchSettings, place: int) -> BaseSampler:
    """Returns what draws the trial of a place, with a seed for that place."""
    seed = int(np.random.SeedSequence([settings.seed, place]).generate_state(1)[0])
    if settings.sampler == "random":
        return RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(seed=seed, constant_liar=True)  # so that a batch's trials keep apart
