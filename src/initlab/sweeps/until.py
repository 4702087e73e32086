"""Adding seeds to a sweep until every pair that it compares is decided.

The intervals of its verdicts hold at every number of seeds at once, so it may look after each round.
"""

from collections.abc import Sequence

from initlab.report.answer import Answer, answer_of
from initlab.report.entrants import Combination
from initlab.runs.outcome import Outcome
from initlab.statistics.sequence import fewest_seeds

ALPHA = 0.05


def more_jobs(outcomes: Sequence[Outcome], at_most: int, by: str, equal_within: float) -> list[list[str]]:
    """Returns the overrides of jobs that could decide what these outcomes leave undecided: more seeds for the
    entrants of undecided pairs. None where all is decided or a pair would get more than ``at_most`` seeds.
    """
    answer = answer_of(outcomes, by, equal_within)
    open_ones = undecided(answer)
    seeds = [int(run.tags["seed"]) for one in open_ones for run in one.runs]
    have = max((len(one.runs) for one in open_ones), default=at_most)
    if have >= at_most:
        return []
    start = max(seeds) + 1
    count = min(_round(answer, have), at_most - have)
    return [
        _with_seed(_overrides_of(one, outcomes), seed)
        for one in open_ones
        for seed in range(start, start + count)
    ]


def undecided(answer: Answer) -> list[Combination]:
    """Returns the combinations that are in an undecided pair."""
    return [
        contest.combinations[name]
        for contest in answer.contests
        for name in contest.combinations
        if any(name in (p.first, p.second) for p in contest.pairs if p.verdict == "undecided")
    ]


def _round(answer: Answer, have: int) -> int:
    """Returns how many seeds to add at once: what the nearest pair is said to need, but at least a quarter of
    those there are, so that rounds are few, and at most as many, as forecasts can be far off.
    """
    pairs = [pair for contest in answer.contests for pair in contest.pairs if pair.verdict == "undecided"]
    most = max(len(contest.pairs) for contest in answer.contests)
    missing = fewest_seeds(ALPHA / most) - have
    if missing > 0:
        return missing
    nearest = min((pair.more_seeds for pair in pairs if pair.more_seeds is not None), default=have)
    return min(max(nearest, -(-have // 4)), have)


def _overrides_of(one: Combination, outcomes: Sequence[Outcome]) -> Sequence[str]:
    """Returns the overrides of a job of a combination."""
    return next(outcome.overrides for outcome in outcomes if outcome.summary is one.runs[0])


def _with_seed(overrides: Sequence[str], seed: int) -> list[str]:
    return [*(one for one in overrides if not one.startswith("seed=")), f"seed={seed}"]
