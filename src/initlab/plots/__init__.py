"""Pictures of runs: decision boundaries, cost curves, and both side by side.

A sweep draws thousands of pictures, so what they share is drawn once, by matplotlib, and what differs is
laid over it: probabilities as pixels, lines by matplotlib's Agg renderer, titles by Pillow. A lone run
takes the same path, so its picture is the same to the byte.
"""

from initlab.plots.boundary import Boundary
from initlab.plots.comparison import Entry, comparison
from initlab.plots.contact_sheet import MOST_SEEDS, contact_sheet
from initlab.plots.cost_axes import CHANCE
from initlab.plots.cost_curve import CostCurve
from initlab.plots.encoding import png, webp

__all__ = [
    "CHANCE",
    "MOST_SEEDS",
    "Boundary",
    "CostCurve",
    "Entry",
    "comparison",
    "contact_sheet",
    "png",
    "webp",
]
