"""How many threads BLAS computes with: one, wherever the last bits must not depend on the machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from threadpoolctl import threadpool_limits

_lock = Lock()
_limits: Any = None
_blocks = 0  # that are inside of one_thread


@contextmanager
def one_thread() -> Iterator[None]:
    """Lets BLAS use one thread in the block: with more the last bits of products would be others.

    Looking the libraries up takes a millisecond, so that only the outermost of nested blocks does it.
    """
    global _limits, _blocks
    with _lock:
        _blocks += 1
        if _blocks == 1:
            _limits = threadpool_limits(1)
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if _blocks == 0:
                _limits.restore_original_limits()
