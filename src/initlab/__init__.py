"""What does the way a neural network's weights start do to its training?

* ``initlab.run("init=he", seed=3)``: one run, trained and tracked as by the command ``initlab``
* ``initlab.sweep("init=zeros,random,he", seed=range(20))``: many, as by ``initlab -m``
* ``initlab.load(run_id)``: a run that was tracked before
* ``initlab.start("he", (10, 5))``: the first weights of a layer, for networks of anybody's
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from initlab.face.run import Run, load, run
    from initlab.face.start import start
    from initlab.face.sweep import Sweep, sweep

__version__ = "0.2.0"
__all__ = ["Run", "Sweep", "load", "run", "start", "sweep"]

_HOMES = {
    "Run": "run",
    "Sweep": "sweep",
    "load": "run",
    "run": "run",
    "start": "start",
    "sweep": "sweep",
}


def __getattr__(name: str) -> Any:
    """Imports what is asked for first, and so NumPy and Hydra only for those who need them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'initlab' has no attribute {name!r}")
    return getattr(import_module(f"initlab.face.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
