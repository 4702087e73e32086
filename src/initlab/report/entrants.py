"""What a sweep compares: its runs in sets that differ in nothing but their seeds, each set an entrant in a
setting.

An entrant is what is compared, the starts where a sweep has several. A setting is the values of all other
keys that were swept, and so what its entrants have in common: the data, the network, the optimizer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log
from statistics import median

from initlab.runs.outcome import Outcome, varied
from initlab.runs.summary import Summary

NOT_COMPARED = ("seed",)
OF_STARTS = ("init", "bias")  # groups that say how weights and biases start
NAMED_BY_TAG = ("init", "init._target_")
TUNABLE = ("optimizer", "schedule", "train")  # groups of what a user may choose freely

Setting = tuple[tuple[str, str], ...]
"""The swept keys and their values, in the order they were given."""


@dataclass(frozen=True)
class Combination:
    """The finished runs of an entrant in a setting: they differ in nothing but their seeds."""

    entrant: str
    setting: Setting
    runs: Sequence[Summary]

    @property
    def name(self) -> str:
        """The entrant, and what tells its setting apart."""
        return f"{self.entrant} {shown(self.setting)}".strip()

    @property
    def typical(self) -> Summary:
        """The run of median final cost, which can stand for the others; the lower of two in the middle."""
        return sorted(self.runs, key=lambda run: run.objective)[(len(self.runs) - 1) // 2]

    def values(self, by: str, part: str = "test") -> dict[int, float]:
        """Returns by its seed what each run is judged by, see ``value_of``."""
        return {int(run.tags["seed"]): value_of(run, by, part) for run in self.runs}


def combinations_of(outcomes: Sequence[Outcome]) -> list[Combination]:
    """Returns the sets of runs that differ in nothing but their seeds, in the order of the jobs."""
    finished = [outcome for outcome in outcomes if outcome.summary]
    keys = [key for key in varied(finished) if key not in NOT_COMPARED]
    of_starts = [key for key in keys if _group(key) in OF_STARTS]
    starts = {_start(outcome, of_starts) for outcome in finished}
    sets: dict[tuple[str, Setting], list[Summary]] = {}
    for outcome in finished:
        setting = tuple((key, outcome.settings.get(key, "")) for key in keys if key not in of_starts)
        entrant = _start(outcome, of_starts)
        if len(starts) == 1 and setting:  # what was swept instead of the start is compared
            entrant, setting = shown(setting), ()
        assert outcome.summary is not None
        sets.setdefault((entrant, setting), []).append(outcome.summary)
    return [Combination(*names, runs) for names, runs in sets.items()]


def value_of(run: Summary, by: str, part: str = "test") -> float:
    """Returns what a run is judged by, where more is better: its score, or −ln of its final cost.

    A run that diverged has the value of the worst that there can be.
    """
    if by == "cost":
        return inf if run.final_cost == 0 else -inf if run.final_cost is None else -log(run.final_cost)
    score: float | None = getattr(run, f"score_{part}")
    return run.rules.worst_score if score is None else score


def median_value(combination: Combination, by: str, part: str = "test") -> float:
    """Returns the median of what a set's runs are judged by."""
    return median(combination.values(by, part).values())


def shown(setting: Setting) -> str:
    """Returns a setting as text, by the last words of its keys: 'learning_rate=0.1 width=20'."""
    return " ".join(f"{key.rsplit('.', 1)[-1]}={value}" for key, value in setting)


def _start(outcome: Outcome, of_starts: Sequence[str]) -> str:
    """Returns the name of a run's start, with the swept settings that belong to it."""
    assert outcome.summary is not None
    settings: Mapping[str, str] = outcome.settings
    more = [(key, settings[key]) for key in of_starts if key in settings and key not in NAMED_BY_TAG]
    return f"{outcome.summary.tags['init']} {shown(tuple(more))}".strip()


def _group(key: str) -> str:
    return key.lstrip("+").partition(".")[0]
