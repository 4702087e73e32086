"""When to measure, and what: a probe names measurements and the iterations at which they are taken."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from initlab.training.step import Step
from initlab.types import Array

Measurement = Callable[[Step], Mapping[str, Array]]


@dataclass(frozen=True)
class Probe:
    """Measurements that are taken together at some iterations, which the history lists under ``name``."""

    name: str
    measurements: Sequence[Measurement]
    iterations: Collection[int]

    def measure(self, step: Step) -> dict[str, Array]:
        """Returns every measurement of a step by metric name, ``<function>/<what>``, each (R,)."""
        return {
            f"{measurement.__name__}/{what}": value
            for measurement in self.measurements
            for what, value in measurement(step).items()
        }


def log_spaced(iterations: int, points: int) -> list[int]:
    """Returns at most ``points`` log-spaced iterations, the last one included, in rising order."""
    if points == 0:
        return []
    made = np.geomspace(iterations, 1, points)  # from the end, so that one point is the last
    return sorted({round(n) - 1 for n in made.tolist()})
