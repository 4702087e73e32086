"""Measured data that comes with scikit-learn: nothing is downloaded.

``seed`` chooses which ``test_share`` of the examples is kept for the test. The mean and standard deviation
of the training part standardise the features of both parts.
"""

from initlab.config.rules import Seed, Share
from initlab.datasets.dataset import Dataset, classified, regressed


def digits(*, test_share: Share, seed: Seed) -> Dataset:
    """Returns 1797 handwritten digits as 8 × 8 pixels, 10 classes (Alpaydin & Kaynak 1998)."""
    return _classified("load_digits", test_share, seed)


def breast_cancer(*, test_share: Share, seed: Seed) -> Dataset:
    """Returns 569 tumours by 30 measures of their cell nuclei, malignant (0) or benign (1)
    (Street, Wolberg & Mangasarian 1993).
    """
    return _classified("load_breast_cancer", test_share, seed)


def wine(*, test_share: Share, seed: Seed) -> Dataset:
    """Returns 178 wines by 13 chemical measures, 3 cultivars (Forina, Lanteri, Armanino et al. 1988)."""
    return _classified("load_wine", test_share, seed)


def diabetes(*, test_share: Share, seed: Seed) -> Dataset:
    """Returns 442 patients by 10 measures and the disease's progression a year later, a regression
    (Efron, Hastie, Johnstone & Tibshirani 2004); the target is standardised too.
    """
    from sklearn.datasets import load_diabetes

    loaded = load_diabetes(scaled=False)
    names, source = tuple(loaded.feature_names), "sklearn.datasets.load_diabetes"
    return regressed(loaded.data.T, loaded.target, test_share, seed, source=source, features=names)


def _classified(load: str, test_share: float, seed: int) -> Dataset:
    import sklearn.datasets

    loaded, source = getattr(sklearn.datasets, load)(), f"sklearn.datasets.{load}"
    classes, features = tuple(map(str, loaded.target_names)), tuple(map(str, loaded.feature_names))
    X, labels = loaded.data.T, loaded.target
    return classified(X, labels, test_share, seed, source=source, classes=classes, features=features)
