"""What the diagnostics cost: the time of a training with a preset relative to one that measures nothing.

Both take turns in one process, one thread, and the median over the rounds counts. The preset is used as a
run uses it: its ``names`` at every ``every``-th iteration, its ``rare`` at log-spaced ones.
"""

import time
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from hydra import compose, initialize_config_module
from threadpoolctl import threadpool_limits

from initlab.datasets import Dataset, circles, digits
from initlab.diagnostics import diagnostics_named
from initlab.initializers import he, initial_parameters
from initlab.networks.network import Network, mlp
from initlab.optimizers.rules import gd
from initlab.training.history import History
from initlab.training.loop import fit, minibatches
from initlab.training.probe import Probe, log_spaced
from initlab.training.standing import at_start

ROUNDS = 9
PRESETS = ("light", "full")


class Case(NamedTuple):
    """What is trained: a name, a network on data, how many runs at once, iterations and batch size."""

    name: str
    network: Network
    data: Dataset
    runs: int
    iterations: int
    batch_size: int | None = None


def cases() -> list[Case]:
    """Returns the published network, alone and in a stack, and one on the digits."""
    small = mlp(2, hidden=[10, 5], activation="relu")
    large = replace(mlp(64, 10, hidden=[128, 64], activation="relu"), output_name="softmax")
    drawn = circles(n_train=300, n_test=100, noise=0.05, seed=1)
    return [
        Case("[2, 10, 5, 1], 15 000 iterations", small, drawn, 1, 15_000),
        Case("the same, stack of 32", small, drawn, 32, 3_000),
        Case("digits, 64-128-64-10, batch 128", large, digits(test_share=0.25, seed=1), 1, 3_000, 128),
    ]


def seconds(case: Case, preset: Any) -> float:
    """Returns how long a training takes, with a preset's diagnostics or, if it is None, without any."""
    seeds, data = range(case.runs), case.data
    start = np.stack([initial_parameters(he, case.network, seed) for seed in seeds])
    rates: Any = np.full((case.runs, 1), 0.01)
    batches = minibatches(seeds, data.X_train.shape[-1], case.batch_size) if case.batch_size else None
    probes = []
    if preset is not None:
        often, rarely = range(0, case.iterations, preset.every), log_spaced(case.iterations, preset.points)
        probes = [
            Probe("often", diagnostics_named(preset.names), often),
            Probe("rarely", diagnostics_named(preset.rare), rarely),
        ]
    history = History(case.runs, case.iterations, probes)
    update = partial(gd, learning_rate=rates)
    started = time.perf_counter()
    records = fit(
        case.network,
        at_start(start),
        (data.X_train, data.Y_train),
        update,
        iterations=case.iterations,
        batches=batches,
        steps_at=history.steps_at,
    )
    for record in records:
        history.add(record)
    return time.perf_counter() - started


def measure() -> list[tuple[str, str, str]]:
    """Returns a row for each case: its name and what light and full add to its time."""
    with initialize_config_module("initlab.conf", version_base="1.3"):
        presets = [compose("config", [f"diagnostics={name}"]).diagnostics for name in PRESETS]
    rows = []
    with threadpool_limits(1), np.errstate(all="ignore"):
        for case in cases():
            rounds = [[seconds(case, preset) for preset in (None, *presets)] for _ in range(ROUNDS)]
            light, full = (median(times[i] / times[0] for times in rounds) - 1 for i in (1, 2))
            rows.append((case.name, f"{light:+.0%}", f"{full:+.0%}"))
    return rows
