"""Whether MLflow's tables are those that Initlab writes in bulk."""

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

_logger = logging.getLogger(__name__)

TABLES = {
    "SqlRun": "run_uuid! name source_type source_name entry_point_name user_id status start_time end_time"
    " deleted_time source_version lifecycle_stage artifact_uri experiment_id",
    "SqlTag": "key! value run_uuid!",
    "SqlParam": "key! value! run_uuid!",
    "SqlMetric": "key! value! timestamp step is_nan run_uuid!",
    "SqlLatestMetric": "key! value! timestamp step is_nan run_uuid!",
    "SqlDataset": "dataset_uuid! experiment_id! name! digest! dataset_source_type! dataset_source!"
    " dataset_schema dataset_profile",
    "SqlInput": "input_uuid! source_type! source_id! destination_type! destination_id! step",
    "SqlInputTag": "input_uuid! name! value!",
}
"""The columns of MLflow's models of the tables that are written; '!' marks those that a row must name."""


def can_be_filled(engine: "Engine") -> bool:
    """Returns whether Initlab can write into the tables of the database by itself.

    It can in SQLite and, through psycopg, in PostgreSQL, unless the tables differ from those it knows;
    that is said once.
    """
    dialect = engine.dialect
    return (dialect.name == "sqlite" or dialect.driver == "psycopg") and _tables_are_known()


@lru_cache
def _tables_are_known() -> bool:
    import mlflow
    from mlflow.store.tracking.dbmodels import models

    for model, columns in TABLES.items():
        if _columns(getattr(models, model, None)) != set(columns.split()):
            _logger.warning(
                "MLflow %s: its table model %s is not the one Initlab knows, so runs are written through "
                "MLflow's client: nothing is lost, but a sweep takes longer",
                mlflow.__version__,
                model,
            )
            return False
    return True


def _columns(model: type | None) -> set[str]:
    if model is None:
        return set()
    columns = model.__table__.columns  # type: ignore[attr-defined]
    return {f"{column.name}{'!' * _must_be_named(column)}" for column in columns}


def _must_be_named(column: object) -> bool:
    return not (column.nullable or column.default or column.server_default)  # type: ignore[attr-defined]
