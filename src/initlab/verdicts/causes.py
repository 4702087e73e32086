"""Verdicts on causes of trouble: the size and symmetry of the start, its signals and gradients, the steps."""

import math
from collections.abc import Sequence

import numpy as np

from initlab.verdicts.evidence import Evidence

DEAD = 0.5  # of a layer's units: more than an unlucky draw of a small layer silences
SATURATED = 0.5  # of a layer's slopes, or of the answers: most examples then teach next to nothing
LARGE = 100.0  # times the cost of one answer for all: far beyond what an ordinary start costs
VANISHED = 1e-3  # of the output's gradient: without rescaling, a layer that learns a thousand times slower
EXPLODED = 1e3  # times the output's gradient: a rate that suits the output throws such a layer away


def diverged(e: Evidence) -> str | None:
    """Applies when the cost was no longer finite."""
    if e.diverged_at is None:
        return None
    if e.diverged_at == 0:
        return (
            "The very first cost was not finite, before any step was made: the weights of the start, or the "
            "inputs, are too large."
        )
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
    silent = f"In layer {layer}, {share:.0%} of the units are 0 for every training example"
    if before >= DEAD:
        return (
            f"{silent}, and {before:.0%} were so from the start: its weights or biases keep them below 0. "
            "They get no gradient, so no learning rate will wake them."
        )
    return (
        f"{silent}; at the start it was {before:.0%}. They get no gradient and will not come back. A smaller "
        "learning rate, leaky_relu or wider layers avoid it."
    )


def saturated_start(e: Evidence) -> str | None:
    """Applies when at the start most answers, or most slopes of a layer, were at their limits."""
    shares = e.by_layer("saturation", end=False)
    if e.diverged_at == 0 or not shares or not max(shares) >= SATURATED:
        return None
    layer = int(np.argmax(shares)) + 1
    output = layer == len(e.network.sizes) - 1
    what = "answers were certain" if output else f"slopes in layer {layer} were near 0"
    return (
        f"At the start {shares[layer - 1]:.0%} of the {what}, before anything was learned, and the first "
        f"cost was {e.costs[0]:.4g}: the weights, or the inputs, are too large. A start that keeps the "
        "signal's size, such as he or xavier, and standardised inputs avoid it."
    )


def large_start(e: Evidence) -> str | None:
    """Applies when the first cost was many times that of one answer for all, and nothing was saturated."""
    if e.diverged_at == 0 or not e.costs[0] > LARGE * e.baseline_cost or saturated_start(e):
        return None
    return (
        f"The first cost was {e.costs[0]:.3g}, {e.costs[0] / e.baseline_cost:.2g} times that of one answer "
        "for every example: the weights, or the inputs, are too large. A start that keeps the signal's "
        "size, such as he or xavier, and standardised inputs avoid it."
    )


def vanishing_gradients(e: Evidence) -> str | None:
    """Applies when at the start the gradient of some layer was a small part of the output's."""
    ratios = _gradient_ratios(e)
    if not ratios or min(ratios) >= VANISHED:
        return None
    where = _where(ratios, [ratio < VANISHED for ratio in ratios])
    return (
        f"{where} the gradient was less than a thousandth of the output's at the start "
        f"({_gradients(ratios, min(ratios))}), so hardly anything is learned there. Larger weights or "
        "residual connections keep it up."
    )


def exploding_gradients(e: Evidence) -> str | None:
    """Applies when at the start the gradient of some layer was many times the output's."""
    ratios = _gradient_ratios(e)
    if not ratios or max(ratios) <= EXPLODED:
        return None
    where = _where(ratios, [ratio > EXPLODED for ratio in ratios])
    return (
        f"{where} the gradient was more than a thousand times the output's at the start "
        f"({_gradients(ratios, max(ratios))}). Smaller weights, or train.clip, tame it."
    )


def _gradient_ratios(e: Evidence) -> list[float]:
    """Returns the length of each hidden layer's gradient (by its pre-activations) relative to the output's.

    Where one is 0, nothing has faded on the way: that is the matter of other verdicts.
    """
    sizes = e.by_layer("preactivation_gradient", end=False)
    if len(sizes) < 2 or not all(np.isfinite(sizes)) or min(sizes) == 0:
        return []
    lengths = [rms * math.sqrt(width) for rms, width in zip(sizes, e.network.sizes[1:], strict=True)]
    return [length / lengths[-1] for length in lengths[:-1]]


def _where(ratios: Sequence[float], concerned: Sequence[bool]) -> str:
    layers = [number for number, is_one in enumerate(concerned, start=1) if is_one]
    if len(layers) == 1:
        return f"In layer {layers[0]} of {len(ratios)}"
    if layers[-1] - layers[0] + 1 == len(layers):
        return f"In the layers {layers[0]} to {layers[-1]} of {len(ratios)}"
    return f"In {len(layers)} of {len(ratios)} layers"


def _gradients(ratios: Sequence[float], worst: float) -> str:
    layer = ratios.index(worst) + 1
    pace = f", a factor of {worst ** (1 / len(ratios)):.2g} a layer" if layer == 1 < len(ratios) else ""
    return f"{worst:.1e} of it in layer {layer}{pace}"
