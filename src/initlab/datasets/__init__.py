"""Functions that return a Dataset, whose columns are examples.

There are synthetic problems in the plane (``synthetic``), measured data from scikit-learn (``bundled``) and
a user's own file (``table``). scikit-learn and pandas are imported when a dataset is made, because importing
them takes longer than ``--help`` may.
"""

from initlab.datasets.bundled import breast_cancer, diabetes, digits, wine
from initlab.datasets.dataset import Dataset, Task
from initlab.datasets.synthetic import blobs, circles, gaussian_quantiles, linear, moons, spirals, xor
from initlab.datasets.table import table

__all__ = [
    "Dataset",
    "Task",
    "blobs",
    "breast_cancer",
    "circles",
    "diabetes",
    "digits",
    "gaussian_quantiles",
    "linear",
    "moons",
    "spirals",
    "table",
    "wine",
    "xor",
]
