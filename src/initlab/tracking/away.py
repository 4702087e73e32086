"""Which errors say that a store does not answer just now, so that what it shall hold can wait.

A refused or lost connection, a database that starts, stops or is locked, a server's own failure. Not what
waiting does not mend: a wrong address or password, a name that is refused, a full disk.
"""

from collections.abc import Iterator

SQLITE_IS_TAKEN = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED
ASK_AGAIN = (408, 429)  # of HTTP, beside the server's own failures from 500 on
# PostgreSQL: stopped, crashed, starting, too many clients, deadlock, lock not available.
POSTGRESQL_IS_BUSY = ("57P01", "57P02", "57P03", "53300", "40001", "40P01", "55P03")
# Before a connection stands, PostgreSQL's refusals have no code, and come in English or not at all.
NOT_YET = ("the database system is", "terminating connection", "too many clients", "too many connections")


def is_away(error: BaseException) -> bool:
    """Returns whether an error, or what led to it, says that the store does not answer just now."""
    return any(_says_so(one) for one in _with_causes(error))


def reason(error: BaseException) -> str | None:
    """Returns what the system said when a server could not be asked: the libraries between say it at length;
    None for what else is wrong.
    """
    if not type(error).__module__.startswith(("requests", "mlflow")) or not is_away(error):
        return None
    causes = [one for one in _with_causes(error) if isinstance(one, OSError)]
    said = [one.strerror or str(one) for one in causes if type(one).__module__ in ("builtins", "socket")]
    return said[-1] if said else None


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and not any(one is other for other in seen):
            seen.append(one)
            # SQLAlchemy and MLflow wrap the driver's words, MLflow not always by ``from``.
            waiting += [getattr(one, "orig", None), one.__cause__ or one.__context__]
            yield one


def _says_so(error: BaseException) -> bool:
    module = type(error).__module__.partition(".")[0]
    if module == "sqlite3":
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in SQLITE_IS_TAKEN
    if module.startswith("psycopg"):
        return _of_postgresql(error)
    if module == "requests":
        return _of_http(error)
    if module == "sqlalchemy":
        return bool(getattr(error, "connection_invalidated", False))
    return isinstance(error, ConnectionError | TimeoutError)


def _of_postgresql(error: BaseException) -> bool:
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if code:
        return code in POSTGRESQL_IS_BUSY or code.startswith("08")
    words = str(error)
    lost = type(error).__name__ in ("OperationalError", "ConnectionTimeout")
    return lost and ("FATAL" not in words or any(phrase in words for phrase in NOT_YET))


def _of_http(error: BaseException) -> bool:
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError):
        status = error.response.status_code if error.response is not None else 0
        return status >= 500 or status in ASK_AGAIN
    away = exceptions.ConnectionError | exceptions.Timeout | exceptions.RetryError
    broken = exceptions.ChunkedEncodingError | exceptions.ContentDecodingError
    return isinstance(error, away | broken) and not isinstance(error, exceptions.SSLError)
