"""Steps, labels and trainings that several test modules need."""

from types import SimpleNamespace

import numpy as np

from initlab.networks.tape import passed, with_ones
from initlab.training.loop import fit
from initlab.training.probe import Probe
from initlab.training.standing import at_start
from initlab.training.step import Step


def step_of(network, parameters, X, Y, start=None, updated=None, **more):
    tape = passed(network, parameters, with_ones(X), network.output.targets(Y))
    start = parameters if start is None else start
    updated = parameters if updated is None else updated
    return Step(network, start, parameters, tape.gradient, updated, tape, **more)


def labels_of(network, rng, m):
    n_y = network.sizes[-1]
    if network.output_name == "sigmoid":
        return rng.randint(2, size=(1, m)).astype(float)
    return np.eye(n_y)[rng.randint(n_y, size=m)].T if network.output_name == "softmax" else rng.randn(n_y, m)


def gradients_at(network, points, X1, targets):
    return passed(network, points, X1, targets).gradient


def fit_and_measure(network, parameters, X, Y, update, *, iterations, batches=None, probes=()):
    """Yields the records of a training with copies of the parameters and what each probe has measured."""
    steps_at = frozenset().union(*(probe.iterations for probe in probes))
    training = fit(
        network,
        at_start(parameters),
        (X, Y),
        update,
        iterations=iterations,
        batches=batches,
        steps_at=steps_at,
    )
    for record in training:
        measured = [
            probe.measure(record.step) if record.iteration in probe.iterations else {} for probe in probes
        ]
        yield SimpleNamespace(
            iteration=record.iteration,
            cost=record.cost,
            parameters=record.parameters.copy(),
            diverged=record.diverged,
            step=record.step,
            measured=measured,
        )


def every(iterations, *measurements, interval=1):
    return Probe("measured_at", measurements, range(0, iterations, interval))
