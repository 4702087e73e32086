"""The microscope's numbers by layer: medians and quartiles over the seeds, beside what theory predicts."""

from typing import NamedTuple

import numpy as np

from initlab.propagation.setup import Observation
from initlab.theory.finite_width import quantiles
from initlab.theory.gaussian import Values
from initlab.types import Array


class LayerCurve(NamedTuple):
    """One quantity at L layers: its median and quartiles over the seeds, and what the theory says; (L,) each.

    ``predicted`` is that of infinite width. ``band_low`` and ``band_high`` are where nine of ten networks of
    this width are and ``band_median`` is in their middle: NaN where the theory does not know.
    """

    median: Array
    low: Array
    high: Array
    predicted: Values
    band_low: Values
    band_median: Values
    band_high: Values

    @property
    def theory(self) -> Values:
        """What stands beside the median over the seeds: that of networks of this width, if it is known."""
        return np.where(np.isnan(self.band_median), self.predicted, self.band_median)


class Curves(NamedTuple):
    """The pre-activations' mean square, the correlation of two inputs and the gradient's mean square."""

    forward: LayerCurve
    correlation: LayerCurve
    gradient: LayerCurve


def curves_of(observation: Observation) -> Curves:
    """Returns the three quantities that are looked at."""
    measured, predicted = vars(observation.measured), vars(observation.predicted)
    found = []
    for name in ("mean_squares", "correlations", "gradients"):
        low, median, high = quantiles(measured[name], (0.25, 0.5, 0.75))
        bands = (predicted[f"{name}_{edge}"] for edge in ("low", "median", "high"))
        found.append(LayerCurve(median, low, high, predicted[name], *bands))
    return Curves(*found)


def metrics_by_layer(curves: Curves) -> dict[str, Array]:
    """Returns metrics by name, each with a value for every layer (L,)."""
    names = {"forward": "mean_square", "correlation": "inputs", "gradient": "mean_square"}
    found: dict[str, Array] = {}
    for group, curve in curves._asdict().items():
        found |= {f"{group}/{names[group]}": curve.median, f"{group}/predicted": curve.predicted}
        found |= {f"{group}/low": curve.low, f"{group}/high": curve.high}
        found |= {f"{group}/predicted_low": curve.band_low, f"{group}/predicted_high": curve.band_high}
        found |= {f"{group}/predicted_median": curve.band_median}
    return found
