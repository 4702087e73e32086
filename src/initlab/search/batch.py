"""A batch of trials that train together from rung to rung: there each is looked at, and some are pruned."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from initlab.runs.outcome import Outcome
from initlab.runs.summary import Summary
from initlab.search.jobs import Jobs
from initlab.search.judging import fatal, value_of
from initlab.search.settings import SearchSettings
from initlab.search.space import Space
from initlab.search.study import ended

UNTRACKED = "tracking.uri=null"
BEHIND = "behind"


@dataclass
class Runner:
    """A trial under way: a job for each of its seeds, how many iterations these have, and how many are
    done.
    """

    trial: Trial
    jobs: Sequence[Sequence[str]]
    iterations: int
    done: int = 0

    def rung(self, share: int) -> int:
        """Returns after how many iterations so many percent of the training are done."""
        return math.ceil(self.iterations * share / 100)

    def stretch(self, to: int) -> list[list[str]]:
        """Returns the jobs of its next stretch. A run is kept when it is whole."""
        words = [] if (self.done, to) == (0, self.iterations) else [f"stretch=[{self.done},{to}]"]
        words += [UNTRACKED] if to < self.iterations else []
        return [[*job, *words] for job in self.jobs]


class Batch:
    """Trials that are asked together, and what they need to be trained and told."""

    def __init__(self, study: optuna.Study, jobs: Jobs, settings: SearchSettings) -> None:
        self._study, self._jobs, self._settings = study, jobs, settings

    def run(self, trials: Sequence[Trial], space: Space, seeds: Sequence[int]) -> list[str]:
        """Trains trials and tells the study of each; returns what those that failed, failed of. Of trials
        with equal settings one is trained, and none where one has ended before.
        """
        known = {_key(one): one.number for one in reversed(ended(self._study))}
        runners, twins = list[Runner](), list[tuple[Trial, int]]()
        for trial in trials:
            if (number := known.setdefault(_key(trial), trial.number)) == trial.number:
                jobs = jobs_of(space.overrides(trial.params), seeds)
                runners.append(Runner(trial, jobs, self._jobs.iterations(jobs[0])))
            else:
                twins.append((trial, number))
        errors: list[str] = []
        for share in self._settings.shares:
            runners = self._climb(runners, share, errors)
        self._finish(runners, errors)
        for trial, number in twins:
            self._tell_as(trial, self._study.get_trials(deepcopy=False)[number])
        return errors

    def _climb(self, runners: Sequence[Runner], share: int, errors: list[str]) -> list[Runner]:
        """Trains to a rung; returns who goes on."""
        there = [one for one in runners if one.done < one.rung(share) < one.iterations]
        left: list[Runner] = []
        for one, summaries in self._train(there, [one.rung(share) for one in there], errors):
            one.trial.report(value_of(summaries), share)
            if name := fatal(summaries, self._settings.diagnoses):
                self._prune(one, name)
            else:
                left.append(one)
        behind = [one for one in left if one.trial.should_prune()]  # once all have reported
        for one in behind:
            self._prune(one, BEHIND)
        ended_here = [one for one in there if one not in left or one in behind]
        return [one for one in runners if one not in ended_here]

    def _finish(self, runners: Sequence[Runner], errors: list[str]) -> None:
        for one, summaries in self._train(runners, [one.iterations for one in runners], errors):
            self._keep_attributes(one)
            self._study.tell(one.trial, value_of(summaries))
            self._jobs.forget(one.jobs)

    def _train(
        self, runners: Sequence[Runner], to: Sequence[int], errors: list[str]
    ) -> list[tuple[Runner, list[Summary]]]:
        """Returns the trials with the summaries of their seeds, trained up to so many iterations; tells of
        those that failed, and leaves them out.
        """
        stretches = [one.stretch(end) for one, end in zip(runners, to, strict=True)]
        jobs = [job for stretch in stretches for job in stretch]
        came = iter(self._jobs.train(jobs) if jobs else ())
        trained: list[tuple[Runner, list[Summary]]] = []
        for one, end in zip(runners, to, strict=True):
            outcomes = [next(came) for _ in one.jobs]
            summaries = [outcome.summary for outcome in outcomes if outcome.summary]
            one.done = end
            if len(summaries) == len(outcomes):
                trained.append((one, summaries))
            else:
                errors.append(_error(outcomes))
                one.trial.set_user_attr("failed", errors[-1])
                self._study.tell(one.trial, state=TrialState.FAIL)
        return trained

    def _prune(self, one: Runner, why: str) -> None:
        one.trial.set_user_attr("pruned", why)
        self._keep_attributes(one)
        self._study.tell(one.trial, state=TrialState.PRUNED)
        self._jobs.forget(one.jobs)

    def _keep_attributes(self, one: Runner) -> None:
        one.trial.set_user_attr("iterations", [one.done, one.iterations])

    def _tell_as(self, trial: Trial, twin: FrozenTrial) -> None:
        """Tells of a trial what has come of another one with the same settings."""
        for step, value in twin.intermediate_values.items():
            trial.report(value, step)
        trial.set_user_attr("same_as", twin.number)
        for why in ("pruned", "failed"):
            if why in twin.user_attrs:
                trial.set_user_attr(why, twin.user_attrs[why])
        values = twin.values if twin.state == TrialState.COMPLETE else None
        self._study.tell(trial, values, state=twin.state)


def jobs_of(overrides: Sequence[str], seeds: Sequence[int]) -> list[list[str]]:
    """Returns a job for each seed."""
    own = [word for word in overrides if not word.startswith("seed=")]
    return [[*own, f"seed={seed}"] for seed in seeds]


def _key(trial: Trial | FrozenTrial) -> tuple[tuple[str, object], ...]:
    return tuple(sorted(trial.params.items()))


def _error(outcomes: Sequence[Outcome]) -> str:
    return next((str(one.error) for one in outcomes if one.error), "a job of it was stopped")
