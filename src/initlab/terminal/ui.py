"""``initlab ui``: shows the tracked runs in MLflow's UI."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from initlab.errors import TrackingError
from initlab.signals import Stopped, stop_on_signals

DESCRIPTION = """Shows the tracked runs in MLflow's UI, which only this machine can open. Ctrl-C ends it."""


def main() -> None:
    """Runs the command line and exits with 1 where there is nothing to show or no port to show it at."""
    parser = ArgumentParser("initlab ui", description=DESCRIPTION)
    parser.add_argument("--port", type=int, default=5000, help="of http://127.0.0.1 (5000)")
    parser.add_argument(
        "--uri", help="of the store (MLFLOW_TRACKING_URI, else mlruns/mlflow.db of the current folder)"
    )
    parser.add_argument("--experiment", default="initlab", help="to begin with (initlab)")
    given = parser.parse_args()
    stop_on_signals()
    try:
        show(given.uri, given.port, given.experiment)
    except TrackingError as error:
        sys.exit(str(error))
    except Stopped:
        pass  # as it is meant to end


def show(uri: str | None, port: int, experiment: str) -> None:
    """Prints where an experiment's charts are, and serves the store until the server ends."""
    from initlab.config.options import tracking_uri
    from initlab.tracking.address import absolute_uri, is_server
    from initlab.tracking.beginning import begin_with
    from initlab.tracking.reading import charts_address
    from initlab.tracking.server import HOST, serving

    store = absolute_uri(uri or tracking_uri(), Path.cwd())
    begin_with(store, Path.cwd())
    server = store.rstrip("/") if is_server(store) else f"http://{HOST}:{port}"
    charts = charts_address(store, experiment, server)
    if server == store.rstrip("/"):  # somebody else's, which runs already
        print(charts)
        return
    with serving(store, port) as its_server:
        print(f"{charts}\nCtrl-C ends it.", flush=True)
        its_server.wait()
