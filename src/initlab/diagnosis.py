"""The diagnosis: what went right or wrong in a run, in plain sentences that rest on its own measurements.

A verdict is a function of the evidence: it returns its sentence, or None where it does not apply. Its name,
with spaces, is the verdict's. They stand in VERDICTS in the order of their weight.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from initlab.evidence import Evidence

DEAD = 0.5  # of a layer's units: more than an unlucky draw of a small layer silences
SATURATED = 0.5  # of a layer's slopes, or of the answers: most examples then teach next to nothing
VANISHED = 1e-3  # of the output's gradient: without rescaling, a layer that learns a thousand times slower
EXPLODED = 1e3  # times the output's gradient: a rate that suits the output throws such a layer away
CHANCE = 2.0  # standard errors of a share of so many examples: what may be luck
CHANCE_R2 = 0.02  # of the variance
IMPROVING = 0.05  # of the cost lost within the last tenth: as much again would be well worth the wait
SOLVED = 0.01  # of cost: from there on more iterations change no answer worth changing
GOOD_ACCURACY, GOOD_R2 = 0.95, 0.9  # what a good start of the published network reaches, and its like
GAP = 0.1  # of score between training and test examples: more is learned by heart


class Finding(NamedTuple):
    """A verdict and the sentence that says why."""

    name: str
    sentence: str


Diagnosis: TypeAlias = Sequence[tuple[str, str]]


def diagnose(evidence: Evidence) -> list[Finding]:
    """Returns what the evidence says of a run, the weightiest first; never nothing."""
    with np.errstate(all="ignore"):
        found = [(verdict.__name__.replace("_", " "), verdict(evidence)) for verdict in VERDICTS]
    return [Finding(name, sentence) for name, sentence in found if sentence is not None]


def diverged(e: Evidence) -> str | None:
    """Applies when the cost was no longer finite."""
    if e.diverged_at is None:
        return None
    rate = f"a learning rate of {e.learning_rate / 10:g}" if e.learning_rate else "smaller steps"
    return (
        f"The cost was no longer finite at iteration {e.diverged_at:,}: the steps were too large. "
        f"Try {rate}, train.clip=1 or a smaller start."
    )


def symmetry_never_broken(e: Evidence) -> str | None:
    """Applies when in every hidden layer of several units all of them are equal, first and last."""
    if not (_symmetric(e, end=False) and _symmetric(e, end=True)):
        return None
    if not any(e.moved):
        return (
            "All weights started equal, and not one has moved: the hidden units pass nothing on, so no "
            "gradient reaches a weight. Only the output's bias learns, and that can only give the same "
            "answer for every example."
        )
    return (
        "All units of a layer started equal, so they got equal gradients and moved together: each layer "
        "works as if it had one unit. Any random start breaks that symmetry."
    )


def _symmetric(e: Evidence, end: bool) -> bool:
    layers = zip(e.by_layer("distinct_units", end), e.network.sizes[1:-1], strict=True)
    wide = [units for units, width in layers if width > 1]
    return bool(wide) and max(wide) == 1


def dead_units(e: Evidence) -> str | None:
    """Applies when at the end most units of a layer are 0 for every example, and not by symmetry alone."""
    shares = e.by_layer("dead_units", end=True)
    if not shares or max(shares) < DEAD or symmetry_never_broken(e):
        return None
    layer = int(np.argmax(shares)) + 1
    share, before = shares[layer - 1], e.by_layer("dead_units", end=False)[layer - 1]
    since = f"{before:.0%} of them were so from the start" if before else "none of them was so at the start"
    return (
        f"In layer {layer}, {share:.0%} of the units are 0 for every training example ({since}): they get no "
        "gradient and will not come back. A smaller learning rate, leaky_relu or wider layers avoid it."
    )


def saturated_start(e: Evidence) -> str | None:
    """Applies when at the start most answers, or most slopes of a layer, were at their limits."""
    shares = e.by_layer("saturation", end=False)
    if not shares or not max(shares) >= SATURATED:
        return None
    layer = int(np.argmax(shares)) + 1
    output = layer == len(e.network.sizes) - 1
    what = "answers were certain" if output else f"slopes in layer {layer} were near 0"
    return (
        f"At the start {shares[layer - 1]:.0%} of the {what}, before anything was learned, and the first "
        f"cost was {e.costs[0]:.4g}: the weights are too large. A start that keeps the signal's size, such "
        "as he or xavier, avoids it."
    )


def vanishing_gradients(e: Evidence) -> str | None:
    """Applies when at the start the gradient in some layer was a small part of the output's."""
    ratios = _gradient_ratios(e)
    if not ratios or min(ratios) >= VANISHED:
        return None
    last = max(n for n, ratio in enumerate(ratios, start=1) if ratio < VANISHED)
    return (
        f"{_layers_to(last, ratios)} the gradient was less than a thousandth of the output's at the start "
        f"({_gradients(ratios)}), so they hardly learn. Larger weights or residual connections keep it up."
    )


def exploding_gradients(e: Evidence) -> str | None:
    """Applies when at the start the gradient in some layer was many times the output's."""
    ratios = _gradient_ratios(e)
    if not ratios or max(ratios) <= EXPLODED:
        return None
    last = max(n for n, ratio in enumerate(ratios, start=1) if ratio > EXPLODED)
    return (
        f"{_layers_to(last, ratios)} the gradient was more than a thousand times the output's at the start "
        f"({_gradients(ratios)}). Smaller weights, or train.clip, tame it."
    )


def _gradient_ratios(e: Evidence) -> list[float]:
    """Returns each hidden layer's gradient by its pre-activations at the start, relative to the output's.

    Where one is 0, nothing has faded on the way: that is the matter of other verdicts.
    """
    sizes = e.by_layer("preactivation_gradient", end=False)
    if len(sizes) < 2 or not all(np.isfinite(sizes)) or min(sizes) == 0:
        return []
    return [size / sizes[-1] for size in sizes[:-1]]


def _layers_to(last: int, ratios: Sequence[float]) -> str:
    return "In layer 1" if last == 1 else f"In the layers up to {last} of {len(ratios)}"


def _gradients(ratios: Sequence[float]) -> str:
    pace = ratios[0] ** (1 / len(ratios))
    return f"{ratios[0]:.1e} of it in layer 1, a factor of {pace:.2g} a layer"


def no_better_than_the_larger_class(e: Evidence) -> str | None:
    """Applies when answering the larger class for every example would score as well."""
    if e.network.output_name == "linear" or not _useless(e):
        return None
    return (
        f"With {e.score:.1%} of the training examples right it is no better than answering the larger class "
        f"every time ({e.baseline:.1%})."
    )


def no_better_than_the_mean(e: Evidence) -> str | None:
    """Applies when answering the mean for every example would score as well."""
    if e.network.output_name != "linear" or not _useless(e):
        return None
    return f"It explains nothing (R² {e.score:.2f}): answering the mean for every example does as well."


def _useless(e: Evidence) -> bool:
    if e.network.output_name == "linear":
        return e.score is not None and e.score <= CHANCE_R2
    luck = CHANCE * math.sqrt(e.baseline * (1 - e.baseline) / e.examples)
    return e.score is not None and e.score <= e.baseline + luck


def learned_by_heart(e: Evidence) -> str | None:
    """Applies when the test examples fare much worse than the training examples."""
    if e.score is None or e.test_score is None or _useless(e) or e.score - e.test_score <= GAP:
        return None
    return (
        f"It does much better on the training examples ({_shown(e, e.score)}) than on the test examples "
        f"({_shown(e, e.test_score)}): more data, model.l2 or fewer iterations close the gap."
    )


def learned_in_part(e: Evidence) -> str | None:
    """Applies when it is better than one answer for all, and yet not good."""
    if e.score is None or _useless(e) or e.score >= _good(e):
        return None
    return f"It reaches {_shown(e, e.score)} on the training examples, where {_shown(e, _good(e))} is good."


def trained_well(e: Evidence) -> str | None:
    """Applies when the score is good, on the test examples too."""
    if e.score is None or e.test_score is None or _useless(e):
        return None
    if e.score < _good(e) or e.score - e.test_score > GAP:
        return None
    return (
        f"It reaches {_shown(e, e.score)} on the training examples and {_shown(e, e.test_score)} on the test "
        "examples."
    )


def _good(e: Evidence) -> float:
    return GOOD_R2 if e.network.output_name == "linear" else GOOD_ACCURACY


def _shown(e: Evidence, score: float) -> str:
    return f"R² {score:.2f}" if e.network.output_name == "linear" else f"{score:.1%}"


def still_improving(e: Evidence) -> str | None:
    """Applies when the cost still fell notably within the last tenth of the training."""
    tenth = len(e.costs) // 10
    if e.final_cost is None or tenth < 2 or _useless(e):
        return None
    # Medians over half a tenth, because costs of mini-batches jump.
    half = max(1, tenth // 4)
    before = float(np.median(e.costs[-tenth - half : -tenth + half]))
    now = float(np.median(e.costs[-tenth // 2 :]))
    if not before > SOLVED or (before - now) / before < IMPROVING:
        return None
    return (
        f"The cost still fell by {(before - now) / before:.0%} within the last tenth of the training: more "
        "iterations, or a larger learning rate, would take it further."
    )


VERDICTS: tuple[Callable[[Evidence], str | None], ...] = (
    diverged,
    trained_well,
    symmetry_never_broken,
    saturated_start,
    vanishing_gradients,
    exploding_gradients,
    dead_units,
    no_better_than_the_larger_class,
    no_better_than_the_mean,
    learned_by_heart,
    learned_in_part,
    still_improving,
)
