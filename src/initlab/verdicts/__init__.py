"""The diagnosis of a run: plain sentences, from its own measurements, on what went right or wrong.

A verdict is a function that takes the evidence and returns a sentence, or None where it does not apply. The
function's name, with spaces for underscores, is the verdict's. VERDICTS lists the weightiest first.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from initlab.verdicts.causes import (
    dead_units,
    diverged,
    exploding_gradients,
    large_start,
    saturated_start,
    symmetry_never_broken,
    vanishing_gradients,
)
from initlab.verdicts.evidence import Evidence as Evidence
from initlab.verdicts.learning import (
    cost_hardly_fell,
    no_better_than_the_larger_class,
    no_better_than_the_mean,
    overfitted,
    still_improving,
    trained_well,
    underfitted,
)

VERDICTS: tuple[Callable[[Evidence], str | None], ...] = (
    diverged,
    trained_well,
    symmetry_never_broken,
    saturated_start,
    large_start,
    vanishing_gradients,
    exploding_gradients,
    dead_units,
    no_better_than_the_larger_class,
    no_better_than_the_mean,
    cost_hardly_fell,
    overfitted,
    underfitted,
    still_improving,
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
