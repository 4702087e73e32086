"""A stack: runs that train together, and all that they share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

from initlab.config.schema import Settings
from initlab.networks.network import Network
from initlab.optimizers.rules import Update
from initlab.training.loop import Batches, minibatches
from initlab.training.standing import Standing, at_start, together
from initlab.types import Array


class Data(NamedTuple):
    """Examples in the precision of a stack: (n, m) where all runs share them, else (R, n, m).

    Those of the validation part are None where there is none.
    """

    X_train: Array
    Y_train: Array
    X_test: Array
    Y_test: Array
    X_validation: Array | None
    Y_validation: Array | None


@dataclass(frozen=True, eq=False)
class Stack:
    """R runs that train together: one network, each run's first parameters ``start`` (R, P) and seed, the
    data, the update rule with every number as an array (R, 1), and the settings, but for the seed.

    ``begun`` is what was kept of each run's training so far; without it they are at their start.
    """

    network: Network
    start: Array
    seeds: Sequence[int]
    data: Data
    update: Update
    settings: Settings
    begun: Sequence[Mapping[str, NDArray[Any]]] = ()

    def standing(self) -> Standing:
        """Returns where the runs stand before their training here."""
        if self.begun:
            return together(self.start, self.begun, self.seeds)
        return at_start(self.start.copy(), self.seeds)

    def batches(self, first: int = 0) -> Batches | None:
        """Returns the examples of one iteration after another from the ``first``; None where every iteration
        sees all.
        """
        size, examples = self.settings.train.batch_size, self.data.X_train.shape[-1]
        return None if size is None else minibatches(self.seeds, examples, size, first)
