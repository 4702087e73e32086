"""The data: functions that return a Dataset, columns are examples.

Problems drawn in the plane (``drawn``), scikit-learn's measured ones (``real``) and a user's own file
(``table``). scikit-learn and pandas are imported when a dataset is made, because importing them takes
longer than ``--help`` may.
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
