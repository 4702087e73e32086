"""A moved or copied project: its SQLite database names places elsewhere of files that are beside it."""

from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from initlab.tracking.integrity import connected, database_file, sql_engine
from initlab.tracking.places import place_now
from initlab.tracking.sql import TABLES, transaction
from initlab.tracking.store import readable_errors

RUNS, EXPERIMENTS, MODELS = (TABLES[name].c for name in ("runs", "experiments", "logged_models"))


class Moved(NamedTuple):
    """The URIs of the places beside the database, of runs, of experiments and of models by their ids."""

    runs: Mapping[str, str]
    experiments: Mapping[int, str]
    models: Mapping[str, str]


def moved_in(uri: str) -> Moved:
    """Returns which places in the database at uri (absolute) name folders elsewhere that stand beside it."""
    database = database_file(uri)
    runs = sa.select(RUNS.run_uuid, RUNS.artifact_uri)
    experiments = sa.select(EXPERIMENTS.experiment_id, EXPERIMENTS.artifact_location)
    models = sa.select(MODELS.model_id, MODELS.artifact_location)
    with connected(uri) as connection:
        return Moved(
            *(
                {
                    id_: here
                    for id_, place in connection.execute(of)
                    if place and (here := place_now(place, database)) != place
                }
                for of in (runs, experiments, models)
            )
        )


def bring_here(uri: str, moved: Moved) -> None:
    """Has the database name the places beside it."""
    words = f"tracking.uri={uri}: cannot be written"
    with readable_errors(words), transaction(sql_engine(uri)) as connection:
        for run_id, place in moved.runs.items():
            connection.execute(
                sa.update(TABLES["runs"]).where(RUNS.run_uuid == run_id).values(artifact_uri=place)
            )
        for id_, place in moved.experiments.items():
            named = sa.update(TABLES["experiments"]).where(EXPERIMENTS.experiment_id == id_)
            connection.execute(named.values(artifact_location=place))
        for model_id, place in moved.models.items():
            model = sa.update(TABLES["logged_models"]).where(MODELS.model_id == model_id)
            connection.execute(model.values(artifact_location=place))
