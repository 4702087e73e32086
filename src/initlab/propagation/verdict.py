"""What the microscope saw, in words: the phase that theory finds, and what this network's depth and width
make of a gradient. Every sentence rests on numbers of the table that stands above it.
"""

import math

from initlab.numerals import number
from initlab.propagation.curves import Curves, LayerCurve
from initlab.propagation.setup import Observation
from initlab.theory.mean_field import Phase

MOST_CHANGE = 10.0  # of a gradient's squared length over all layers, in a network that is called critical


def verdict_of(observation: Observation) -> str:
    """Returns ordered, critical, chaotic or unstable, 'critical in the limit' where only layers without end
    in number or width would be critical, or none where the theory does not apply.
    """
    phase = observation.phase
    if phase is None:
        return "none"
    if phase.verdict == "critical" and not _is_kept(_gradient_change(observation)):
        return "critical in the limit"
    return phase.verdict


def verdict_line(observation: Observation) -> str:
    """Returns the verdict with what it means, in one sentence."""
    phase = observation.phase
    if phase is None:
        return f"no verdict: {observation.silence}."
    word = verdict_of(observation)
    scales = _scales(phase, observation.network.normalization)
    return f"{word}: {_slopes(phase)} ({scales}){_meaning(observation, phase, word)}."


def depth_line(curves: Curves) -> str:
    """Returns what becomes of a gradient over the whole depth, measured and predicted, in one sentence; '' of
    one layer, or where no gradient comes down.
    """
    gradient, layers = curves.gradient, len(curves.gradient.median)
    measured = float(gradient.median[0])
    if layers == 1 or math.isnan(measured):
        return ""
    change = "falls" if measured < 0.9995 else "stays" if measured < 1.0005 else "grows"
    where = f"From layer {layers} down to layer 1 a gradient's mean square"
    change += " at" if change == "stays" else " to"
    return f"{where} {change} {share(measured)}{_predicted(gradient)}."


def share(ratio: float) -> str:
    """Returns a ratio in percent, or from ten on as so many times."""
    return f"{number(100 * ratio)} %" if ratio < 10 else f"{number(ratio)} times"


def overflow_line(observation: Observation) -> str:
    """Returns a sentence about the networks in which numbers overflow, or '' if there are none."""
    gradients = observation.measured.gradients
    lost = sum(math.isnan(one) for one in gradients[:, 0])
    if not lost:
        return ""
    return (
        f"In {lost:,} of {len(gradients):,} networks numbers overflow; no gradient comes down through these."
    )


def bands_line(observation: Observation) -> str:
    """Returns why it is not said where nine of ten networks are, or ''."""
    return f"No bands: {observation.no_bands}." if observation.no_bands else ""


def _predicted(gradient: LayerCurve) -> str:
    theory, low, high = (
        float(values[0]) for values in (gradient.theory, gradient.band_low, gradient.band_high)
    )
    if math.isnan(theory):
        return ""
    if math.isnan(low):
        return f" (theory, at infinite width: {share(theory)})"
    return f" (theory: {share(theory)}, nine of ten networks {share(low)} to {share(high)})"


def _gradient_change(observation: Observation) -> tuple[float, float]:
    """Returns by what theory multiplies a gradient's squared length over all layers: at infinite width, and
    in the median network of this width (the same, if nothing is known of that).
    """
    sizes, predicted = observation.network.sizes, observation.predicted
    lengths = sizes[1] / sizes[-2]
    wide, median = predicted.gradients[0] * lengths, predicted.gradients_median[0] * lengths
    return float(wide), float(wide if math.isnan(median) else median)


def _is_kept(change: tuple[float, float]) -> bool:
    return all(1 / MOST_CHANGE <= one <= MOST_CHANGE for one in change)


def _slopes(phase: Phase) -> str:
    """Returns χ⊥ and χ∥ and how they lie to 1, with the error of what few weights can tell."""
    error = f" ± {phase.tolerance:.2g}" if phase.tolerance > 0.01 and phase.verdict != "unstable" else ""
    beyond = {"ordered": " < 1", "chaotic": " > 1"}.get(phase.verdict, "")
    text = f"χ⊥ = {phase.chi:.4g}{error or beyond}"
    if phase.chi_parallel is not None and not phase.scale_free:
        text += f", χ∥ = {phase.chi_parallel:.4g}" + (" > 1" if phase.verdict == "unstable" else "")
    return text


def _scales(phase: Phase, normalization: str) -> str:
    """Returns σw and, if it is so for signals of this size, which is critical."""
    sigma_w, border = math.sqrt(phase.sigma_w2), phase.critical_sigma_w
    if phase.varied:
        return f"layers differ, geometric means; σw = {sigma_w:.4g}"
    if normalization != "none":
        matters = "does not matter" if normalization == "batch" else "matters by its ratio to σb only"
        return f"σw = {sigma_w:.4g}, which with {normalization} normalization {matters}"
    if phase.verdict == "unstable":
        return f"σw = {sigma_w:.4g}"
    if border is None:
        return f"σw = {sigma_w:.4g}, no σw is critical"
    # Where a signal ends at 0 or infinity χ is (σw / critical σw)², unless the critical σw is that of other
    # signals: gelu has one for those that vanish and another for those that grow.
    other = phase.scale_free and not math.isclose(sigma_w, border * math.sqrt(phase.chi), rel_tol=1e-3)
    return f"σw = {sigma_w:.4g}" + ("" if other else f", {border:.4g} is critical")


def _meaning(observation: Observation, phase: Phase, word: str) -> str:
    """Returns what the verdict means, as the end of its sentence."""
    scale = phase.depth_scale
    if word == "unstable":
        return (
            f"; layers keep the mean square q* = {phase.mean_square:.4g} but signals leave it: smaller ones "
            "shrink, larger ones grow, and chance decides which a draw is"
        )
    if word == "critical":
        return "" if math.isinf(scale) else f"; ξ = {scale:,.0f} layers"
    if word == "critical in the limit":
        return _limit(observation, phase)
    if phase.chi == 0:
        return "; nothing comes through a layer"
    ordered = word == "ordered"
    change = "shrink" if ordered else "grow"
    if phase.varied:
        return f"; over these layers the squared lengths of gradients {change} by a factor of χ⊥ a layer"
    if phase.scale_free:
        meaning = f"in the end the mean squares of signals and gradients {change} by a factor of χ⊥ a layer"
        return f"; {meaning}, by one of e in ξ = {scale:.3g} layers"
    close = "inputs become alike and gradients vanish"
    meaning = close if ordered else "inputs that are close move apart and gradients explode"
    return (
        f"; in the end {meaning}; ξ = {scale:.3g} layers, beyond 6ξ = {6 * scale:,.0f} a signal is forgotten"
    )


def _limit(observation: Observation, phase: Phase) -> str:
    """Returns why layers that would be critical are not at this depth and width."""
    wide, _ = _gradient_change(observation)
    if _is_kept((wide, wide)):
        return "; of wide layers that is all, but these are too narrow for their depth"
    if phase.varied or phase.mean_square is None:
        return "; over so many layers even so small a difference from 1 adds up"
    top = float(observation.predicted.mean_squares[-1])
    if math.isclose(top, phase.mean_square, rel_tol=0.05):
        return "; over so many layers even so small a difference from 1 adds up"
    return f"; that is at q* = {number(phase.mean_square)}, and signals are still on their way there"
