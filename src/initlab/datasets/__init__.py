"""Functions that return a Dataset, whose columns are examples.

There are synthetic problems in the plane (``synthetic``), digits as signals (``mnist1d``), two of a published
benchmark (``autotrainer``), measured data from scikit-learn (``bundled``) and a user's own file (``table``).
scikit-learn and pandas are imported when a dataset is made, because importing them takes longer than
``--help`` may.
"""

from initlab.datasets.autotrainer import autotrainer_blob as autotrainer_blob
from initlab.datasets.autotrainer import autotrainer_circle as autotrainer_circle
from initlab.datasets.bundled import breast_cancer as breast_cancer
from initlab.datasets.bundled import diabetes as diabetes
from initlab.datasets.bundled import digits as digits
from initlab.datasets.bundled import wine as wine
from initlab.datasets.dataset import Dataset as Dataset
from initlab.datasets.dataset import Task as Task
from initlab.datasets.mnist1d import mnist1d as mnist1d
from initlab.datasets.synthetic import blobs as blobs
from initlab.datasets.synthetic import circles as circles
from initlab.datasets.synthetic import gaussian_quantiles as gaussian_quantiles
from initlab.datasets.synthetic import linear as linear
from initlab.datasets.synthetic import moons as moons
from initlab.datasets.synthetic import spirals as spirals
from initlab.datasets.synthetic import xor as xor
from initlab.datasets.table import table as table
