"""What the best network of a sweep answers on the test examples, beside the truth."""

import numpy as np

from initlab.datasets import Dataset
from initlab.networks.tape import predict
from initlab.report.answer import Answer
from initlab.report.entrants import median_value
from initlab.runs.stored import Read
from initlab.types import Array


def truth_of(answer: Answer, read: Read) -> dict[str, bytes]:
    """Returns ``confusion.png`` or, of a regression, ``predictions.png``: those of the run of median final
    cost of the best combination; nothing if it diverged.
    """
    from initlab.plots import axes_png, plot_confusion, plot_predictions

    best = max(answer.combinations, key=lambda one: median_value(one, answer.by))
    files = read(best.typical)
    if best.typical.diverged_at is not None:
        return {}
    dataset, network = files.data_and_network
    X = dataset.X_test.astype(files.parameters.dtype)
    with np.errstate(over="ignore"):  # exp of a saturated logit overflows to the right limit
        [answers] = predict(network, files.parameters[np.newaxis], X)
    if dataset.task == "regression":
        return {"predictions.png": axes_png(plot_predictions(dataset.Y_test[0], answers[0]))}
    counts, names = confusion(dataset, answers)
    return {"confusion.png": axes_png(plot_confusion(counts, names))}


def confusion(dataset: Dataset, answers: Array) -> tuple[Array, list[str]]:
    """Returns how many test examples of each class (rows) were taken for which (columns), and the names."""
    from sklearn.metrics import confusion_matrix

    classes = max(2, len(dataset.Y_test))
    true, taken_for = (
        (rows[0] > 0.5).astype(int) if classes == 2 else rows.argmax(axis=0)
        for rows in (dataset.Y_test, answers)
    )
    counts: Array = confusion_matrix(true, taken_for, labels=range(classes))
    return counts, list(dataset.classes) or [str(number) for number in range(classes)]
