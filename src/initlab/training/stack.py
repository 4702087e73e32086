"""A stack: runs that train together, and all that they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from initlab.config.schema import Settings
from initlab.networks.network import Network
from initlab.optimizers.rules import Update
from initlab.training.loop import Batches, minibatches
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
    """

    network: Network
    start: Array
    seeds: Sequence[int]
    data: Data
    update: Update
    settings: Settings

    def batches(self) -> Batches | None:
        """Returns the examples of one iteration after another; None where every iteration sees all."""
        size = self.settings.train.batch_size
        return None if size is None else minibatches(self.seeds, self.data.X_train.shape[-1], size)
