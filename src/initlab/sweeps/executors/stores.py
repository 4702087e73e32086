"""The store of a sweep that trains on other machines: all of them must reach it."""

from pathlib import Path

from initlab.errors import ConfigError
from initlab.tracking.address import absolute_uri, sqlite_file

FILES = ("sqlite", "file:")


def check_reachable(uri: str | None, launcher: str, folder: Path) -> None:
    """Raises ConfigError, in one line, for a store that is a file: only one machine may write to it."""
    if uri is None:
        return
    whole = absolute_uri(uri, folder)
    if whole.startswith(FILES) or sqlite_file(whole):
        raise ConfigError(
            f"tracking.uri={uri}: is a file, which one machine can write to; hydra/launcher={launcher} needs "
            "an MLflow server (http://…) or PostgreSQL (postgresql://…)"
        )


def folder_of_files(uri: str | None, experiment: str, folder: Path) -> Path | None:
    """Returns the folder in which the store keeps the files of an experiment's runs, None if it keeps them
    elsewhere. Makes the experiment if it is missing, so that the launching machine says where they are.

    Raises TrackingError where the store cannot be opened.
    """
    if uri is None:
        return None
    from initlab.tracking.opening import opened
    from initlab.tracking.places import local_folder

    store = opened(absolute_uri(uri, folder), experiment, folder)
    place = store.client.get_experiment(store.experiment_id).artifact_location
    return local_folder(place)
