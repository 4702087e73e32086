"""A trained network as a function of what was measured: rows in, class labels or numbers out.

It needs NumPy alone, SciPy for two activations, and nothing of Initlab's: an MLflow model holds a copy of
this file, and so answers where Initlab is not installed. Rows are examples, as in scikit-learn and MLflow.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

NETWORK, WEIGHTS = "network.json", "weights.npz"  # the files that hold a predictor
NUMBERS = ("number", "whole number", "true or false")  # kinds of columns, beside "text"
EPSILON = 1e-5  # of a normalization, beside the variance
SELU_RIGHT, SELU_LEFT = 1.0507009873554805, 1.7580993408473766  # λ and λ α
FAR = 800.0  # beyond −FAR gelu and silu are 0 in every precision; 0 · inf, which is nan, is kept out


@dataclass(frozen=True)
class Column:
    """An input as it was measured: its name, if it has one, and its kind, one of NUMBERS or "text".

    Numbers are taken less ``mean``, divided by ``std``; where that is 0 they are 0. Of a text each category
    makes a feature, 1 for itself and 0 for all others. ``fill`` stands for what is missing.
    """

    name: str | None = None
    kind: str = "number"
    mean: float = 0.0
    std: float = 1.0
    categories: Sequence[str] = ()
    fill: float | str | None = None


@dataclass(frozen=True)
class Target:
    """A number that is predicted: its name, if it has one, and by what it was standardised."""

    name: str | None = None
    mean: float = 0.0
    std: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """A network with its weights, the columns that it reads, and the classes or targets that it says.

    ``is_table`` is whether the inputs were the columns of a table, told by their names, or of an array;
    ``skips`` says of each hidden layer whether a residual branch, of ``branch_depth`` layers, ends with it.
    ``weights`` are arrays by name: W1 (n_1, n_0), b1 (n_1, 1), …, where layers are normalized gain1, shift1,
    mean1, variance1, … and, where there are scalars, bias_out1 (1, 1), bias_in2, multiplier2, …
    """

    columns: Sequence[Column]
    is_table: bool = False
    classes: Sequence[str | int] = ()
    targets: Sequence[Target] = ()
    activation: str
    skips: Sequence[bool]
    branch_scale: float = 1.0
    branch_depth: int = 1
    normalization: str = "none"
    weights: Mapping[str, Array]

    def predict(self, X: Any) -> Array:
        """Returns the class (m,) of each row of X (m, n) by its name, or the targets in their own units: (m,)
        of one, (m, n_y) of several.

        X is a table whose columns have the inputs' names, in any order and among others, or an array with a
        column for each input, in order. Raises ValueError for inputs of another shape, missing values that
        training did not fill, and where the network has no finite answer.
        """
        answers = self._answers(X)
        if self.targets:
            means, stds = np.array([(target.mean, target.std) for target in self.targets]).T
            values: Array = answers * stds + means
            return values[:, 0] if len(self.targets) == 1 else values
        two = answers.shape[1] == 1
        labels: Array = (answers[:, 0] > 0.5).astype(int) if two else answers.argmax(axis=1)
        return np.array(self.classes)[labels]

    def predict_proba(self, X: Any) -> Array:
        """Returns the probability (m, K) of each class, in the order of ``classes``, of the rows of X (m, n).

        Raises ValueError as ``predict`` does, and where the network says numbers instead.
        """
        if self.targets:
            raise ValueError("the network predicts numbers: there are no classes to have probabilities")
        answers = self._answers(X)
        return np.hstack([1 - answers, answers]) if answers.shape[1] == 1 else answers

    def _answers(self, X: Any) -> Array:
        """Returns what the output layer says (m, n_y)."""
        with np.errstate(all="ignore"):  # a saturated logit overflows to the right limit
            answers: Array = self._forward(self.features(X)).T.astype(np.float64)
        if not np.isfinite(answers).all():
            raise ValueError("the network has no finite answer: it has diverged, or the inputs are too large")
        return answers

    def features(self, X: Any) -> Array:
        """Returns what the network's first layer reads (n_0, m) of the rows of X."""
        both = zip(_values(X, self.columns), self.columns, strict=True)
        rows = [_features(values, column, place) for place, (values, column) in enumerate(both, start=1)]
        return np.concatenate(rows).astype(self.weights["W1"].dtype)

    def _forward(self, a: Array) -> Array:
        """Returns probabilities, or the linear output, (n_y, m) of features (n_0, m)."""
        below = [a]  # the activations of layer 0, 1, …
        for layer, ends in enumerate(self.skips, start=1):
            z = self._pre_activation(below[-1], layer)
            added = self.branch_scale, below[layer - self.branch_depth] if ends else None
            if self.branch_depth > 1:  # what is added to passes the activation, too
                below.append(ACTIVATIONS[self.activation](_joined(z, *added)))
            else:
                below.append(_joined(ACTIVATIONS[self.activation](z), *added))
        z = self._pre_activation(below[-1], len(below))
        if self.targets:
            return z
        return _sigmoid(z) if len(z) == 1 else _softmax(z)

    def _pre_activation(self, a: Array, layer: int) -> Array:
        """Returns what a layer makes of the activations below, without what a branch adds to."""
        w = self.weights
        y = w[f"W{layer}"] @ (a + w.get(f"bias_in{layer}", 0)) + w[f"b{layer}"]
        if layer <= len(self.skips):
            y = self._normalized(y, layer)
        z: Array = y * w.get(f"multiplier{layer}", 1) + w.get(f"bias_out{layer}", 0)
        return z

    def _normalized(self, y: Array, layer: int) -> Array:
        if self.normalization == "none":
            return y
        w: dict[str, Any] = {
            name: self.weights.get(f"{name}{layer}") for name in ("gain", "shift", "mean", "variance")
        }
        batch = self.normalization == "batch"
        mean = w["mean"] if batch else y.mean(axis=0, keepdims=True)
        variance = w["variance"] if batch else y.var(axis=0, keepdims=True)
        z: Array = w["gain"] * (y - mean) / np.sqrt(variance + y.dtype.type(EPSILON)) + w["shift"]
        return z

    @property
    def files(self) -> dict[str, bytes]:
        """The files that hold it, by their names: without pickle, as ``read`` takes them."""
        about = {name: value for name, value in vars(self).items() if name != "weights"}
        about |= {name: [asdict(one) for one in about[name]] for name in ("columns", "targets")}
        np.savez(weights := io.BytesIO(), allow_pickle=False, **self.weights)
        text = json.dumps(about, indent=1, ensure_ascii=False)
        return {NETWORK: text.encode(), WEIGHTS: weights.getvalue()}

    @classmethod
    def read(cls, folder: Path) -> "Predictor":
        """Returns the predictor that the files in a folder hold."""
        about = json.loads((folder / NETWORK).read_text(encoding="utf-8"))
        about |= {"columns": [Column(**one) for one in about["columns"]]}
        about |= {"targets": [Target(**one) for one in about["targets"]]}
        with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
            return cls(**about, weights=dict(arrays))


def _values(X: Any, columns: Sequence[Column]) -> list[Any]:
    """Returns the values (m,) of each column: by its name, where both have names, or by its place."""
    names = [column.name for column in columns if column.name is not None]
    if hasattr(X, "columns") and _has_names(X) and names:
        missing = [name for name in names if name not in X.columns]
        if missing:
            raise ValueError(f"inputs lack {_listed(missing)}; they must have {_listed(names)}")
        return [X[name] for name in names]
    table = X if isinstance(X, np.ndarray) else np.asarray(X, object)
    if table.ndim != 2 or table.shape[1] != len(columns):
        said = f": {_listed(names)}" if names else ""
        raise ValueError(
            f"inputs have the shape {table.shape}; they must be rows of {len(columns)} columns{said}"
        )
    return list(table.T)


def _has_names(table: Any) -> bool:
    """Returns whether a table's columns are named, and not only numbered."""
    return not all(isinstance(name, int | np.integer) for name in table.columns)


def _features(values: Any, column: Column, place: int) -> Array:
    """Returns what becomes of a column's values (m,): (1, m) of numbers, (K, m) of texts."""
    make = _of_numbers if column.kind in NUMBERS else _of_texts
    try:
        if values.ndim != 1:
            raise ValueError("several columns have this name")
        return make(values, column)
    except (TypeError, ValueError) as error:
        raise ValueError(f"input {column.name or place}: {error}") from error


def _of_numbers(values: Any, column: Column) -> Array:
    if hasattr(values, "to_numpy"):  # of pandas, which has several ways to say that a value is missing
        values = values.to_numpy(np.float64, na_value=np.nan)
    numbers = np.asarray(values, np.float64)
    numbers = _filled(numbers, np.isnan(numbers), column)
    if np.isinf(numbers).any():
        raise ValueError(f"{np.isinf(numbers).sum()} of {len(numbers)} values are infinite")
    return ((numbers - column.mean) / column.std if column.std else 0 * numbers)[np.newaxis]


def _of_texts(values: Any, column: Column) -> Array:
    if hasattr(values, "to_numpy"):
        values = values.astype(object).where(values.notna(), None).to_numpy(object)
    missing = np.array([value is None or value != value for value in values], bool)
    texts = _filled(values, missing, column)
    return np.array([texts == category for category in column.categories], np.float64)


def _filled(values: Array, missing: NDArray[np.bool_], column: Column) -> Array:
    """Returns values (m,) with the column's fill in the place of missing ones."""
    if not missing.any():
        return values
    if column.fill is None:
        raise ValueError(
            f"{missing.sum()} of {len(values)} values are missing, and training had no gap to learn by what "
            "to fill it"
        )
    return np.where(missing, np.array(column.fill, values.dtype), values)


def _listed(names: Sequence[Any], most: int = 10) -> str:
    rest = len(names) - most
    return ", ".join(map(str, names[:most])) + (f" and {rest} more" if rest > 0 else "")


def _joined(f: Array, scale: float, a: Array | None) -> Array:
    return f if a is None else a + scale * f


def _sigmoid(z: Array) -> Array:
    p: Array = 1 / (1 + np.exp(-z))
    return p


def _softmax(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=0))
    shares: Array = powers / powers.sum(axis=0)
    return shares


def _gelu(z: Array) -> Array:
    from scipy.special import ndtr

    a: Array = np.maximum(z, -FAR) * ndtr(z)
    return a


def _erf(z: Array) -> Array:
    from scipy.special import erf

    a: Array = erf(z)
    return a


ACTIVATIONS: dict[str, Callable[[Array], Any]] = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.maximum(z, z * 0.01),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "selu": lambda z: SELU_RIGHT * np.maximum(z, 0) + SELU_LEFT * np.expm1(np.minimum(z, 0)),
    "gelu": _gelu,
    "silu": lambda z: np.maximum(z, -FAR) * _sigmoid(z),
    "softplus": lambda z: np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "erf": _erf,
    "sin": np.sin,
    "softsign": lambda z: z / (1 + np.abs(z)),
    "exponential": np.exp,
    "linear": lambda z: z,
}
