"""What the last bits of a run's numbers depend on beside its settings, its data and the code."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

import numpy as np
from threadpoolctl import threadpool_info


def arithmetic_tags(threads: int) -> dict[str, str]:
    """Returns tags for what multiplies matrices, with the kernels that it has chosen for this processor and
    its threads, and for the instructions that NumPy has chosen.
    """
    library, instructions = _chosen()
    return {"blas": f"{library}, {threads} thread{'s' if threads > 1 else ''}", "simd": instructions}


def arithmetic(tags: Mapping[str, str]) -> str:
    """Returns those tags and the versions of NumPy and SciPy in one line."""
    return ", ".join([f"NumPy {version('numpy')}", f"SciPy {version('scipy')}", tags["blas"], tags["simd"]])


@cache
def _chosen() -> tuple[str, str]:
    libraries = [one for one in threadpool_info() if one["user_api"] == "blas"]
    # SciPy has a library of its own, which is there as soon as it is asked for.
    own = [one for one in libraries if "numpy" in one["filepath"]] or libraries
    words = [str(own[0].get(key)) for key in ("internal_api", "version", "architecture")] if own else []
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return " ".join(words) or "unknown", " ".join(found) or "baseline"
