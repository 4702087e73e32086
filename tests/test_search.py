"""A search: what its trials are worth, when they are pruned, and that a broken one goes on."""

import statistics
from collections.abc import Callable
from functools import cache

import optuna
import pytest
from optuna.trial import TrialState
from test_answer import run

from initlab.errors import ConfigError
from initlab.runs.outcome import Outcome
from initlab.search.judging import fatal, score_of, value_of
from initlab.search.search import Plan, found_of, refreshed, run_trials
from initlab.search.settings import SearchSettings, settings_of
from initlab.search.space import read_space
from initlab.search.study import ended, open_study, pruner_of, stored, take_up
from initlab.verdicts import Finding

ITERATIONS = 200
SEEDS = range(3, 8)
RATE = "optimizer.learning_rate"


class BrokenError(Exception):
    """A process that ends in the middle."""


class Trainer:
    """Trains nothing: the score of a job is ``score(values, seed)``, of which it has a share on its way.

    Its launch number ``breaks_at`` never comes back; ``diagnosis`` is that of every job; ``fails`` says of
    which values jobs fail.
    """

    def __init__(
        self, score: Callable, breaks_at: int = -1, diagnosis: str = "", fails: Callable = lambda _: 0
    ):
        self.score, self.breaks_at, self.diagnosis, self.fails = score, breaks_at, diagnosis, fails
        self.launches: list[list[list[str]]] = []
        self.forgotten: list[list[str]] = []

    def train(self, jobs):
        if len(self.launches) == self.breaks_at:
            raise BrokenError
        self.launches.append([list(job) for job in jobs])
        return [self._outcome(job) for job in jobs]

    def iterations(self, job):
        return ITERATIONS

    def forget(self, jobs):
        self.forgotten += jobs

    def _outcome(self, job):
        values = dict(word.partition("=")[::2] for word in job)
        if self.fails(values):
            return Outcome(job, error="it is broken")
        seed, (_, end) = int(values["seed"]), stretch_of(job)
        score = self.score(values, seed)
        share = None if score is None else score * end / ITERATIONS
        outcome = run(share, seed, validation=share)
        found = [Finding(self.diagnosis, "So it is.")] if self.diagnosis else []
        vars(outcome.summary).update(diagnosis=found)
        return outcome

    @property
    def jobs(self):
        return [job for launch in self.launches for job in launch]

    @property
    def iterations_trained(self):
        return sum(end - begin for begin, end in map(stretch_of, self.jobs))


def stretch_of(job):
    [*_, stretch] = ["", *(word for word in job if word.startswith("stretch="))]
    return eval(stretch.partition("=")[2] or f"[0,{ITERATIONS}]")


def rate_of(values):
    return float(values[RATE])


def peak(values, seed):
    """A score with its best at 0.3, and some luck of the seeds."""
    return max(0.0, 0.9 - abs(rate_of(values) - 0.3)) - 0.01 * (seed % 3)


def plan_of(*words, seeds=SEEDS, fresh=range(8, 15), **changes):
    defaults = {
        "n_trials": 17, "batch": 5, "seeds": len(seeds), "sampler": "tpe", "pruner": "median",
        "rungs": (10, 30), "diagnoses": ("diverged", "saturated start"), "best": 2, "seed": 0,
        "fresh_seeds": len(fresh),
    }  # fmt: skip
    space = read_space({}, {}, words or [f"{RATE}=interval(0,1)", "init=he"])
    return Plan(SearchSettings(**{**defaults, **changes}), space, seeds, fresh, "accuracy", True)


def searched(trainer, plan=None, study=None):
    """The study of a search, a new one in memory unless one is to go on."""
    plan = plan or plan_of()
    study = study or new_study(plan.settings.pruner)
    run_trials(study, trainer, plan)
    return study


def new_study(pruner):
    return optuna.create_study(direction="maximize", pruner=pruner_of(plan_of(pruner=pruner).settings))


@cache
def undisturbed(pruner):
    return searched(Trainer(peak), plan_of(pruner=pruner))


def told(study):
    """What a study holds of each trial that ended, but for its number."""
    return [
        (one.params[RATE], one.value, one.state, tuple(one.intermediate_values.items()))
        for one in ended(study)
    ]


def test_the_value_of_a_trial_is_the_median_of_its_seeds():
    trainer = Trainer(peak)
    study = searched(trainer, plan_of(pruner="none"))
    assert len(study.trials) == 17
    for trial in study.trials:
        scores = [peak({RATE: trial.params[RATE]}, seed) for seed in SEEDS]
        assert trial.value == pytest.approx(statistics.median(scores), abs=1e-12)
        rungs = {10: 0.1 * trial.value, 30: 0.3 * trial.value}
        assert trial.intermediate_values == pytest.approx(rungs, abs=1e-12)


@pytest.mark.parametrize(("output", "worst"), [("sigmoid", 0.0), ("linear", -float("inf"))])
def test_a_seed_that_diverged_counts_as_the_worst(output, worst):
    summaries = [run(score, 1, output=output, validation=score).summary for score in (0.5, None, 0.75, None)]
    assert [score_of(one, "validation") for one in summaries] == [0.5, worst, 0.75, worst]
    assert value_of(summaries[:3]) == 0.5
    assert value_of(summaries[1:]) == worst


def test_trials_of_a_batch_train_together_from_rung_to_rung():
    trainer = Trainer(peak)
    searched(trainer, plan_of(n_trials=5, pruner="none"))
    assert [len(launch) for launch in trainer.launches] == [5 * len(SEEDS)] * 3
    assert [{tuple(stretch_of(job)) for job in launch} for launch in trainer.launches] == [
        {(0, 20)}, {(20, 60)}, {(60, 200)},
    ]  # fmt: skip
    assert ["tracking.uri=null" in launch[0] for launch in trainer.launches] == [True, True, False]
    assert all("init=he" in job for job in trainer.jobs)


def test_without_rungs_a_job_is_trained_at_once():
    trainer = Trainer(peak)
    searched(trainer, plan_of(n_trials=5, rungs=()))
    assert not any(word.startswith(("stretch", "tracking")) for job in trainer.jobs for word in job)


@pytest.mark.parametrize("pruner", ["median", "halving"])
def test_pruned_trials_are_not_trained_further(pruner):
    trainer, plan = Trainer(peak), plan_of(pruner=pruner)
    study = searched(trainer, plan)
    pruned = [one for one in study.trials if one.state == TrialState.PRUNED]
    assert pruned
    for trial in pruned:
        word = f"{RATE}={trial.params[RATE]!r}"
        ends = {stretch_of(job)[1] for job in trainer.jobs if word in job}
        assert max(ends) == {10: 20, 30: 60}[max(trial.intermediate_values)]
        assert sum(word in job for job in trainer.forgotten) == len(SEEDS)
    whole = ITERATIONS * len(SEEDS) * len(study.trials)
    assert found_of(study, plan).saved == pytest.approx(1 - trainer.iterations_trained / whole)
    assert trainer.iterations_trained < whole


def test_the_median_pruner_prunes_who_is_below_the_median_of_those_that_ended():
    study = searched(Trainer(peak))
    for trial in study.trials[5:]:  # the first batch has nothing to be compared with
        before = [one for one in study.trials[: 5 * (trial.number // 5)] if one.state == TrialState.COMPLETE]
        behind = any(
            max(v for s, v in trial.intermediate_values.items() if s <= step)
            < statistics.median(one.intermediate_values[step] for one in before)
            for step in trial.intermediate_values
        )
        assert behind == (trial.state == TrialState.PRUNED)


def test_halving_keeps_the_best_third_of_the_first_batch_too():
    plan = plan_of(n_trials=9, batch=9, rungs=(10,), pruner="halving", sampler="random")
    study = searched(Trainer(peak), plan)
    best = sorted(study.trials, key=lambda one: -one.intermediate_values[10])[:3]
    whole = {one.number for one in study.trials if one.state == TrialState.COMPLETE}
    assert whole == {one.number for one in best}


def test_more_than_half_of_the_seeds_with_a_diagnosis_end_a_trial():
    def seeds(ill, well):
        sick, sound = run(0.5, 1).summary, run(0.5, 1).summary
        vars(sick).update(diagnosis=[Finding("saturated start", "So it is.")])
        return [sick] * ill + [sound] * well

    assert fatal(seeds(3, 2), ["saturated start"]) == "saturated start"
    assert fatal(seeds(2, 2), ["saturated start"]) is None
    assert fatal(seeds(5, 0), ["diverged"]) is None
    assert fatal([run(None, 1).summary] * 2 + seeds(1, 0), ["saturated start", "diverged"]) == "diverged"


def test_a_diagnosis_ends_a_trial_at_the_first_rung():
    trainer, plan = Trainer(peak, diagnosis="saturated start"), plan_of(n_trials=5)
    study = searched(trainer, plan)
    assert {stretch_of(job)[1] for job in trainer.jobs} == {20}
    found = found_of(study, plan)
    assert (found.diagnosed, found.whole, found.behind, found.best) == ({"saturated start": 5}, 0, 0, [])
    assert found.saved == pytest.approx(0.9)


def test_a_diagnosis_that_is_not_among_those_ends_nothing():
    plan = plan_of(n_trials=5, diagnoses=("diverged",))
    study = searched(Trainer(peak, diagnosis="saturated start"), plan)
    assert found_of(study, plan).whole == 5


def test_diverged_trials_are_pruned_with_the_worst_value():
    trainer = Trainer(lambda values, seed: None if rate_of(values) > 0.5 else peak(values, seed))
    study = searched(trainer)
    diverged = [one for one in study.trials if one.params[RATE] > 0.5]
    assert diverged
    assert {(one.state, one.value, one.user_attrs["pruned"]) for one in diverged} == {
        (TrialState.PRUNED, 0.0, "diverged")
    }


def test_equal_settings_are_trained_once_and_told_alike():
    trainer = Trainer(lambda values, seed: {"he": 0.9, "zeros": 0.5}[values["init"]])
    plan = plan_of("init=he,zeros", n_trials=12)
    study = searched(trainer, plan)
    assert len({tuple(job) for job in trainer.jobs}) == len(trainer.jobs)
    found = found_of(study, plan)
    assert (found.whole, found.different, found.best[0].value) == (12, 2, 0.9)
    assert [one.overrides for one in found.best] == [["init=he"], ["init=zeros"]]


def test_the_like_of_what_is_pruned_or_fails_is_told_so():
    trainer = Trainer(lambda values, seed: None, fails=lambda values: values["init"] == "he")
    plan = plan_of("init=he,zeros", n_trials=5)
    study = searched(trainer, plan)
    found = found_of(study, plan)
    number = {init: sum(one.params["init"] == init for one in study.trials) for init in ("he", "zeros")}
    assert min(number.values()) > 0
    assert (found.failed, found.diagnosed) == (number["he"], {"diverged": number["zeros"]})
    assert len(trainer.jobs) == 2 * len(SEEDS)


def test_a_study_follows_from_its_seed():
    first, again, other = (told(searched(Trainer(peak), plan_of(seed=seed))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("breaks_at", [0, 1, 4, 5, 9])
@pytest.mark.parametrize("pruner", ["median", "halving"])
def test_a_broken_search_goes_on_as_it_would_have_gone(breaks_at, pruner):
    plan, study = plan_of(pruner=pruner), new_study(pruner)
    with pytest.raises(BrokenError):
        searched(Trainer(peak, breaks_at), plan, study)
    done = len(ended(study))
    take_up(study)
    trainer = Trainer(peak)
    assert sorted(told(searched(trainer, plan, study))) == sorted(told(undisturbed(pruner)))
    begun = {tuple(job) for job in trainer.jobs if "stretch=[0,20]" in job}
    assert len(begun) == (17 - done) * len(SEEDS)


def test_what_a_killed_process_left_is_taken_up_from_the_folder(tmp_path):
    plan = plan_of()
    with pytest.raises(BrokenError):
        searched(Trainer(peak, 4), plan, open_study(tmp_path, plan.settings))
    study = searched(Trainer(peak), plan, open_study(tmp_path, plan.settings))
    assert sorted(told(study)) == sorted(told(undisturbed("median")))
    seen = optuna.load_study(study_name=None, storage=stored(tmp_path / "study.db"))
    assert seen.best_params == study.best_params
    assert {one.user_attrs["iterations"][1] for one in ended(seen)} == {ITERATIONS}


def test_more_trials_go_on_where_fewer_ended():
    study = searched(Trainer(peak), plan_of(n_trials=10))
    assert told(searched(Trainer(peak), plan_of(n_trials=17), study)) == told(undisturbed("median"))


def test_a_failed_job_fails_its_trial_alone():
    trainer, plan = Trainer(peak, fails=lambda values: rate_of(values) > 0.7), plan_of()
    study = new_study("median")
    errors = run_trials(study, trainer, plan)
    found = found_of(study, plan)
    assert set(errors) == {"it is broken"}
    assert len(errors) == found.failed == sum(one.params[RATE] > 0.7 for one in study.trials)
    assert found.failed + found.ended == len(study.trials) == 17


def test_a_resumed_search_tries_again_what_had_failed(tmp_path):
    plan = plan_of()
    searched(Trainer(peak, fails=lambda values: True), plan, open_study(tmp_path, plan.settings))
    assert found_of(open_study(tmp_path, plan.settings), plan).failed == 0  # they wait
    study = searched(Trainer(peak), plan, open_study(tmp_path, plan.settings))
    assert told(study) == told(undisturbed("median"))
    assert found_of(study, plan).failed == 0
    rates = [one.params[RATE] for one in study.trials]
    assert rates[:5] == rates[5:10]
    assert len(rates) == 5 + 17


def test_what_fails_again_is_a_failure_once(tmp_path):
    plan, broken = plan_of(), lambda values: rate_of(values) > 0.7
    for _ in range(2):
        trainer = Trainer(peak, fails=broken)
        study = searched(trainer, plan, open_study(tmp_path, plan.settings))
        found = found_of(study, plan)
        assert found.failed > 0
        assert found.failed + found.ended == 17
    assert all(broken(dict(word.partition("=")[::2] for word in job)) for job in trainer.jobs)


def test_a_search_ends_when_a_whole_batch_fails():
    trainer = Trainer(peak, fails=lambda values: True)
    study = searched(trainer)
    assert len(study.trials) == 5
    assert len(trainer.launches) == 1
    assert found_of(study, plan_of()).saved == 0  # nothing was pruned


def test_fresh_seeds_are_in_no_trial_and_not_in_their_values():
    trainer, plan = Trainer(peak), plan_of()
    study = searched(trainer, plan)
    tried = {word for job in trainer.jobs for word in job if word.startswith("seed=")}
    trainer.launches.clear()
    best = refreshed(study, trainer, plan)
    again = [word for job in trainer.jobs for word in job if word.startswith("seed=")]
    assert tried == {f"seed={seed}" for seed in SEEDS}
    assert again == [f"seed={seed}" for seed in range(8, 15)] * 2
    assert best[0].value == study.best_value
    for one in best:
        values = dict(word.partition("=")[::2] for word in one.overrides)
        assert list(one.validation) == [pytest.approx(peak(values, seed)) for seed in range(8, 15)]


@pytest.mark.parametrize(("key", "value", "right"), [
    ("n_trials", 0, "a whole number of at least 1"), ("sampler", "cmaes", "one of tpe, random"),
    ("pruner", "hyperband", "one of median, halving, none"),
    ("fresh_seeds", -1, "a whole number of at least 0"),
    ("rungs", [0.1], "a list of whole numbers from 1 to 99, such as [10, 30]"),
    ("diagnoses", ["sick"], "a list of causes that a diagnosis names, such as [diverged]"),
])  # fmt: skip
def test_a_wrong_setting_names_its_key(key, value, right):
    class Hydra:
        launcher = {"until": None}  # noqa: RUF012

    values = {**vars(plan_of().settings), key: value}
    with pytest.raises(ConfigError) as caught:
        settings_of({name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}, Hydra)
    assert str(caught.value).startswith(f"hydra.sweeper.{key}=")
    assert f"must be {right}" in str(caught.value)
