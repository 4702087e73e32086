"""What a sweep answers, in numbers: each set of runs, each pair of entrants, and how sure that is."""

from collections.abc import Hashable, Mapping, Sequence
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
from initlab.statistics.choosing import choose_settings
from initlab.statistics.pairs import Pair, compare_pairs
from initlab.statistics.ranks import Ranking, rank_entrants
from initlab.statistics.specification import SpecificationCurve, specification_curve


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

    def values(self, entrant: str) -> dict[Hashable, dict[int, float]]:
        """Returns what an entrant's runs are judged by, by setting and seed."""
        return {one.setting: one.values(self.by) for one in self.combinations if one.entrant == entrant}

    @cached_property
    def ranking(self) -> Ranking | None:
        """The ranks of three or more entrants by their medians, over the settings that all of them have."""
        medians: dict[str, dict[Hashable, float]] = {
            one.entrant: {
                other.setting: median_value(other, self.by)
                for other in self.combinations
                if other.entrant == one.entrant
            }
            for one in self.combinations
        }
        return rank_entrants(medians)

    def specifications(self, first: str, second: str) -> SpecificationCurve | None:
        """Returns how two entrants compare in every setting that both have."""
        return specification_curve(self.values(first), self.values(second))

    def over_settings(self, first: str, second: str) -> list[tuple[Setting, Pair]]:
        """Returns a pair in each setting that has both, seen from the first, the least difference first."""
        found = [
            (contest.setting, pair.seen_from(first))
            for contest in self.contests
            for pair in contest.pairs
            if {pair.first, pair.second} == {first, second}
        ]
        return sorted(found, key=lambda one: one[1].difference)

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
    parts: dict[str, dict[str, dict[Hashable, dict[int, float]]]] = {
        part: {
            one.entrant: {
                other.setting: other.values("score", part)
                for other in combinations
                if other.entrant == one.entrant
            }
            for one in combinations
        }
        for part in ("validation", "test")
    }
    choices = choose_settings(parts["validation"], parts["test"])
    best = [one for one in combinations if choices[one.entrant].setting == one.setting]
    return _contest((), best, by, equal_within)


def _validated(combinations: Sequence[Combination]) -> bool:
    runs = [run for one in combinations for run in one.runs if run.diverged_at is None]
    return bool(runs) and all(run.score_validation is not None for run in runs)
