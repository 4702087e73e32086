"""Verdicts on where a run began: its data, the symmetry and size of its start, its signals and gradients."""

import math
from collections.abc import Sequence

import numpy as np

from initlab.verdicts.advice import (
    good_start,
    livelier,
    normalizing,
    other_start,
    reviving,
    smaller_rate,
)
from initlab.verdicts.evidence import Evidence

DEAD = 0.5  # of a layer's units: more than an unlucky draw of a small layer silences
SATURATED = 0.5  # of a layer's slopes, or of the answers: most examples then teach next to nothing
LARGE = 30.0  # times the cost of one answer for all: far beyond what an ordinary start costs
LARGE_INPUTS = 10.0  # root mean square of a feature, where 1 is standardised
BIASES = 3.0  # times what the weights make of the inputs
VANISHED = 1e-3  # of the output's gradient: without rescaling, a layer that learns a thousand times slower
EXPLODED = 1e3  # times the output's gradient: a rate that suits the output throws such a layer away
OUTLYING = 0.3  # of a feature's variance, made by one example alone
ROUNDING = 1e-30  # of weights: less is what a sum that should be 0 leaves


def symmetry_never_broken(e: Evidence) -> str | None:
    """Applies when in every hidden layer of several units all of them are equal, first and last."""
    if not (_symmetric(e, end=False) and _symmetric(e, end=True)):
        return None
    if not any(distance > ROUNDING for distance in e.moved):
        weights = sum(n_out * n_in for n_out, n_in in e.network.shapes)
        return (
            f"All {weights} weights started equal, and not one has moved: no gradient reaches a weight, only "
            f"the output's bias learns, and every example gets the same answer. Try {good_start(e)}: a "
            "random start breaks that."
        )
    return (
        "All units of a layer started equal, got equal gradients and moved together: at the end every "
        f"layer, of up to {max(e.network.sizes[1:-1])} units, still works as if it had 1. Try "
        f"{good_start(e)}: any random start breaks that symmetry."
    )


def _symmetric(e: Evidence, end: bool) -> bool:
    """Returns whether all units of every hidden layer are equal; weights of rounding noise are 0."""
    units, norms = e.by_layer("distinct_units", end), e.by_layer("weight_norm", end)
    noise = [norm < ROUNDING for norm in norms] or [False] * len(units)
    layers = zip(units, noise, e.network.sizes[1:-1], strict=False)
    wide = [1.0 if is_noise else count for count, is_noise, width in layers if width > 1]
    return bool(wide) and max(wide) == 1


def outliers(e: Evidence) -> str | None:
    """Applies when one example alone makes a large share of the variance of a feature or of the target."""
    if not e.outlying > OUTLYING:
        return None
    return (
        f"One of the {e.train.examples:,} training examples makes {e.outlying:.0%} of the variance of a "
        "feature or of the target: beside such an outlier the others hardly differ. Mend or leave out that "
        "example."
    )


def large_inputs(e: Evidence) -> str | None:
    """Applies when features are far larger than standardised ones."""
    if not e.input_scale > LARGE_INPUTS:
        return None
    return (
        f"A feature's root mean square is {e.input_scale:.3g}, where standardised ones have 1: signals and "
        f"gradients of the first layer are that much too large. Try {normalizing(e)}, or standardise the "
        "features."
    )


def large_biases(e: Evidence) -> str | None:
    """Applies when at the start biases outweigh what the weights make of the inputs, and units are stuck."""
    share = e.at_start.get("bias_share", 0.0)
    if not share > BIASES or not (_stuck(e, "dead_units", DEAD) or _stuck(e, "saturation", SATURATED)):
        return None
    return (
        f"The first layer's biases started {share:.3g} times as large as what its weights make of the "
        "inputs: the units are off, or at their limits, whatever they are shown. Try bias=zeros."
    )


def _stuck(e: Evidence, name: str, limit: float) -> bool:
    hidden = e.by_layer(name)[: len(e.network.sizes) - 2]
    return bool(hidden) and max(hidden) >= limit


def saturated_start(e: Evidence) -> str | None:
    """Applies when at the start most answers, or most slopes of a layer, were at their limits."""
    shares = e.by_layer("saturation", end=False)
    if e.diverged_at == 0 or large_biases(e) or not shares or not max(shares) >= SATURATED:
        return None
    layer = int(np.argmax(shares)) + 1
    output = layer == len(e.network.sizes) - 1
    what = "answers were certain" if output else f"slopes in layer {layer} were near 0"
    return (
        f"At the start {shares[layer - 1]:.0%} of the {what}, before anything was learned, and the first "
        f"cost was {e.first_cost:.4g}: the {_too_large(e)}."
    )


def large_start(e: Evidence) -> str | None:
    """Applies when the first cost was many times that of one answer for all, and nothing was saturated."""
    cost = e.first_cost - 0.5 * e.network.l2 * math.hypot(*e.by_layer("weight_norm")) ** 2  # without penalty
    if e.diverged_at == 0 or saturated_start(e) or not cost > LARGE * e.baseline_cost:
        return None
    times = cost / e.baseline_cost if e.baseline_cost > 0 else math.inf
    return (
        f"The first cost was {cost:.3g}, {times:.2g} times that of one answer for every example: the "
        f"{_too_large(e)}."
    )


def _too_large(e: Evidence) -> str:
    """Returns what is too large, and what to do about it."""
    if e.input_scale > LARGE_INPUTS:
        return f"inputs are too large. Try {normalizing(e)}, or standardise them"
    start = other_start(e)
    if start is None:
        return f"signal grows on its way through this network. Try {normalizing(e)}"
    return f"weights are too large. Try {start}, which keeps the signal's size"


def vanishing_gradients(e: Evidence) -> str | None:
    """Applies when at the start the gradient of some layer was a small part of the output's."""
    ratios = _gradient_ratios(e)
    if not ratios or min(ratios) >= VANISHED:
        return None
    where = _where(ratios, [ratio < VANISHED for ratio in ratios])
    return (
        f"{where} the gradient was less than a thousandth of the output's at the start "
        f"({_gradients(ratios, min(ratios))}), so hardly anything is learned there. Try "
        f"{livelier(e)}, which keeps it up."
    )


def exploding_gradients(e: Evidence) -> str | None:
    """Applies when at the start the gradient of some layer was many times the output's."""
    ratios = _gradient_ratios(e)
    if not ratios or max(ratios) <= EXPLODED:
        return None
    where = _where(ratios, [ratio > EXPLODED for ratio in ratios])
    return (
        f"{where} the gradient was more than a thousand times the output's at the start "
        f"({_gradients(ratios, max(ratios))}). Try {other_start(e) or normalizing(e)}, which tames it."
    )


def dead_start(e: Evidence) -> str | None:
    """Applies when at the start most units of a hidden layer were 0 for every example."""
    shares = e.by_layer("dead_units")
    if not shares or not max(shares) >= DEAD or large_biases(e) or symmetry_never_broken(e):
        return None
    layer = int(np.argmax(shares)) + 1
    return (
        f"In layer {layer}, {shares[layer - 1]:.0%} of the {e.network.sizes[layer]} units were 0 for every "
        f"training example from the start{_certainty(e, layer)}. Try {reviving(e)}, or wider layers."
    )


def dead_units(e: Evidence) -> str | None:
    """Applies when at the end most units of a layer are 0 for every example, and at the start were not."""
    shares = e.by_layer("dead_units", end=True)
    if not shares or not max(shares) >= DEAD or symmetry_never_broken(e) or dead_start(e) or large_biases(e):
        return None
    layer = int(np.argmax(shares)) + 1
    before = e.by_layer("dead_units")[layer - 1]
    return (
        f"In layer {layer}, {shares[layer - 1]:.0%} of the units are 0 for every training example; at the "
        f"start it was {before:.0%}{_certainty(e, layer)}. Try {smaller_rate(e)}, or "
        "model.activation=leaky_relu."
    )


def _certainty(e: Evidence, layer: int) -> str:
    """Returns whether a layer's dead units can come back: what the first layer sees never changes."""
    if layer == 1 and not (e.network.l2 or e.steps.weight_decay):
        return ". Its inputs never change, so they get no gradient and will not come back"
    return ". They get no gradient, and come back only if the layers below change what they see"


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
