"""MNIST-1D: digits as short one-dimensional signals, made by a published recipe; nothing is downloaded."""

import numpy as np

from initlab.config.rules import Count, Seed, Share, ShareOrZero
from initlab.datasets.dataset import Dataset, Parts, assembled, encoded
from initlab.memory import refuse_beyond_memory
from initlab.streams import TRAINING, stream
from initlab.types import Array

PUBLISHED_SEED = 42
DIGITS = 10
BYTES_OF_AN_EXAMPLE = 2000  # while it is made
# What a pen does, from left to right: the signal of each digit, 12 heights.
TEMPLATES = np.array(
    [
        [5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5],
        [5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5],
        [5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5],
        [5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5],
        [5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5],
        [5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5],
        [5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5],
        [5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5],
        [5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5],
        [5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5],
    ]
)
PADDING = 36, 60  # zeros behind a template: at least, and at most
LENGTH = 40  # of a signal
SCALE, SHIFT, SHEAR = 0.4, 48, 0.75
SMOOTH_NOISE, NOISE = 0.25, 0.02
BARELY = 1e-8  # tells a template's zeros from the padding's


def mnist1d(
    *, examples: Count, test_share: Share, validation_share: ShareOrZero = 0.0, seed: Seed
) -> Dataset:
    """Returns signals of 40 numbers, 10 classes: templates of ten digits, each padded, stretched, scaled,
    moved, sheared and covered with noise at random. The last ``test_share`` of them are the test part; those
    before it are for validation, if asked for.

    Greydanus & Kobak 2024, 'Scaling down deep learning with MNIST-1D', arXiv:2011.14439, who report 32 % for
    logistic regression, 68 % for an MLP, 94 % for a CNN and 96 % for people. Seed 42 draws their data. As
    theirs the signals have mean 0 and standard deviation 1 over all features and examples.
    """
    if examples < 10 * DIGITS or examples % DIGITS:
        raise ValueError(f"examples={examples}: must be a multiple of {DIGITS}, and at least {10 * DIGITS}")
    refuse_beyond_memory(f"examples={examples}", examples * BYTES_OF_AN_EXAMPLE)
    # The published data have the legacy stream of their seed.
    rng = np.random.RandomState(seed) if seed == PUBLISHED_SEED else stream(seed, TRAINING)
    labels = np.repeat(np.arange(DIGITS), examples // DIGITS)
    signals = np.array([_signal(template, rng) for template in _templates()[labels]])
    order = rng.permutation(len(labels))
    signals, labels = signals[order], labels[order]
    signals = (signals - signals.mean()) / signals.std()
    parts = _parts(examples, test_share, validation_share)
    classes, source = tuple(map(str, range(DIGITS))), "initlab.datasets.mnist1d"
    return assembled(
        signals.T, encoded(labels, DIGITS), parts, source=source, task="classes", classes=classes
    )


def _parts(examples: int, test_share: float, validation_share: float) -> Parts:
    """Returns the parts of shuffled examples, one after the other: to train, to validate, to test."""
    tested = max(1, round(test_share * examples))
    validated = max(1, round(validation_share * examples)) if validation_share else 0
    trained = examples - tested - validated
    if trained < 1:
        raise ValueError(
            f"test_share={test_share}: leaves no training part beside validation_share={validation_share}"
        )
    return Parts(*np.split(np.arange(examples), [trained, trained + validated]))


def _templates() -> Array:
    """Returns the templates (10, 12): standardised, from 0 on, and a sixth of that."""
    x = TEMPLATES - TEMPLATES.mean(axis=1, keepdims=True)
    x = x / x.std(axis=1, keepdims=True)
    templates: Array = (x - x[:, :1]) / 6
    return templates


def _signal(template: Array, rng: np.random.RandomState) -> Array:
    """Returns one signal (40,) of a template."""
    from scipy.ndimage import gaussian_filter

    least, most = PADDING
    zeros = np.zeros(least + int(rng.rand() * (most - least + 1)))
    x = _resampled(np.concatenate([template + BARELY, zeros]), len(template) + most)
    x = x * (1 + SCALE * (rng.rand() - 0.5))
    moved = int(rng.choice(SHIFT))
    x = np.concatenate([x[-moved:], x[:-moved]])
    smooth = gaussian_filter(SMOOTH_NOISE * rng.standard_normal(len(x)), 2)
    x = np.where(x != 0, x, smooth)
    x = x + NOISE * rng.standard_normal(len(x))
    x = x - SHEAR * (rng.rand() - 0.5) * np.linspace(-0.5, 0.5, len(x))
    return _resampled(x, LENGTH)


def _resampled(x: Array, length: int) -> Array:
    """Returns a signal at so many even places, by linear interpolation."""
    return np.interp(np.linspace(0, 1, length), np.linspace(0, 1, len(x)), x)
