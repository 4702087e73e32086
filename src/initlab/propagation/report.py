"""Reports what the microscope saw: the numbers of a phase, a description and a picture."""

import math
from collections.abc import Mapping

import numpy as np

from initlab.markup import escaped
from initlab.numerals import number
from initlab.propagation.curves import Curves, LayerCurve, curves_of
from initlab.propagation.jacobian import Spectra, jacobian_line
from initlab.propagation.setup import Observation, Setup
from initlab.propagation.verdict import bands_line, depth_line, overflow_line, verdict_line
from initlab.theory.finite_width import quantiles
from initlab.theory.mean_field import Phase


def metrics_of(phase: Phase | None) -> dict[str, float]:
    """Returns the numbers of a phase by metric name; those that are infinite are no metrics of MLflow's."""
    if phase is None:
        return {}
    numbers = {
        "sigma_w": math.sqrt(phase.sigma_w2),
        "sigma_b": math.sqrt(phase.sigma_b2),
        "critical_sigma_w": phase.critical_sigma_w,
        "chi": phase.chi,
        "chi_parallel": phase.chi_parallel,
        "depth_scale": phase.depth_scale,
        "fixed_point/mean_square": phase.mean_square,
        "fixed_point/correlation": phase.correlation,
    }
    return {name: number for name, number in numbers.items() if number is not None}


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
    inputs, seeds = setup.settings.input, setup.settings.seeds
    times = "once" if seeds == 1 else f"{seeds:,} times (medians)"
    curves = curves_of(observation)
    verdict = verdict_line(observation)
    lines = [overflow_line(observation), verdict[0].upper() + verdict[1:], depth_line(curves)]
    lines.append(bands_line(observation))
    if observation.spectra is not None:
        lines.append(jacobian_line(observation.spectra))
    forward, correlation = _beside(curves.forward, -1), _beside(curves.correlation, -1)
    return (
        f"**{escaped(name_of(setup, choices))}**, drawn {times}. In the top hidden layer "
        f"an input of mean square {inputs.mean_square:g} has the mean square {forward}, two "
        f"inputs of correlation {inputs.correlation:g} have the correlation {correlation}. "
        + " ".join(line for line in lines if line)
    )


def picture_of(curves: Curves, title: str, subtitle: str) -> bytes:
    """Returns the three quantities over the layers, as a PNG."""
    from initlab.plots import Panel, figure_png, propagation_figure

    names = ("mean square of the signal", "correlation of two inputs", "mean square of the gradient")
    panels = [
        Panel(
            name,
            curve.median,
            curve.low,
            curve.high,
            curve.theory,
            curve.band_low,
            curve.band_high,
            logarithmic=number != 1,
        )
        for number, (name, curve) in enumerate(zip(names, curves, strict=True))
    ]
    layers = range(1, len(curves.forward.median) + 1)
    return figure_png(propagation_figure(layers, panels, title, subtitle))


def spectrum_picture(spectra: Spectra, title: str, subtitle: str) -> bytes:
    """Returns all singular values of the top layer's Jacobian and their spread over the layers, as a PNG."""
    from initlab.plots import Panel, figure_png, spectrum_figure

    low, median, high = quantiles(spectra.values[-1], (0.25, 0.5, 0.75))
    unknown = np.full(len(median), np.nan)
    values = Panel("singular values of the top layer", median, low, high, unknown, logarithmic=True)
    name = "Var(JJᵀ): how unlike their squares are, 0 where all are alike"
    lower, upper = spectra.variance_quartiles
    spread = Panel(name, spectra.summary["variance"], lower, upper, spectra.predicted)
    return figure_png(spectrum_figure(values, spectra.layers, spread, title, subtitle))


def _beside(curve: LayerCurve, layer: int) -> str:
    measured, theory = float(curve.median[layer]), float(curve.theory[layer])
    return f"**{number(measured)}**" + ("" if np.isnan(theory) else f" (theory {number(theory)})")
