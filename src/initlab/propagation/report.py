"""Reports what the microscope saw: numbers by layer, a verdict in words, and a picture."""

import math
import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from initlab.markup import escaped
from initlab.propagation.setup import Observation, Setup
from initlab.theory.gaussian import Values
from initlab.theory.mean_field import Phase
from initlab.types import Array


class LayerCurve(NamedTuple):
    """One quantity at L layers: its median and quartiles over the seeds, and what the theory says; (L,) each.

    ``band_low`` and ``band_high`` are where nine of ten networks of this width are, if the theory knows.
    """

    median: Array
    low: Array
    high: Array
    predicted: Values
    band_low: Values | None = None
    band_high: Values | None = None


class Curves(NamedTuple):
    """The pre-activations' mean square, the correlation of two inputs and the gradient's mean square."""

    forward: LayerCurve
    correlation: LayerCurve
    gradient: LayerCurve


def curves_of(observation: Observation) -> Curves:
    """Returns the three quantities that are looked at."""
    seen, theory = observation.measured, observation.predicted
    squares = theory.mean_squares, theory.mean_squares_low, theory.mean_squares_high
    gradients = theory.gradients, theory.gradients_low, theory.gradients_high
    return Curves(
        LayerCurve(*_quartiles(seen.mean_squares), *squares),
        LayerCurve(*_quartiles(seen.correlations), theory.correlations),
        LayerCurve(*_quartiles(seen.gradients), *gradients),
    )


def metrics_by_layer(curves: Curves) -> dict[str, Array]:
    """Returns metrics by name, each with a value for every layer (L,)."""
    names = {"forward": "mean_square", "correlation": "inputs", "gradient": "mean_square"}
    found: dict[str, Array] = {}
    for group, curve in curves._asdict().items():
        found |= {f"{group}/{names[group]}": curve.median, f"{group}/predicted": curve.predicted}
        found |= {f"{group}/low": curve.low, f"{group}/high": curve.high}
        if curve.band_low is not None:
            found |= {f"{group}/predicted_low": curve.band_low, f"{group}/predicted_high": curve.band_high}
    return found


def metrics_of(phase: Phase | None) -> dict[str, float]:
    """Returns the numbers of a phase by metric name; those that are infinite are no metrics of MLflow's."""
    if phase is None:
        return {}
    numbers = {
        "sigma_w": math.sqrt(phase.sigma_w2),
        "sigma_b": math.sqrt(phase.sigma_b2),
        "critical_sigma_w": phase.critical_sigma_w,
        "chi": phase.chi,
        "depth_scale": phase.depth_scale,
        "fixed_point/mean_square": phase.mean_square,
        "fixed_point/correlation": phase.correlation,
    }
    return {name: number for name, number in numbers.items() if number is not None}


def verdict_of(observation: Observation) -> str:
    """Returns ordered, critical or chaotic, or none where the theory does not apply."""
    return "none" if observation.phase is None else observation.phase.verdict


def verdict_line(observation: Observation) -> str:
    """Returns the verdict with what it means, in one sentence."""
    phase = observation.phase
    if phase is None:
        return f"no verdict: {observation.silence}."
    numbers, scale = _scales(phase, observation.normalization), phase.depth_scale
    if phase.verdict == "critical":
        far = "" if math.isinf(scale) else f" (ξ = {scale:,.0f} layers)"
        return f"critical: χ = {phase.chi:.4g} ({numbers}); gradients neither vanish nor explode{far}."
    if phase.chi == 0:
        return f"ordered: χ = 0 ({numbers}); nothing comes through a layer."
    ordered = phase.verdict == "ordered"
    if phase.scale_free:
        change = "shrink" if ordered else "grow"
        meaning = f"in the end the mean squares of signals and gradients {change} by a factor of χ a layer"
        far = f"by one of e in ξ = {scale:.3g} layers"
    else:
        close = "inputs become alike and gradients vanish"
        meaning = close if ordered else "inputs that are close move apart and gradients explode"
        far = f"ξ = {scale:.3g} layers, beyond 6ξ = {6 * scale:,.0f} a signal is forgotten"
    sign = "<" if ordered else ">"
    return f"{phase.verdict}: χ = {phase.chi:.4g} {sign} 1 ({numbers}); {meaning}; {far}."


def overflow_line(observation: Observation) -> str:
    """Returns a sentence about the networks in which numbers overflow, or '' if there are none."""
    gradients = observation.measured.gradients
    lost = np.count_nonzero(np.isnan(gradients[:, 0]))
    if not lost:
        return ""
    return (
        f"In {lost:,} of {len(gradients):,} networks numbers overflow; no gradient comes down through these."
    )


def name_of(setup: Setup, choices: Mapping[str, str]) -> str:
    """Returns what is looked at, such as 'he · 50 hidden layers of 100 relu units'."""
    hidden = setup.network.sizes[1:-1]
    units = str(hidden[0]) if len(set(hidden)) == 1 else ", ".join(map(str, hidden))
    layers = "1 hidden layer" if len(hidden) == 1 else f"{len(hidden)} hidden layers"
    residual = "residual " if any(setup.network.skips) else ""
    normalized = setup.network.normalization
    residual += "" if normalized == "none" else f"{normalized}-normalized "
    return f"{choices['init']} · {residual}{layers} of {units} {setup.network.activation_name} units"


def describe(setup: Setup, choices: Mapping[str, str], observation: Observation) -> str:
    """Returns in a few sentences of markdown what was seen."""
    forward, correlation, gradient = curves_of(observation)
    inputs, seeds = setup.settings.input, setup.settings.seeds
    times = "once" if seeds == 1 else f"{seeds:,} times (medians)"
    verdict, overflow = verdict_line(observation), overflow_line(observation)
    return (
        f"**{escaped(name_of(setup, choices))}**, drawn {times}. In the top hidden layer "
        f"an input of mean square {inputs.mean_square:g} has the mean square {_beside(forward, -1)}, two "
        f"inputs of correlation {inputs.correlation:g} have the correlation {_beside(correlation, -1)}, and "
        f"of a gradient of mean square 1 there, {_beside(gradient, 0)} is left in the first. "
        f"{overflow}{overflow and ' '}{verdict[0].upper()}{verdict[1:]}"
    )


def picture_of(curves: Curves, title: str, subtitle: str) -> bytes:
    """Returns the three quantities over the layers, as a PNG."""
    from initlab.plots import Panel, figure_png, propagation_figure

    names = ("mean square of the signal", "correlation of two inputs", "mean square of the gradient")
    panels = [
        Panel(name, *curve, logarithmic=number != 1)
        for number, (name, curve) in enumerate(zip(names, curves, strict=True))
    ]
    layers = range(1, len(curves.forward.median) + 1)
    return figure_png(propagation_figure(layers, panels, title, subtitle))


def _quartiles(values: Array) -> tuple[Array, Array, Array]:
    """Returns the median and the two quartiles over the seeds, of the values that are numbers."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # a layer that no signal reaches has no numbers
        between, higher = (
            np.nanquantile(values, [0.5, 0.25, 0.75], axis=0, method=method)
            for method in ("linear", "higher")
        )
    # Between two infinities NumPy finds NaN.
    median, low, high = np.where(np.isnan(between), higher, between)
    return median, low, high


def _scales(phase: Phase, normalization: str) -> str:
    """Returns σw and, if it is so for signals of this size, which is critical."""
    sigma_w, border = math.sqrt(phase.sigma_w2), phase.critical_sigma_w
    if normalization != "none":
        matters = "does not matter" if normalization == "batch" else "matters by its ratio to σb only"
        return f"σw = {sigma_w:.4g}, which with {normalization} normalization {matters}"
    if border is None:
        return f"σw = {sigma_w:.4g}, no σw is critical"
    # Where a signal ends at 0 or infinity χ is (σw / critical σw)², unless the critical σw is that of other
    # signals: gelu has one for those that vanish and another for those that grow.
    other = phase.scale_free and not math.isclose(sigma_w, border * math.sqrt(phase.chi), rel_tol=1e-3)
    return f"σw = {sigma_w:.4g}" + ("" if other else f", {border:.4g} is critical")


def _beside(curve: LayerCurve, layer: int) -> str:
    measured, predicted = curve.median[layer], curve.predicted[layer]
    return f"**{_number(measured)}**" + ("" if np.isnan(predicted) else f" (theory {_number(predicted)})")


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3g}"
