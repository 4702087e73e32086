"""What the last bits of a run's numbers depend on beside its settings, its data and the code."""

import os
import platform
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

CPUINFO = Path("/proc/cpuinfo")  # of Linux
OF_APPLE = ("sysctl", "-n", "machdep.cpu.brand_string")
CORE = "OPENBLAS_CORETYPE"  # names the kernel that OpenBLAS is to use instead of the processor's own


def arithmetic_tags(threads: int) -> dict[str, str]:
    """Returns tags for the processor, the operating system, what multiplies matrices, with the kernels that
    it has chosen for this processor and its threads, and for the instructions that NumPy has chosen; where
    the kernel is set by OPENBLAS_CORETYPE, for that too.
    """
    library, instructions = _chosen()
    blas = f"{library}, {threads} thread{'s' if threads > 1 else ''}"
    forced = {"openblas_coretype": os.environ[CORE]} if os.environ.get(CORE) else {}
    return {"blas": blas, "simd": instructions, "cpu": _processor(), "os": platform.platform(), **forced}


def arithmetic(tags: Mapping[str, str]) -> str:
    """Returns what multiplies and the versions of NumPy and SciPy in one line."""
    return ", ".join([f"NumPy {version('numpy')}", f"SciPy {version('scipy')}", tags["blas"], tags["simd"]])


@cache
def _chosen() -> tuple[str, str]:
    libraries = [one for one in threadpool_info() if one["user_api"] == "blas"]
    # SciPy has a library of its own, which is there as soon as it is asked for.
    own = [one for one in libraries if "numpy" in one["filepath"]] or libraries
    words = [str(own[0].get(key)) for key in ("internal_api", "version", "architecture")] if own else []
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return " ".join(words) or "unknown", " ".join(found) or "baseline"


@cache
def _processor() -> str:
    """Returns the processor's model as it calls itself, or else its architecture."""
    lines: list[str] = []
    with suppress(OSError):
        lines = CPUINFO.read_text(errors="replace").splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return (
        next(filter(None, named), "") or _apples() or platform.processor() or platform.machine() or "unknown"
    )


def _apples() -> str:
    if platform.system() != "Darwin":
        return ""
    with suppress(OSError):
        return subprocess.run(OF_APPLE, capture_output=True, text=True).stdout.strip()
    return ""
