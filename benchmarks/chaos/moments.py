"""At which moment a sweep is, seen from outside: by the folders and the runs that there are already."""

from sqlalchemy.exc import SQLAlchemyError

from .state import Tracked
from .stores import Place

MOMENTS = IMPORTING, COMPOSING, OPENING, TRAINING, WRITING, CLOSING = (
    "importing",
    "composing and starting workers",
    "opening the store",
    "training",
    "writing",
    "closing",
)


def moment_of(place: Place, jobs: int) -> str:
    """Returns the moment at which the newest sweep of a place is that has so many jobs."""
    sweeps = place.sweeps()
    if not sweeps:
        return IMPORTING
    if next(sweeps[-1].rglob("config.yaml"), None) is None:
        return COMPOSING
    try:
        runs = place.runs()
    except SQLAlchemyError:  # there are no tables yet
        return OPENING
    if not runs:
        return OPENING
    if sum(run.status == "FINISHED" for run in runs) >= jobs:
        return CLOSING
    return WRITING if any(_has_files(place, run) for run in runs if run.status == "RUNNING") else TRAINING


def _has_files(place: Place, run: Tracked) -> bool:
    folder = place.files(run)
    return folder.is_dir() and any(folder.iterdir())
