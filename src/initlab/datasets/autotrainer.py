"""Two problems in the plane on which AutoTrainer was published (Zhang et al. 2021, 'AutoTrainer: an automatic
DNN training problem detection and repair system', ICSE): 1000 examples of scikit-learn's, of which the first
700 train and the other 300 test.

Their features are multiplied by ``scale``, 100 as published, and are not standardised: what such features do
to a training is part of the benchmark.
"""

import numpy as np

from initlab.config.rules import Positive, Seed
from initlab.datasets.dataset import Dataset, Parts, assembled, encoded, task_of
from initlab.types import Array

EXAMPLES, TRAINED_ON = 1000, 700


def autotrainer_circle(*, scale: Positive, seed: Seed) -> Dataset:
    """Returns two circles, the inner at 0.8 of the outer's radius, with Gaussian noise of std 0.1."""
    from sklearn.datasets import make_circles

    X, labels = make_circles(n_samples=EXAMPLES, noise=0.1, random_state=np.random.RandomState(seed))
    return _divided(scale * X.T, labels, 2, "sklearn.datasets.make_circles")


def autotrainer_blob(*, scale: Positive, seed: Seed) -> Dataset:
    """Returns three Gaussian clouds of std 2, whose centers the seed draws too."""
    from sklearn.datasets import make_blobs

    rng = np.random.RandomState(seed)
    X, labels = make_blobs(n_samples=EXAMPLES, centers=3, cluster_std=2, random_state=rng)
    return _divided(scale * X.T, labels, 3, "sklearn.datasets.make_blobs")


def _divided(
    X: Array, labels: "np.ndarray[tuple[int], np.dtype[np.intp]]", classes: int, source: str
) -> Dataset:
    everyone = np.arange(EXAMPLES)
    parts = Parts(everyone[:TRAINED_ON], everyone[:0], everyone[TRAINED_ON:])
    return assembled(X, encoded(labels, classes), parts, source=source, task=task_of(classes))
