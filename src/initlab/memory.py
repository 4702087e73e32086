"""How much memory a machine has, the error for what needs more, raised before any is asked for, and how often
Python looks for what is no longer needed.
"""

import atexit
import gc
import os
from functools import lru_cache
from pathlib import Path

LIMIT_OF_GROUP = Path("/sys/fs/cgroup/memory.max")  # of a container; the word 'max' where there is none
UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


def collect_seldom() -> None:
    """Has this process, which must be one of Initlab, look for cycles of garbage seldom: configs of a sweep
    are many objects that stay, and to look through them took a fifteenth of the CPU time of a run. When it
    ends it does not look at all: that took a second, and its memory goes with it.
    """
    gc.set_threshold(50_000, 20, 100)
    atexit.register(gc.freeze)


@lru_cache
def machine_bytes() -> int | None:
    """Returns how many bytes of memory a process could have at most; None where the system does not say."""
    try:
        own = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None
    limit = LIMIT_OF_GROUP.read_text().strip() if LIMIT_OF_GROUP.is_file() else "max"
    return min(own, int(limit)) if limit.isdecimal() else own


def refuse_beyond_memory(what: str, needed: int) -> None:
    """Raises ValueError where so many bytes are more than this machine has; ``what`` is the setting that asks
    for them.
    """
    has = machine_bytes()
    if has is not None and needed > has:
        raise ValueError(f"{what}: needs {in_words(needed)} of memory; this machine has {in_words(has)}")


def in_words(count: int) -> str:
    """Returns a number of bytes as people say it: 7.5 TB, 24 GB."""
    unit = min((len(str(count)) - 1) // 3, len(UNITS) - 1)
    value = count / 1000**unit
    return f"{value:,.3g} {UNITS[unit]}" if value < 1000 else f"{value:,.0f} {UNITS[unit]}"
