"""Diagnostics: small pure functions that measure a step of the training. DIAGNOSTICS lists all of them.

Each takes a Step and returns a mapping from what is measured ('layer1', …, 'global') to one value a run (R,).
A metric is called ``<function>/<what>``, for example ``grad_norm/layer1``. Layers count from 1; the last
is the output. A number that has no value, such as a correlation of one example, is NaN.
"""

from collections.abc import Sequence

from initlab.diagnostics.derivatives import jacobian as jacobian
from initlab.diagnostics.derivatives import tangent_kernel as tangent_kernel
from initlab.diagnostics.norms import distance as distance
from initlab.diagnostics.norms import grad_norm as grad_norm
from initlab.diagnostics.norms import preactivation_gradient as preactivation_gradient
from initlab.diagnostics.norms import update_ratio as update_ratio
from initlab.diagnostics.norms import weight_norm as weight_norm
from initlab.diagnostics.sharpness import gradient_quotient as gradient_quotient
from initlab.diagnostics.sharpness import hessian as hessian
from initlab.diagnostics.units import activation_mean as activation_mean
from initlab.diagnostics.units import activation_mean_square as activation_mean_square
from initlab.diagnostics.units import activation_std as activation_std
from initlab.diagnostics.units import dead_units as dead_units
from initlab.diagnostics.units import distinct_units as distinct_units
from initlab.diagnostics.units import effective_rank as effective_rank
from initlab.diagnostics.units import input_correlation as input_correlation
from initlab.diagnostics.units import saturation as saturation
from initlab.diagnostics.units import unit_similarity as unit_similarity
from initlab.training.probe import Measurement as Measurement
from initlab.training.probe import Probe
from initlab.training.step import Step as Step
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
