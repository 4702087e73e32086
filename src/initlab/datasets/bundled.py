"""Measured data that comes with scikit-learn: nothing is downloaded.

``seed`` chooses which ``test_share`` of the examples is kept for the test and which ``validation_share`` for
validation; the rest is the training part, whose mean and standard deviation standardise all features.
"""

import numpy as np

from initlab.config.rules import Seed, Share, ShareOrZero
from initlab.datasets.dataset import (
    Dataset,
    assembled,
    encoded,
    scale_of,
    split,
    standardised,
    standardised_target,
    task_of,
)


def digits(*, test_share: Share, validation_share: ShareOrZero = 0.0, seed: Seed) -> Dataset:
    """Returns 1797 handwritten digits as 8 × 8 pixels, 10 classes (Alpaydin & Kaynak 1998)."""
    return _classified("load_digits", test_share, validation_share, seed)


def breast_cancer(*, test_share: Share, validation_share: ShareOrZero = 0.0, seed: Seed) -> Dataset:
    """Returns 569 tumours by 30 measures of their cell nuclei, malignant (0) or benign (1)
    (Street, Wolberg & Mangasarian 1993).
    """
    return _classified("load_breast_cancer", test_share, validation_share, seed)


def wine(*, test_share: Share, validation_share: ShareOrZero = 0.0, seed: Seed) -> Dataset:
    """Returns 178 wines by 13 chemical measures, 3 cultivars (Forina, Lanteri, Armanino et al. 1988)."""
    return _classified("load_wine", test_share, validation_share, seed)


def diabetes(*, test_share: Share, validation_share: ShareOrZero = 0.0, seed: Seed) -> Dataset:
    """Returns 442 patients by 10 measures and the disease's progression a year later, a regression
    (Efron, Hastie, Johnstone & Tibshirani 2004); the target is standardised too.
    """
    from sklearn.datasets import load_diabetes

    loaded = load_diabetes(scaled=False)
    parts = split(np.zeros(len(loaded.target), np.intp), test_share, seed, validation_share)
    X, Y = standardised(loaded.data.T, parts.train), standardised_target(loaded.target, parts.train, seed)
    names, source = tuple(loaded.feature_names), "sklearn.datasets.load_diabetes"
    return assembled(
        X,
        Y,
        parts,
        source=source,
        task="regression",
        features=names,
        scales=tuple(scale_of(row, parts.train) for row in loaded.data.T),
        target_scales=(scale_of(loaded.target, parts.train),),
    )


def _classified(load: str, test_share: float, validation_share: float, seed: int) -> Dataset:
    import sklearn.datasets

    loaded, source = getattr(sklearn.datasets, load)(), f"sklearn.datasets.{load}"
    classes, features = tuple(map(str, loaded.target_names)), tuple(map(str, loaded.feature_names))
    parts = split(loaded.target, test_share, seed, validation_share)
    X, Y = standardised(loaded.data.T, parts.train), encoded(loaded.target, len(classes))
    return assembled(
        X,
        Y,
        parts,
        source=source,
        task=task_of(len(classes)),
        classes=classes,
        features=features,
        scales=tuple(scale_of(row, parts.train) for row in loaded.data.T),
    )
