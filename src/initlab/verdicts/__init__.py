"""The diagnosis of a run: plain sentences, from its own measurements, on what went right or wrong.

A verdict is a function that takes the evidence and returns a sentence, or None where it does not apply. The
function's name, with spaces for underscores, is the verdict's. VERDICTS lists the weightiest first.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from initlab.verdicts import causes, learning
from initlab.verdicts.evidence import Evidence as Evidence

VERDICTS: tuple[Callable[[Evidence], str | None], ...] = (
    causes.diverged,
    learning.trained_well,
    causes.symmetry_never_broken,
    causes.saturated_start,
    causes.large_start,
    causes.vanishing_gradients,
    causes.exploding_gradients,
    causes.dead_units,
    learning.no_better_than_the_larger_class,
    learning.no_better_than_the_mean,
    learning.cost_hardly_fell,
    learning.overfitted,
    learning.underfitted,
    learning.still_improving,
)


class Finding(NamedTuple):
    """A verdict and the sentence that says why."""

    name: str
    sentence: str


Diagnosis: TypeAlias = Sequence[Finding]


def diagnose(evidence: Evidence) -> list[Finding]:
    """Returns what the evidence says of a run, the weightiest first; never nothing."""
    with np.errstate(all="ignore"):
        found = [(verdict.__name__.replace("_", " "), verdict(evidence)) for verdict in VERDICTS]
    return [Finding(name, sentence) for name, sentence in found if sentence is not None]
