"""Taking turns at a store: what must not be done by two processes at once, such as claiming jobs.

Beside an SQLite database and inside of PostgreSQL there is a lock that dies with its holder. MLflow's servers
have none, but no two of their registered models have one name: making one is taking the turn, and a turn that
its holder has left behind is ended by the next.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from initlab.errors import TrackingError
from initlab.signals import sleep
from initlab.tracking.engine import engine_of
from initlab.tracking.locks import alone_in, exclusive
from initlab.tracking.process import process_of, this_process

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import RegisteredModel

SECONDS_OF_A_TURN = 60
SECONDS_BETWEEN_LOOKS = 0.2
MOST_SECONDS = 120
TOLD = "Somebody's turn at this store: it is no model, and goes by itself."


@contextmanager
def turn(client: "MlflowClient", what: str) -> Iterator[None]:
    """Lets nobody else do ``what``, a word, at the client's store within the block.

    Raises TrackingError if the turn does not come within some time.
    """
    engine = engine_of(client)
    if engine is not None and engine.dialect.name == "sqlite":
        database = Path(engine.url.database or "")
        with exclusive(database.with_name(f"{database.name}.{what}.lock")):
            yield
    elif engine is not None and engine.dialect.name == "postgresql":
        with alone_in(engine.url.render_as_string(hide_password=False), what):
            yield
    else:
        with _by_a_name(client, f"initlab-{what}"):
            yield


@contextmanager
def _by_a_name(client: "MlflowClient", name: str) -> Iterator[None]:
    from mlflow import MlflowException

    until = time.monotonic() + MOST_SECONDS
    while True:
        try:
            client.create_registered_model(name, {"process": this_process().tag}, TOLD)
            break
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        if time.monotonic() > until:
            raise TrackingError(f"{name}: somebody else's turn at the store does not end")
        _end_what_was_left(client, name)
        sleep(SECONDS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        with suppress(MlflowException):  # it took so long that another one has ended it
            client.delete_registered_model(name)


def _end_what_was_left(client: "MlflowClient", name: str) -> None:
    """Ends a turn that its holder has left behind. Of several that find it so one gets it, by renaming it: a
    name that was looked at a moment ago may be another one's turn by now.
    """
    from mlflow import MlflowException

    aside = f"{name}-{uuid.uuid4().hex}"
    with suppress(MlflowException):  # it has ended meanwhile
        if _was_left(client.get_registered_model(name)):
            client.rename_registered_model(name, aside)
            if _was_left(client.get_registered_model(aside)):
                client.delete_registered_model(aside)
            else:
                client.rename_registered_model(aside, name)


def _was_left(turn: "RegisteredModel") -> bool:
    holder = process_of(turn.tags)
    old = time.time() - turn.creation_timestamp / 1000 > SECONDS_OF_A_TURN
    return old or (holder is not None and holder.is_local and not holder.lives)
