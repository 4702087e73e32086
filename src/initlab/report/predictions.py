"""What the best of a sweep answers to the test examples: which classes it takes for which, or its predicted
values beside the true ones.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from initlab.datasets import Dataset
from initlab.networks.tape import predict
from initlab.report.answer import Answer
from initlab.report.entrants import Combination, median_value
from initlab.runs.pictures import quantities_of
from initlab.runs.stored import RunFiles
from initlab.runs.summary import Summary
from initlab.types import Array

MOST_CLASSES = 20  # of a confusion matrix that can be read


def predictions_png(answer: Answer, read: Callable[[Summary], RunFiles]) -> dict[str, bytes]:
    """Returns ``confusion.png`` or, of a regression, ``predictions.png``, of the best combination's typical
    run; nothing if that diverged, or for more classes than can be read.
    """
    from initlab.plots import figure_png, plot_confusion, plot_predictions

    best = _best(answer)
    if best.typical.diverged_at is not None:
        return {}
    files = read(best.typical)
    dataset, answers = files.data_and_network[0], answers_to_test(files)
    title = f"{best.name} · seed {best.typical.tags['seed']} · {answers.shape[-1]:,} test examples"
    if dataset.task == "regression":
        true, predicted, target = _in_units(dataset, answers)
        axes = plot_predictions(true, predicted, target=target, title=title)
        return {"predictions.png": figure_png(axes)}
    matrix = confusion(dataset.Y_test, answers)
    if len(matrix) > MOST_CLASSES:
        return {}
    names = dataset.classes or [f"class {number}" for number in range(len(matrix))]
    title += f", {np.trace(matrix):,} right"
    return {"confusion.png": figure_png(plot_confusion(matrix, names, title=title))}


def _best(answer: Answer) -> Combination:
    """Returns the combination of the best median, of those that the sweep is judged by."""
    compared = answer.headline.combinations.values() if answer.headline else answer.combinations
    return max(compared, key=lambda one: median_value(one, answer.by))


def answers_to_test(files: RunFiles) -> Array:
    """Returns what a run's trained network answers to the test examples, (n_y, m)."""
    dataset, network = files.data_and_network
    parameters = files.parameters
    with np.errstate(over="ignore"):  # exp of a saturated logit overflows to the right limit
        [answers] = predict(network, parameters[np.newaxis], dataset.X_test.astype(parameters.dtype))
    found: Array = answers
    return found


def confusion(Y: Array, answers: Array) -> NDArray[np.int64]:
    """Returns how many examples (K, K) of each class, by row, the answers take for each class, by column.

    ``Y`` and ``answers`` are labels and probabilities, (1, m) of two classes and (K, m) of more.
    """
    two = len(Y) == 1
    true, taken = (values[0] > 0.5 if two else values.argmax(axis=0) for values in (Y, answers))
    count = 2 if two else len(Y)
    matrix = np.zeros((count, count), np.int64)
    np.add.at(matrix, (true.astype(int), taken.astype(int)), 1)
    return matrix


def _in_units(dataset: Dataset, answers: Array) -> tuple[Array, Array, str]:
    """Returns the true and the predicted values (m,), in the target's own units where those are known, and
    what the target is called.
    """
    quantities = quantities_of(dataset)
    if len(quantities) == len(dataset.X_test):  # the features' alone
        return dataset.Y_test[0], answers[0], "target (standardised)"
    name, mean, std = quantities[-1]
    return mean + std * dataset.Y_test[0], mean + std * answers[0], name
