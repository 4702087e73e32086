"""A paper on the shelf, as its ``paper.yaml`` has it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import yaml

from initlab.errors import ConfigError
from initlab.shelf.estimate import Estimate

PLACE = "initlab.replications"


@dataclass(frozen=True, kw_only=True)
class Published:
    """One result of a paper: ``what`` was found and ``where`` it stands in the paper.

    It is a number, a ``value`` with the ``tolerance`` that it may be missed by, or a bound, ``at_least`` and
    ``at_most``; with neither it is shown as ``printed`` and not tested. ``claim`` marks what the paper is
    about: without it nothing is left of the paper, while a number may well be another one elsewhere.
    ``second_hand`` says that the paper itself was not at hand: what it says, or where, is known from others
    or remembered. ``why`` tells what is the matter if it does not come out, and is shown only then.
    """

    what: str
    where: str
    value: float | None = None
    tolerance: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    printed: str = ""
    percent: bool = False
    claim: bool = False
    second_hand: bool = False
    why: str = ""

    @property
    def allowed(self) -> tuple[float, float] | None:
        """The ends between which a result agrees with the paper; None where nothing is tested."""
        if self.value is not None and self.tolerance is not None:
            return self.value - self.tolerance, self.value + self.tolerance
        if self.at_least is None and self.at_most is None:
            return None
        return (
            -math.inf if self.at_least is None else self.at_least,
            math.inf if self.at_most is None else self.at_most,
        )

    def agrees(self, ours: Estimate) -> bool | None:
        """Returns whether our whole interval lies where the paper allows it, or wholly elsewhere (False).

        None: it reaches across an end, or nothing is tested.
        """
        if self.allowed is None:
            return None
        low, high = self.allowed
        if low <= ours.low and ours.high <= high:
            return True
        return False if ours.high < low or high < ours.low else None


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What a paper claims, where it was published, how the settings here differ from its own (``here``),
    its results by name, and the settings of the measurement: ``settings``, and what of them is less in the
    ``short`` form.
    """

    name: str
    title: str
    authors: str
    year: int
    source: str
    claim: str
    here: str
    published: Mapping[str, Published]
    settings: Mapping[str, Any]
    short: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cited(self) -> str:
        """Authors and year."""
        return f"{self.authors} {self.year}"


def names() -> list[str]:
    """Returns the names of the papers on the shelf, the oldest paper first."""
    folders = [one.name for one in files(PLACE).iterdir() if (one / "paper.yaml").is_file()]
    return sorted(folders, key=lambda name: (_year(name), name))


def _year(name: str) -> str:
    return name[-4:]


def read(name: str) -> Paper:
    """Returns the paper of a name; raises ConfigError where there is none."""
    if name not in names():
        raise ConfigError(f"{name}: is not on the shelf; there are {', '.join(names())}")
    values = yaml.safe_load((files(PLACE) / name / "paper.yaml").read_text())
    published = {key: Published(**one) for key, one in values.pop("published").items()}
    return Paper(name=name, published=published, **values)
