"""Where runs stand between two iterations: all that they need to go on from there, in whatever stack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initlab.optimizers.rules import State
from initlab.types import Array

REMEMBERED = "remembered/"


@dataclass(eq=False)
class Standing:
    """R runs: their parameters (R, P) at the start of training and now, what the update rule remembers, the
    parameters (P,) at which those that have diverged are frozen, and the seeds, if they are known.

    Training changes all but ``start`` and ``seeds`` in place.
    """

    start: Array
    parameters: Array
    state: State = field(default_factory=State)
    frozen: dict[int, Array] = field(default_factory=dict)
    seeds: Sequence[int] = ()

    @property
    def iteration(self) -> int:
        """The number of the iteration that is next, counted from 0."""
        return self.state.step

    @property
    def can_be_parted(self) -> bool:
        """Whether the update rule remembers arrays with a row for each run and no more, as it is meant to."""
        runs, remembered = len(self.start), self.state.values()
        rows = all(isinstance(kept, np.ndarray) and kept.shape[:1] == (runs,) for kept in remembered)
        return rows and vars(self.state).keys() <= {"step"}

    def of(self, run: int) -> dict[str, NDArray[Any]]:
        """Returns where one run stands, as arrays by name; its start is left out."""
        return {
            "iteration": np.array(self.iteration),
            "parameters": self.parameters[run],
            "frozen": np.array(run in self.frozen),
            **{f"{REMEMBERED}{name}": kept[run] for name, kept in self.state.items()},
        }


def at_start(parameters: Array, seeds: Sequence[int] = ()) -> Standing:
    """Returns where runs stand that have not begun; ``parameters`` (R, P) will be trained in place."""
    return Standing(parameters.copy(), parameters, seeds=seeds)


def together(start: Array, runs: Sequence[Mapping[str, NDArray[Any]]], seeds: Sequence[int] = ()) -> Standing:
    """Returns where runs stand that began at ``start`` (R, P) and are all before the same iteration, from
    what ``Standing.of`` gave of each.
    """
    names = [key for key in runs[0] if key.startswith(REMEMBERED)]
    state = State({key.removeprefix(REMEMBERED): np.stack([run[key] for run in runs]) for key in names})
    state.step = int(runs[0]["iteration"])
    parameters = np.stack([run["parameters"] for run in runs])
    frozen = {index: parameters[index].copy() for index, run in enumerate(runs) if run["frozen"]}
    return Standing(start, parameters, state, frozen, seeds)
