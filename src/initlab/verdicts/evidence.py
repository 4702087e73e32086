"""The evidence for a diagnosis: a run's costs and scores, and measurements of its layers first and last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from initlab.diagnostics import Step, diagnostics_named, measure
from initlab.networks.network import Network
from initlab.networks.outputs import Output
from initlab.networks.tape import passed, with_ones
from initlab.types import Array

MEASURED = diagnostics_named(
    ("grad_norm", "preactivation_gradient", "dead_units", "distinct_units", "saturation")
)


@dataclass(frozen=True)
class Evidence:
    """What a diagnosis of one run, trained on so many ``examples``, rests on.

    ``at_start`` and ``at_end`` hold measurements over all training examples by metric name; ``moved`` (L,)
    how far each layer's weights, biases left out, are from their start (Euclidean). ``costs`` (n,) are those
    before each update. ``score`` is the accuracy, or R² of a regression; ``baseline`` and ``baseline_cost``
    are what one answer for every training example would score and cost: the larger class, or the mean.
    """

    network: Network
    examples: int
    costs: Array
    final_cost: float | None
    diverged_at: int | None
    score: float | None
    test_score: float | None
    baseline: float
    baseline_cost: float
    learning_rate: float | None
    at_start: Mapping[str, float]
    at_end: Mapping[str, float]
    moved: Sequence[float]

    @property
    def output(self) -> Output:
        """The rules of the network's answers."""
        return self.network.output

    def by_layer(self, name: str, end: bool = False) -> list[float]:
        """Returns a measurement of layer 1, 2, … at the start or the end; empty where there is none."""
        found = self.at_end if end else self.at_start
        layers = range(1, len(self.network.sizes))
        return [found[f"{name}/layer{n}"] for n in layers if f"{name}/layer{n}" in found]


def layers_at(network: Network, parameters: Array, X: Array, Y: Array) -> list[dict[str, float]]:
    """Returns what MEASURED says of each run's network at its parameters (R, P), over all examples."""
    tape = passed(network, parameters, with_ones(X), network.output.targets(Y))
    step = Step(network, parameters, parameters, tape.gradient, parameters, tape)
    found = measure(step, MEASURED)
    return [{key: float(values[run]) for key, values in found.items()} for run in range(len(parameters))]
