"""What MLflow allows: the names and the lengths that parameters, tags and metrics may have."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from initlab.errors import TrackingError


def fitting_parameters(parameters: Mapping[str, str]) -> dict[str, str]:
    """Returns the parameters with values that are too long cut; raises TrackingError for a bad name."""
    from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH

    return _fitting(parameters, MAX_PARAM_VAL_LENGTH)


def fitting_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Returns the tags with values that are too long cut; raises TrackingError for a bad name."""
    from mlflow.utils.validation import MAX_TAG_VAL_LENGTH

    return _fitting(tags, MAX_TAG_VAL_LENGTH)


def check_names(names: Iterable[str]) -> None:
    """Raises TrackingError for a name that MLflow would refuse."""
    for name in names:
        _check(name)


def _fitting(values: Mapping[str, str], longest: int) -> dict[str, str]:
    check_names(values)
    return {name: value[:longest] for name, value in values.items()}


@lru_cache(maxsize=1024)
def _check(name: str) -> None:
    from mlflow.utils.validation import (
        MAX_ENTITY_KEY_LENGTH,
        path_not_unique,
        validate_param_and_metric_name,
    )

    # MLflow leaves both functions untyped.
    allowed = validate_param_and_metric_name(name)  # type: ignore[no-untyped-call]
    if not allowed or path_not_unique(name):  # type: ignore[no-untyped-call]
        raise TrackingError(
            f"{name}: cannot be a name in MLflow, which allows letters, digits, spaces and _ - . : /"
        )
    if len(name) > MAX_ENTITY_KEY_LENGTH:
        raise TrackingError(f"{name}: is longer than the {MAX_ENTITY_KEY_LENGTH} characters MLflow allows")
