"""What the address of a tracking store says: where it is, of which kind, and what MLflow's UI shows there."""

import re
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import quote, urlsplit

from initlab.errors import TrackingError
from initlab.passwords import MASK, hidden

LOCAL_SERVER = "http://127.0.0.1:5000"
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
OTHERS = ("http", "https", "file", "databricks", "databricks-uc", "uc")
WITHOUT_COLON = ("databricks", "databricks-uc", "uc")
IN_WORDS = "a path, sqlite:///…, postgresql://…, mysql://…, mssql://…, http(s)://… or databricks"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.-]+)(\+[A-Za-z0-9_]+)?:")  # one letter is a drive of Windows
_SQLITE = re.compile(r"(?P<head>sqlite(?:\+\w+)?:///)(?P<path>[^?]+)(?P<options>\?.*)?")


def absolute_uri(uri: str, folder: Path) -> str:
    """Returns the tracking URI with a relative path in it made absolute, seen from folder, and with ``***``
    for a password: the environment keeps it, for whoever opens the store.
    """
    uri = hidden(uri)
    if found := _SQLITE.fullmatch(uri):
        path = found["path"]
        if path == ":memory:" or path.startswith("file:"):  # which is no store for several processes
            return uri
        head = found["head"].replace("+pysqlite:", ":")  # MLflow's own driver
        return f"{head}{(folder / path).resolve()}{found['options'] or ''}"
    if _SCHEME.match(uri) or uri in WITHOUT_COLON:
        return uri
    return (folder / uri).resolve().as_uri()


def sqlite_file(uri: str) -> Path | None:
    """Returns the file of an SQLite store by its absolute URI in any spelling, None for every other store."""
    found = _SQLITE.fullmatch(uri)
    return Path(found["path"]) if found else None


def dialect_of(uri: str) -> str | None:
    """Returns which of MLflow's databases a tracking URI names, None if it names none."""
    found = _SCHEME.match(uri)
    return found[1] if found and found[1] in DATABASES else None


def is_server(uri: str) -> bool:
    """Returns whether a tracking URI names a server."""
    return uri.startswith(("http://", "https://"))


def check_address(uri: str) -> None:
    """Raises TrackingError, in one line, for what is no address of a store that MLflow can track to."""
    found, said = _SCHEME.match(uri), f"tracking.uri={uri}: "
    if (found is None and uri not in WITHOUT_COLON) or (found and not _is_known(found[1])):
        raise TrackingError(f"{said}must be {IN_WORDS}")
    if dialect_of(uri) == "sqlite":
        path = sqlite_file(uri)
        if path is None or not path.is_absolute():
            raise TrackingError(f"{said}must name a file, as in sqlite:///mlruns/mlflow.db")
    elif dialect_of(uri):
        _check_database(uri, said)
    elif found and found[1].startswith("http"):
        _check_server(uri, said)


def _is_known(scheme: str) -> bool:
    if scheme in DATABASES or scheme in OTHERS:
        return True
    return any(one.name == scheme for one in entry_points(group="mlflow.tracking_store"))


def _check_database(uri: str, said: str) -> None:
    import sqlalchemy as sa

    try:
        url = sa.engine.make_url(uri)
    except (sa.exc.ArgumentError, ValueError) as error:
        form = f"{dialect_of(uri)}://user:password@host:port/database"
        raise TrackingError(f"{said}must have the form {form}") from error
    try:
        url.get_dialect().import_dbapi()
    except (sa.exc.NoSuchModuleError, ImportError) as error:
        raise TrackingError(f"{said}needs a driver that is not installed: {error}") from error


def _check_server(uri: str, said: str) -> None:
    try:
        place = urlsplit(uri)
        well_formed = bool(place.hostname) and (place.port is None or place.port > 0)
    except ValueError:  # such as a port that is no number
        well_formed = False
    if not well_formed or re.search(r"\s", uri):
        raise TrackingError(f"{said}must have the form {uri.partition(':')[0]}://host:port")


def address_of(uri: str, experiment_id: str, sweep: str | None = None) -> str:
    """Returns the address of the experiment's charts in the MLflow UI, of one sweep's runs if it is named."""
    server = uri.rstrip("/").replace(f":{MASK}@", "@") if is_server(uri) else LOCAL_SERVER
    query = "workflowType=machine_learning&compareRunsMode=CHART"
    if sweep:
        query += "&searchFilter=" + quote(f"tags.sweep = '{sweep}'")
    return f"{server}/#/experiments/{experiment_id}/runs?{query}"


def page_of(charts: str, run_id: str) -> str:
    """Returns the address of a run's page in the MLflow UI from that of the charts that show it."""
    # Without its last words MLflow opens its pages for chats.
    return f"{charts.partition('?')[0]}/{run_id}?workflowType=machine_learning"
