"""The diagnosis of a run: plain sentences, from its own measurements, on what went right or wrong.

A verdict is a function that takes the evidence and returns a sentence, or None where it does not apply. The
function's name, with spaces for underscores, is the verdict's. A run is well trained, and then nothing else
is said of it but what could still be won; or it is not, and then CAUSES come before SYMPTOMS, MOST of them at
most.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from initlab.verdicts import learning, starts, steps
from initlab.verdicts.evidence import Evidence as Evidence
from initlab.verdicts.judgement import learned, well_trained

MOST = 3  # sentences

Verdict: TypeAlias = Callable[[Evidence], str | None]

CAUSES: tuple[Verdict, ...] = (
    starts.symmetry_never_broken,
    starts.outliers,
    starts.large_biases,
    starts.saturated_start,
    starts.large_start,
    starts.exploding_gradients,
    starts.vanishing_gradients,
    starts.dead_start,
    steps.diverged,
    steps.noisy_batches,
    steps.penalty_too_strong,
    steps.steps_too_large,
    steps.clipped_too_short,
    steps.rate_held_back,
    steps.steps_too_small,
)
OTHERWISE: tuple[Verdict, ...] = (
    steps.too_few_units,
    steps.too_short,
    starts.large_inputs,
    starts.dead_units,
)
SYMPTOMS: tuple[Verdict, ...] = (
    learning.overfitted,
    learning.no_better_than_the_larger_class,
    learning.no_better_than_the_mean,
    learning.underfitted,
    learning.cost_hardly_fell,
)
VERDICTS = (learning.trained_well, *CAUSES, *OTHERWISE, *SYMPTOMS, learning.still_improving)


class Finding(NamedTuple):
    """A verdict and the sentence that says why."""

    name: str
    sentence: str

    @property
    def overrides(self) -> list[str]:
        """The overrides that the sentence advises, as a user types them, the weightiest first."""
        _, _, advice = self.sentence.rpartition("Try ")
        return [word.rstrip(".,:;") for word in advice.split() if "=" in word]


Diagnosis: TypeAlias = Sequence[Finding]


def diagnose(evidence: Evidence) -> list[Finding]:
    """Returns what the evidence says of a run, the weightiest first; never nothing, and MOST at most."""
    with np.errstate(all="ignore"):
        if well_trained(evidence):
            return _found((learning.trained_well, learning.still_improving), evidence)
        causes = _found(CAUSES if not learned(evidence) else CAUSES[:2], evidence)
        if not causes and not learned(evidence):
            causes = _found(OTHERWISE, evidence)
        return [*causes, *_found(SYMPTOMS, evidence)][:MOST]


def _found(verdicts: Sequence[Verdict], evidence: Evidence) -> list[Finding]:
    said = [(verdict.__name__.replace("_", " "), verdict(evidence)) for verdict in verdicts]
    return [Finding(name, sentence) for name, sentence in said if sentence is not None]
