"""What the diagnosis made of the cases, beside what went on in truth."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from initlab.runs.summary import Trained

from .cases import Case
from .labels import FAULTY, NORMAL, deficit

NAMES = {  # the verdicts that name a fault that was put in
    "large rate": {"steps too large", "diverged"},
    "small rate": {"steps too small"},
    "too short": {"too short"},
    "small start": {"vanishing gradients"},
    "large start": {"saturated start", "large start", "exploding gradients"},
    "symmetry": {"symmetry never broken"},
    "biases": {"large biases"},
    "penalty": {"penalty too strong"},
    "capacity": {"too few units"},
    "warm-up": {"rate held back"},
    "decay": {"rate held back"},
    "clip": {"clipped too short"},
    "batch noise": {"noisy batches"},
    "unscaled inputs": {"large inputs", "saturated start", "large start"},
}


@dataclass(frozen=True)
class Judged:
    """A case, by how much its run fell short on fresh examples, and the diagnosis: the verdicts' names, and
    the first override that it advises, the weightiest verdict's.
    """

    case: Case
    deficit: float
    verdicts: tuple[str, ...]
    cure: str | None

    @property
    def label(self) -> str:
        """What went on in truth: normal, faulty, or neither."""
        if self.deficit < NORMAL:
            return "normal"
        return "faulty" if self.deficit > FAULTY else "neither"

    @property
    def found_faulty(self) -> bool:
        """Whether the diagnosis finds anything wrong."""
        return "trained well" not in self.verdicts

    @property
    def named_first(self) -> bool:
        """Whether its first sentence names the fault that was put in."""
        return self.verdicts[0] in NAMES.get(self.case.fault or "", ())

    @property
    def named(self) -> bool:
        """Whether any of its sentences does."""
        return bool(set(self.verdicts) & NAMES.get(self.case.fault or "", set()))


def judge(case: Case, run: Trained) -> Judged:
    """Returns what the diagnosis made of a case."""
    found = run.summary.diagnosis
    cures = [override for finding in found for override in finding.overrides]
    return Judged(case, deficit(run), tuple(name for name, _ in found), cures[0] if cures else None)


def with_known_cause(judged: Sequence[Judged]) -> list[Judged]:
    """Returns those that failed by the fault that was put in: without it the same config is normal."""
    normal = {one.case.overrides for one in judged if one.label == "normal"}
    return [one for one in judged if one.label == "faulty" and one.case.control in normal and one.case.fault]


def cured(overrides: Sequence[str], cure: str) -> tuple[str, ...]:
    """Returns overrides with another one in the place of those of the same key, and of what stands below
    it.
    """
    key = cure.partition("=")[0]
    kept = [word for word in overrides if not f"{word.partition('=')[0]}.".startswith(f"{key}.")]
    return (*kept, cure)


def confusion(judged: Sequence[Judged]) -> Counter[tuple[str, bool]]:
    """Returns how many of each label were found faulty, and how many were not."""
    return Counter((one.label, one.found_faulty) for one in judged)
