"""``initlab.run`` and ``initlab.load``: one run, trained now or tracked before, to look at."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from initlab._hydra import overrides_of, run_overrides
from initlab.config.targets import load_component
from initlab.datasets import Dataset
from initlab.errors import ConfigError
from initlab.networks.network import Network, flatten, predict
from initlab.runs.job import data_and_network
from initlab.runs.pictures import boundary_png, cost_png
from initlab.runs.stored import read_back
from initlab.runs.summary import Summary, Trained
from initlab.types import Array
from initlab.verdicts import Diagnosis

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # noqa: TID251  the type alone


@dataclass(frozen=True)
class Picture:
    """A picture, which a notebook shows; ``png`` are its bytes."""

    png: bytes = field(repr=False)

    def save(self, path: str | Path) -> None:
        """Writes the picture to a file."""
        Path(path).write_bytes(self.png)

    def _repr_png_(self) -> bytes:
        return self.png


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A run that was trained by ``initlab.run`` or read by ``initlab.load``.

    * ``config``: its whole config, as dicts, lists and values
    * ``summary``: its name, tags, costs, scores and diagnosis, and where it is tracked
    * ``history``: by name, the ``cost`` (n,) before each update and what was measured, as in history.npz
    * ``weights``: by name, ``W1_initial`` (n_1, n_0), ``b1_initial`` (n_1, 1), … and ``W1``, ``b1``, … as trained
    """

    config: Mapping[str, Any]
    summary: Summary
    history: Mapping[str, NDArray[Any]]
    weights: Mapping[str, Array]
    _picture: Callable[[str], bytes]
    _data_and_network: Callable[[], tuple[Dataset, Network]]

    @property
    def name(self) -> str:
        """The run's name, such as he-seed3."""
        return self.summary.name

    @property
    def final_cost(self) -> float | None:
        """The cost after the last update; None of a run that diverged."""
        return self.summary.final_cost

    @property
    def diagnosis(self) -> Diagnosis:
        """What the measurements mean: pairs of a verdict's name and a sentence, the weightiest first."""
        return self.summary.diagnosis

    @property
    def run_id(self) -> str | None:
        """The id of its MLflow run, for ``initlab.load``; None of a run that is not tracked."""
        return self.summary.run_id

    @property
    def boundary(self) -> Picture:
        """The decision boundary, or the predicted values, of the trained network, as in boundary.png."""
        return Picture(self._picture("boundary.png"))

    @property
    def costs(self) -> Array:
        """The cost after 0, 1, … updates, the final one included; (n,) or (n + 1,)."""
        ...

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Returns axes with the cost after every update, in a new figure unless ``ax`` is given."""
