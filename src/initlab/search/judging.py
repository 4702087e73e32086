"""What a trial comes to: the median of its seeds' validation scores, or a diagnosis that ends it."""

from collections.abc import Sequence

from initlab.runs.summary import Summary
from initlab.statistics.intervals import median


def score_of(summary: Summary, part: str) -> float:
    """Returns a run's score on a part of the data, the worst there is where it diverged."""
    score: float | None = getattr(summary, f"score_{part}")
    if summary.diverged_at is None and score is not None:
        return score
    return 0.0 if summary.rules.classifies else -float("inf")


def value_of(summaries: Sequence[Summary]) -> float:
    """Returns the median validation score of a trial's seeds."""
    return median([score_of(summary, "validation") for summary in summaries])


def fatal(summaries: Sequence[Summary], diagnoses: Sequence[str]) -> str | None:
    """Returns which of the diagnoses more than half of a trial's seeds have, the first such; or None."""
    for name in diagnoses:
        if 2 * sum(_has(summary, name) for summary in summaries) > len(summaries):
            return name
    return None


def _has(summary: Summary, name: str) -> bool:
    if name == "diverged":  # a fact, which weightier findings can crowd out of a diagnosis
        return summary.diverged_at is not None
    return any(found.name == name for found in summary.diagnosis)
