"""Types that all packages share."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating[Any]]
"""Real numbers. Of a stack of R runs the leading axis is the run and the last two are the matrix."""
