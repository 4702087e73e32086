"""What a sweep answers, in numbers: each set of runs, each pair of entrants, and how sure that is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from initlab.report.entrants import (
    TUNABLE,
    Combination,
    Setting,
    combinations_of,
    median_value,
)
from initlab.runs.outcome import Outcome
from initlab.runs.summary import Summary
from initlab.statistics import Pair, Ranking, Specifications, average_ranks, compare_pairs, specifications


@dataclass(frozen=True)
class Contest:
    """The entrants of one setting, compared pair by pair."""

    setting: Setting
    combinations: Mapping[str, Combination]
    pairs: Sequence[Pair]

    @property
    def decided(self) -> bool:
        """Whether every pair is decided."""
        return all(pair.verdict != "undecided" for pair in self.pairs)


@dataclass(frozen=True)
class Answer:
    """What a sweep answers.

    ``by`` says what runs are judged by: ``score``, that of the test examples, or ``cost``, the final one. Two
    entrants whose difference lies within ``equal_within`` are practically equal: a difference of scores or,
    of costs, of their natural logarithms, so that 0.01 is 1 % of either.
    """

    by: str
    equal_within: float
    combinations: Sequence[Combination]
    contests: Sequence[Contest]
    chosen: Contest | None

    @property
    def entrants(self) -> list[str]:
        """What is compared, in the order of the jobs."""
        return list(dict.fromkeys(one.entrant for one in self.combinations))

    @property
    def runs(self) -> list[Summary]:
        """All finished runs."""
        return [run for one in self.combinations for run in one.runs]

    @property
    def decided(self) -> bool:
        """Whether every pair of entrants is decided in every setting; True where there are no pairs."""
        return all(contest.decided for contest in self.contests)

    @property
    def headline(self) -> Contest | None:
        """The one contest that answers for the sweep: the only one, or that of the settings chosen by
        validation; None where there are several.
        """
        return self.chosen or (self.contests[0] if len(self.contests) == 1 else None)

    @cached_property
    def ranking(self) -> Ranking | None:
        """The average ranks of the entrants by their medians, over the settings that all of them have; None
        where fewer than two settings have all, or there is but one entrant.
        """
        whole = [contest for contest in self.contests if len(contest.combinations) == len(self.entrants)]
        if len(whole) < 2 or len(self.entrants) < 2:
            return None
        return average_ranks(
            {
                name: [median_value(contest.combinations[name], self.by) for contest in whole]
                for name in self.entrants
            }
        )

    def specifications(self, first: str, second: str) -> Specifications:
        """Returns how two entrants compare in every setting that both have."""
        pairs = {
            contest.setting: pair
            for contest in self.contests
            for pair in contest.pairs
            if {first, second} == {pair.first, pair.second}
        }
        return specifications(pairs, first)

    @cached_property
    def diagnoses(self) -> dict[str, list[Summary]]:
        """The runs with each verdict of the diagnosis, the most frequent first."""
        found: dict[str, list[Summary]] = {}
        for run in self.runs:
            for name, _ in run.diagnosis:
                found.setdefault(name, []).append(run)
        return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def answer_of(outcomes: Sequence[Outcome], by: str = "score", equal_within: float = 0.01) -> Answer:
    """Returns what a sweep's finished jobs answer; see ``Answer`` for what they are judged by."""
    combinations = combinations_of(outcomes)
    by_setting: dict[Setting, list[Combination]] = {}
    for one in combinations:
        by_setting.setdefault(one.setting, []).append(one)
    contests = [_contest(setting, some, by, equal_within) for setting, some in by_setting.items()]
    return Answer(by, equal_within, combinations, contests, _chosen(combinations, by, equal_within))


def _contest(setting: Setting, combinations: Sequence[Combination], by: str, equal_within: float) -> Contest:
    values = {one.entrant: one.values(by) for one in combinations}
    return Contest(setting, {one.entrant: one for one in combinations}, compare_pairs(values, equal_within))


def _chosen(combinations: Sequence[Combination], by: str, equal_within: float) -> Contest | None:
    """Returns the contest of the entrants, each at its own best tunable setting by validation.

    None where nothing tunable was swept beside the entrants, where something else was swept too, or where a
    run has no validation score.
    """
    keys = {key for one in combinations for key, _ in one.setting}
    tunable = all(key.lstrip("+").partition(".")[0] in TUNABLE for key in keys)
    if not keys or not tunable or not _validated(combinations):
        return None
    best: dict[str, Combination] = {}
    for one in combinations:
        rival = best.setdefault(one.entrant, one)
        if median_value(one, "score", "validation") > median_value(rival, "score", "validation"):
            best[one.entrant] = one
    return _contest((), list(best.values()), by, equal_within)


def _validated(combinations: Sequence[Combination]) -> bool:
    runs = [run for one in combinations for run in one.runs if run.diverged_at is None]
    return bool(runs) and all(run.score_validation is not None for run in runs)


def counts_of(runs: Sequence[Summary]) -> list[tuple[str, int]]:
    """Returns the verdicts that the runs' diagnoses hold and how many runs got each, the most first."""
    return Counter(name for run in runs for name, _ in run.diagnosis).most_common()
