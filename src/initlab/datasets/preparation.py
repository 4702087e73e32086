"""How the columns of a table became features: said in words, and kept as a file."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from initlab.datasets.columns import listed

MOST_CATEGORIES = 6  # of a column, in words


class Scale(NamedTuple):
    """The mean and standard deviation over the training part by which a column was standardised."""

    mean: float
    std: float


@dataclass(frozen=True)
class Filled:
    """What stands for the missing values of a column, and how many there were."""

    value: float | str
    rows: int


@dataclass(frozen=True)
class Preparation:
    """What was done to a table, all of it learned from the training part.

    * ``target``: the target's column; ``targets``: of several all columns, the first among them
    * ``classes``: the target's values, where they are classes; ``features``: the names, in their order
    * ``columns``: the kind of each column that features were made of, in their order
    * ``dropped``: the columns that were left out; ``incomplete_rows``: how many rows were, for missing values
    * ``filled``: of each column with missing values what they became, the median or the most frequent value
    * ``categories``: of each text column its values, of which each became a feature, column=value, of 0 and 1
    * ``unknown``: of each text column how many examples have a value that the training part has not; all its
      features are 0 there
    * ``scales``: of each feature made of numbers, and of a regression's target, by what it was standardised
    """

    file: str
    target: str
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    incomplete_rows: int = 0
    filled: Mapping[str, Filled] = field(default_factory=dict)
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    scales: Mapping[str, Scale] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> str:
        """All of it, as preprocessing.json holds it."""
        scales = {name: scale._asdict() for name, scale in self.scales.items()}
        return json.dumps(asdict(self) | {"scales": scales}, indent=1, ensure_ascii=False)

    @property
    def words(self) -> str:
        """All of it but the scales in sentences of markdown; empty for a whole table of numbers."""
        return " ".join(self._sentences())

    def _sentences(self) -> Iterable[str]:
        if self.dropped:
            yield f"Left out of {self.file}: {listed(self.dropped)}."
        if self.incomplete_rows:
            rows = "1 row lacks" if self.incomplete_rows == 1 else f"{self.incomplete_rows:,} rows lack"
            yield f"{rows} a value and {'is' if self.incomplete_rows == 1 else 'are'} left out."
        if self.filled:
            each = (f"{name} by {_shown(one.value)} ({one.rows})" for name, one in self.filled.items())
            yield (
                "Missing values are filled by the training part's median, of text and true/false by its most "
                f"frequent value: {listed(each)}."
            )
        if self.categories:
            each = (f"{name} ({listed(values, MOST_CATEGORIES)})" for name, values in self.categories.items())
            yield f"Text became one feature of 0 and 1 for each category: {listed(each)}."
        if self.unknown:
            each = (
                f"{name} ({listed(values, MOST_CATEGORIES)}; {sum(values.values())} examples)"
                for name, values in self.unknown.items()
            )
            yield f"Categories that the training part does not have are 0 in all features: {listed(each)}."


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
