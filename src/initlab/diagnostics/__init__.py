"""Diagnostics: small pure functions that measure a step of the training. DIAGNOSTICS lists all of them.

Each takes a Step and returns a mapping from what is measured ('layer1', …, 'global') to one value a run (R,).
A metric is called ``<function>/<what>``, for example ``grad_norm/layer1``. Layers count from 1; the last
is the output. A number that has no value, such as a correlation of one example, is NaN.
"""

from collections.abc import Sequence

from initlab.diagnostics.activity import (
    activation_mean,
    activation_mean_square,
    activation_std,
    dead_units,
    effective_rank,
    saturation,
)
from initlab.diagnostics.derivatives import jacobian, tangent_kernel
from initlab.diagnostics.norms import distance, grad_norm, preactivation_gradient, update_ratio, weight_norm
from initlab.diagnostics.sharpness import gradient_quotient, hessian
from initlab.diagnostics.similarity import distinct_units, input_correlation, unit_similarity
from initlab.training.probe import Measurement, Probe
from initlab.training.step import Step
from initlab.types import Array

DIAGNOSTICS: tuple[Measurement, ...] = (
    grad_norm,
    preactivation_gradient,
    weight_norm,
    update_ratio,
    distance,
    activation_mean,
    activation_mean_square,
    activation_std,
    dead_units,
    saturation,
    effective_rank,
    distinct_units,
    unit_similarity,
    input_correlation,
    gradient_quotient,
    hessian,
    jacobian,
    tangent_kernel,
)


def diagnostics_named(names: Sequence[str]) -> tuple[Measurement, ...]:
    """Returns the diagnostics of these names."""
    known = {diagnostic.__name__: diagnostic for diagnostic in DIAGNOSTICS}
    for name in names:
        if name not in known:
            raise ValueError(f"there is no diagnostic {name!r}; there are {', '.join(known)}")
    return tuple(known[name] for name in names)


def measure(step: Step, diagnostics: Sequence[Measurement]) -> dict[str, Array]:
    """Returns every diagnostic of a step by metric name, each (R,)."""
    return Probe("", diagnostics, ()).measure(step)


__all__ = [
    "DIAGNOSTICS",
    "Measurement",
    "Step",
    "activation_mean",
    "activation_mean_square",
    "activation_std",
    "dead_units",
    "diagnostics_named",
    "distance",
    "distinct_units",
    "effective_rank",
    "grad_norm",
    "gradient_quotient",
    "hessian",
    "input_correlation",
    "jacobian",
    "measure",
    "preactivation_gradient",
    "saturation",
    "tangent_kernel",
    "unit_similarity",
    "update_ratio",
    "weight_norm",
]
