"""What determines a run's numbers, as one short text: two runs of one identity leave the same bits on the
same kind of processor, and a run whose numbers might be others has another identity.
"""

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from initlab.config.targets import GROUPS
from initlab.datasets import Dataset
from initlab.runs.code import numerical_code
from initlab.runs.job import Job

DIGITS = 32
THIS_PROCESS = uuid4().hex
SECTIONS = (*GROUPS, "seed", "train", "diagnostics")
BESIDE_THE_NUMBERS = {"train": ("checkpoint",), "dataset": ("path",)}


def identity_of(job: Job) -> str:
    """Returns 32 hex digits that stand for a job's settings, its data and the code that makes its numbers.

    Of the settings those count that a number follows from, ``report.threshold`` among them, from which
    ``reached_at`` does. Neither where the data's file is counts nor what it is called.
    """
    settings = {
        section: _without(job.values[section], BESIDE_THE_NUMBERS.get(section, ())) for section in SECTIONS
    }
    settings["report"] = {"threshold": job.settings.report.threshold}
    parts = (_canonical(settings), data_digest(job.dataset), code_digest(job))
    return sha256("\n".join(parts).encode()).hexdigest()[:DIGITS]


def _without(section: Any, keys: tuple[str, ...]) -> Any:
    return {key: value for key, value in section.items() if key not in keys} if keys else section


def _canonical(value: Any) -> str:
    """Returns a plain config as text in which the order of its keys does not show."""
    if isinstance(value, Mapping):
        inside = sorted(f"{key!r}:{_canonical(item)}" for key, item in value.items())
        return f"{{{','.join(inside)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_canonical, value))}]"
    return repr(value)


@lru_cache(maxsize=64)
def data_digest(dataset: Dataset) -> str:
    """Returns a digest of the examples of all parts and of their task; runs that share them share it."""
    content = sha256(dataset.task.encode())
    for name in (f"{letter}_{part}" for part in ("train", "validation", "test") for letter in "XY"):
        if (array := getattr(dataset, name)) is not None:
            content.update(f"{name} {array.shape} {array.dtype}".encode())
            content.update(np.ascontiguousarray(array).data)
    return content.hexdigest()


def code_digest(job: Job) -> str:
    """Returns a digest of the source that a job's numbers come from: Initlab's own, and the files of the
    user's functions among its parts.
    """
    parts = (job.model, job.init, job.bias, job.update, job.schedule)
    own = sorted({digest for part in parts if (digest := _digest_of_own(part.func))})
    return sha256("".join([numerical_code(), *own]).encode()).hexdigest()


def _digest_of_own(function: Callable[..., Any]) -> str:
    """Returns a digest of the file that a function of the user's was written in, '' of Initlab's own.

    One that has no file, such as one that was typed into a notebook, is known to this process alone.
    """
    module = getattr(function, "__module__", None) or type(function).__module__
    if module.partition(".")[0] == "initlab":
        return ""
    file = getattr(sys.modules.get(module), "__file__", None)
    return _digest_of_file(file) if file else f"{function!r} {THIS_PROCESS}"


@lru_cache(maxsize=256)
def _digest_of_file(path: str) -> str:
    """Returns a digest of a module's file as it was when it was asked for first, soon after its import."""
    return sha256(Path(path).read_bytes()).hexdigest()
