"""A moved or copied project: its SQLite database names places elsewhere of files that are beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from initlab.tracking.artifacts import local_folder
from initlab.tracking.integrity import connected, database_file, sql_engine
from initlab.tracking.sql import TABLES, transaction
from initlab.tracking.store import readable_errors

RUNS, EXPERIMENTS = TABLES["runs"].c, TABLES["experiments"].c


class Moved(NamedTuple):
    """The URIs of the places beside the database, of runs by their ids and of experiments by theirs."""

    runs: Mapping[str, str]
    experiments: Mapping[int, str]


def moved_in(uri: str) -> Moved:
    """Returns which places in the database at uri (absolute) name folders elsewhere that stand beside it."""
    beside = database_file(uri).parent
    runs = sa.select(RUNS.run_uuid, RUNS.artifact_uri)
    experiments = sa.select(EXPERIMENTS.experiment_id, EXPERIMENTS.artifact_location)
    with connected(uri) as connection:
        return Moved(
            *(
                {id_: here for id_, place in connection.execute(of) if (here := _here(place, beside))}
                for of in (runs, experiments)
            )
        )


def _here(place: str | None, beside: Path) -> str | None:
    """Returns the URI of a place's folder beside the database; None where it is there already or is not."""
    folder = local_folder(place or "")
    if folder is None or folder.is_relative_to(beside):
        return None
    parts = folder.parts
    for at in range(len(parts) - 1, 0, -1):  # from the last folder of the database's folder's name
        if parts[at] == beside.name:
            here = beside.joinpath(*parts[at + 1 :])
            return here.as_uri() if here.is_dir() else None
    return None


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
